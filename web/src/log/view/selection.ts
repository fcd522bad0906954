/**
 * A selection of text over lines of which some may have left the page. It is kept as two points in the log; what
 * of it is in the page is given back to the browser after each change of the rows.
 */

export interface Point {
  seq: number;
  offset: number;
}

export interface Selected {
  from: Point;
  to: Point;
}

export const isBefore = (a: Point, b: Point): boolean => a.seq < b.seq || (a.seq === b.seq && a.offset <= b.offset);

export function ordered(a: Point, b: Point): Selected {
  return isBefore(a, b) ? { from: a, to: b } : { from: b, to: a };
}

/** Cuts the text of whole lines down to what is selected of the first and the last. */
export function cutText(text: string, selected: Selected): string {
  const all = text.endsWith("\n") ? text.slice(0, -1) : text;
  const lastStart = all.lastIndexOf("\n") + 1;
  const end = selected.to.offset === Infinity ? all.length : Math.min(all.length, lastStart + selected.to.offset);
  return all.slice(Math.min(selected.from.offset, end), end);
}

const rowOf = (node: Node): HTMLElement | null => (node instanceof Element ? node : node.parentElement)?.closest<HTMLElement>("[data-seq]") ?? null;
const textOfRow = (row: Element): HTMLElement | null => row.querySelector<HTMLElement>(".text");

function offsetIn(text: HTMLElement, node: Node, offset: number): number {
  const range = document.createRange();
  range.selectNodeContents(text);
  const position = range.comparePoint(node, offset);
  if (position < 0) return 0;
  if (position > 0) return text.textContent.length;
  range.setEnd(node, offset);
  return range.toString().length;
}

/** A place in the page as a place in the log. */
function pointOf(block: HTMLElement, node: Node, offset: number): Point | null {
  if (!block.contains(node)) return null;
  const row = rowOf(node);
  if (row) {
    const text = textOfRow(row);
    return text ? { seq: Number(row.dataset["seq"]), offset: offsetIn(text, node, offset) } : null;
  }
  const child = block.children[Math.min(offset, block.children.length - 1)];
  const near = child?.closest<HTMLElement>("[data-seq]") ?? child?.nextElementSibling;
  if (!(near instanceof HTMLElement) || near.dataset["seq"] === undefined) return null;
  return { seq: Number(near.dataset["seq"]), offset: offset < block.children.length ? 0 : Infinity };
}

const NOTHING = { anchorNode: null, anchorOffset: 0, focusNode: null, focusOffset: 0 };

interface Place {
  node: Node;
  offset: number;
}

/** A place in the log as a place in the page; the nearest edge when it is not there. */
function placeOf(block: HTMLElement, point: Point): (Place & { clipped: boolean }) | null {
  const rows = [...block.querySelectorAll<HTMLElement>("[data-seq]")];
  const [head, tail] = [rows[0], rows[rows.length - 1]];
  if (!head || !tail) return null;
  if (point.seq < Number(head.dataset["seq"])) return { node: textOfRow(head) ?? head, offset: 0, clipped: true };
  const row = rows.find((one) => Number(one.dataset["seq"]) === point.seq);
  const text = textOfRow(row ?? tail) ?? tail;
  if (!row) return { node: text, offset: text.childNodes.length, clipped: true };
  const walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
  let left = point.offset;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const length = node.textContent?.length ?? 0;
    if (left <= length) return { node, offset: left, clipped: false };
    left -= length;
  }
  return { node: text, offset: text.childNodes.length, clipped: false };
}

export class LogSelection {
  private anchor: Point | null = null;
  private focus: Point | null = null;
  /** The browser's selection as it was set here: an end that has not moved since still means the same. */
  private set: { anchor: Place; focus: Place } | null = null;

  constructor(private readonly block: HTMLElement) {}

  get current(): Selected | null {
    if (!this.anchor || !this.focus) return null;
    const selected = ordered(this.anchor, this.focus);
    return selected.from.seq === selected.to.seq && selected.from.offset === selected.to.offset ? null : selected;
  }

  clear(): void {
    this.anchor = null;
    this.focus = null;
    this.set = null;
  }

  /** Selects lines that need not be in the page. */
  select(fromSeq: number, toSeq: number): void {
    this.anchor = { seq: fromSeq, offset: 0 };
    this.focus = { seq: toSeq, offset: Infinity };
    this.restore();
  }

  /** The browser's selection changed: is there something selected in the log? */
  read(): boolean {
    const selection = document.getSelection();
    const { anchorNode, anchorOffset, focusNode, focusOffset } = selection ?? NOTHING;
    const stays = (place: Place | undefined, node: Node | null, offset: number): boolean => place?.node === node && place?.offset === offset;
    // As it was set here: perhaps nothing of it is in the page now, and it comes back with its rows.
    if (this.set && stays(this.set.anchor, anchorNode, anchorOffset) && stays(this.set.focus, focusNode, focusOffset)) return false;
    if (!selection || selection.isCollapsed || !anchorNode || !focusNode) {
      this.clear();
      return false;
    }
    const anchor = stays(this.set?.anchor, anchorNode, anchorOffset) ? this.anchor : pointOf(this.block, anchorNode, anchorOffset);
    const focus = stays(this.set?.focus, focusNode, focusOffset) ? this.focus : pointOf(this.block, focusNode, focusOffset);
    if (!anchor || !focus) {
      this.clear();
      return false;
    }
    this.anchor = anchor;
    this.focus = focus;
    return true;
  }

  /** Gives the browser back what of the selection is in the page. */
  restore(): void {
    if (!this.anchor || !this.focus || !this.current) return;
    const [anchor, focus] = [placeOf(this.block, this.anchor), placeOf(this.block, this.focus)];
    const selection = document.getSelection();
    if (!anchor || !focus || !selection) return;
    const same = selection.anchorNode === anchor.node && selection.anchorOffset === anchor.offset && selection.focusNode === focus.node && selection.focusOffset === focus.offset;
    if (!same) selection.setBaseAndExtent(anchor.node, anchor.offset, focus.node, focus.offset);
    this.set = { anchor, focus };
  }

  /** Its text, when all of it is in the page; null when it is not. */
  textInPage(): string | null {
    const selected = this.current;
    if (!selected) return "";
    const rows = [...this.block.querySelectorAll<HTMLElement>("[data-seq]")];
    const from = rows.findIndex((row) => Number(row.dataset["seq"]) === selected.from.seq);
    const to = rows.findIndex((row) => Number(row.dataset["seq"]) === selected.to.seq);
    if (from < 0 || to < 0) return null;
    const texts = rows.slice(from, to + 1).map((row) => textOfRow(row)?.textContent ?? "");
    return cutText(texts.join("\n"), selected);
  }
}
