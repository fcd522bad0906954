/**
 * The rows that are in the page, in order, keyed by sequence number: what a slice still holds stays the same
 * element, so that a selection, a focus or a hovered link survives new lines.
 */
import type { Extent, Slice } from "../model";
import type { ViewLine } from "./row";

export interface Row {
  /** The line's sequence number; of a gap, its first one, negative. */
  key: number;
  first: number;
  last: number;
  line: ViewLine | null;
  gap: Extent | null;
  el: HTMLElement;
}

export interface RowFactory {
  line(line: ViewLine): HTMLElement;
  gap(from: number, to: number): HTMLElement;
}

/** Rows that stay while somebody selects by dragging, however far they scroll meanwhile. */
export const HELD_MAX = 2000;

type Item = Omit<Row, "el">;

const itemOfLine = (line: ViewLine): Item => ({ key: line.seq, first: line.seq, last: line.lastSeq, line, gap: null });
const itemOfGap = (gap: Extent): Item => ({ key: -gap.first, first: gap.first, last: gap.last, line: null, gap });

/** A slice's lines with the gaps that stand before, between and behind them. */
export function itemsOf(slice: Pick<Slice, "lines" | "atStart" | "atEnd">, gaps: readonly Extent[]): Item[] {
  const items: Item[] = [];
  const open = [...gaps].sort((a, b) => a.first - b.first);
  let next = 0;
  let before = slice.atStart ? 0 : (slice.lines[0]?.seq ?? 0);
  for (const line of slice.lines) {
    for (; next < open.length && (open[next]?.first ?? 0) < line.seq; next++) {
      const gap = open[next];
      if (gap && gap.first >= before) items.push(itemOfGap(gap));
    }
    items.push(itemOfLine(line));
    before = line.lastSeq;
  }
  if (slice.atEnd) for (const gap of open.slice(next)) items.push(itemOfGap(gap));
  return items;
}

function sameRuns(a: ViewLine, b: ViewLine): boolean {
  return (
    a.runs.length === b.runs.length &&
    a.runs.every((run, i) => {
      const other = b.runs[i];
      return other !== undefined && run.text === other.text && run.attr === other.attr && run.fg === other.fg && run.bg === other.bg && run.href === other.href;
    })
  );
}

/** Whether two accounts of a line look alike. */
export function sameLine(a: ViewLine | null, b: ViewLine | null): boolean {
  if (!a || !b) return a === b;
  return (
    a.lastSeq === b.lastSeq && a.rest === b.rest && a.depth === b.depth && a.isJson === b.isJson && a.stream === b.stream &&
    a.group?.open === b.group?.open && a.group?.kind === b.group?.kind && a.own?.seq === b.own?.seq &&
    a.own?.index === b.own?.index && sameRuns(a, b)
  );
}

function sameItem(row: Row, item: Item): boolean {
  return row.last === item.last && row.gap?.last === item.gap?.last && sameLine(row.line, item.line);
}

export class Rows {
  list: Row[] = [];

  constructor(private readonly block: HTMLElement, private readonly make: RowFactory) {}

  get(key: number): Row | undefined {
    return this.list.find((row) => row.key === key);
  }

  /** The row that shows a sequence number. */
  at(seq: number): Row | undefined {
    return this.list.find((row) => row.line !== null && row.first <= seq && seq <= row.last);
  }

  private element(item: Item): HTMLElement {
    if (item.gap) return this.make.gap(item.gap.first, item.gap.last);
    if (item.line) return this.make.line(item.line);
    throw new Error("a row of nothing");
  }

  /** Puts these items in place of what is there; `hold`: what only went out of the window stays for now. */
  reconcile(items: readonly Item[], hold: boolean): void {
    const old = new Map(this.list.map((row) => [row.key, row]));
    const next: Row[] = items.map((item) => {
      const row = old.get(item.key);
      old.delete(item.key);
      if (!row) return { ...item, el: this.element(item) };
      if (sameItem(row, item)) return Object.assign(row, item);
      const el = this.element(item);
      row.el.replaceWith(el);
      return Object.assign(row, item, { el });
    });
    const kept = hold ? this.held(old, next) : { above: [], below: [] };
    this.list = [...kept.above, ...next, ...kept.below];
    for (const row of old.values()) if (!kept.above.includes(row) && !kept.below.includes(row)) row.el.remove();
    this.order();
  }

  private held(old: ReadonlyMap<number, Row>, next: readonly Row[]): { above: Row[]; below: Row[] } {
    const [first, last] = [next[0]?.first, next[next.length - 1]?.last];
    const overlap = next.length + old.size > 0 && this.list.some((row) => !old.has(row.key));
    if (first === undefined || last === undefined || !overlap || next.length + old.size > HELD_MAX) return { above: [], below: [] };
    const rest = [...old.values()];
    return { above: rest.filter((row) => row.last < first), below: rest.filter((row) => row.first > last) };
  }

  private order(): void {
    let cursor = this.block.firstChild;
    for (const { el } of this.list) {
      if (el === cursor) cursor = cursor.nextSibling;
      else this.block.insertBefore(el, cursor);
    }
  }

  /** Makes every row anew (another way to show times, another search). */
  remake(which: (line: ViewLine) => boolean = () => true): void {
    for (const row of this.list) {
      if (!row.line || !which(row.line)) continue;
      const el = this.make.line(row.line);
      row.el.replaceWith(el);
      row.el = el;
    }
  }
}
