/**
 * A list of any number of lines in a scroller of the browser's own, of which only those around the eye exist.
 *
 *     scroller ─ sizer (as high as it takes to scroll on) ─ block (the rows, somewhere on it)
 *
 * The block stands at `top` on the sizer. Rows that come or go above the eye move the block, never the scroller's
 * position, so that a fling, a smooth wheel or a dragged selection goes on undisturbed and nothing jumps however
 * high those rows are. Where the log begins the block moves to 0, where it ends the sizer ends with it, and in
 * between there is room to scroll both ways; the scroll bar beside it counts sequence numbers, not pixels.
 */
import type { Extent, Slice } from "../model";
import { itemsOf, Rows, type Row, type RowFactory } from "./rows";
import { seqBeyond, type InSight } from "./scroll-math";

/** Far enough from both ends of what browsers can lay out (about 17 million pixels). */
const BASE = 1_000_000;
const NEAR_START = 100_000;
const FAR = 6_000_000;
/** Rows that are wanted around the first one in sight. */
const BEFORE = 120;
const AFTER = 200;
const TAIL = 120;
/** Rows by which the eye moves before others are wanted. */
const STRIDE = 25;

export interface ListEvents {
  want(seq: number | "end", before: number, after: number): void;
  sight(sight: InSight): void;
  /** The reader went up while following; went down to the end while not. */
  left(): void;
  reached(): void;
  /** The line that was gone to stands in a folded group. */
  folded(startSeq: number): void;
  /** Rows were put in, taken out or made anew. */
  changed(): void;
}

interface Goal {
  seq: number;
  align: "top" | "centre" | "near";
  /** Folds that were opened for it. */
  opened: number;
}

interface Pin {
  key: number;
  y: number;
}

export interface ListParts {
  scroller: HTMLElement;
  sizer: HTMLElement;
  block: HTMLElement;
}

const FOLDS_MAX = 16;

export class VirtualList {
  readonly rows: Rows;
  following = false;
  /** While somebody drags a selection. */
  holding = false;
  private top = 0;
  private slice: Slice | null = null;
  private extent: Extent = { first: 1, last: 0 };
  private goal: Goal | null = null;
  private pins: Pin[] = [];
  private lastY = 0;
  private wanted: number | null = null;
  private widest = 0;
  private readonly observer: ResizeObserver;
  private readonly abort = new AbortController();

  constructor(private readonly parts: ListParts, make: RowFactory, private readonly on: ListEvents) {
    this.rows = new Rows(parts.block, make);
    const options = { passive: true, signal: this.abort.signal };
    parts.scroller.addEventListener("scroll", () => this.scrolled(), options);
    parts.scroller.addEventListener("wheel", (event) => { if (event.deltaY < 0) this.leave(); }, options);
    this.watchTouch(options);
    this.observer = new ResizeObserver(() => this.resized());
    this.observer.observe(parts.scroller);
  }

  close(): void {
    this.abort.abort();
    this.observer.disconnect();
  }

  private watchTouch(options: { passive: boolean; signal: AbortSignal }): void {
    let from: number | undefined;
    const { scroller } = this.parts;
    scroller.addEventListener("touchstart", (event) => { from = event.touches[0]?.clientY; }, options);
    scroller.addEventListener("touchmove", (event) => {
      const at = event.touches[0]?.clientY;
      if (from !== undefined && at !== undefined && at > from + 4) this.leave();
    }, options);
  }

  /** Takes what the client gives. */
  apply(slice: Slice & { at?: number }, gaps: readonly Extent[], extent: Extent): void {
    if (this.goal && slice.at !== undefined) this.goal.seq = slice.at;

    this.extent = extent;
    const pins = this.visiblePins();
    if (slice.lines.length === 0 && slice.pending) return;
    this.slice = slice;
    this.rows.reconcile(itemsOf(slice, gaps), this.holding);
    this.settle(pins);
    this.on.changed();
  }

  setExtent(extent: Extent): void {
    this.extent = extent;
    this.report();
  }

  /** Goes to a line: it comes to stand at the top or in the middle as soon as it is there. */
  jump(seq: number, align: Goal["align"]): void {
    this.following = false;
    this.goal = { seq, align, opened: 0 };
    if (this.reachGoal()) {
      this.place();
      this.scrolled();
    } else {
      this.want(seq);
    }
  }

  follow(on: boolean): void {
    this.following = on;
    this.goal = null;
    if (on) {
      this.on.want("end", TAIL, 0);
      this.wanted = null;
      if (this.slice?.atEnd === true) this.toEnd();
      this.place();
    } else {
      const first = this.firstVisible();
      if (first) this.want(first.first);
    }
  }

  /** Does what changes rows' heights, and keeps in place what is read. */
  keepPlace(change: () => void): void {
    const pins = this.visiblePins();
    change();
    this.widest = 0;
    this.settle(pins);
    this.on.changed();
  }

  scrollPages(pages: number): void {
    const { scroller } = this.parts;
    if (pages < 0 && !this.report().atStart) this.leave();
    scroller.scrollTop += pages * Math.max(40, scroller.clientHeight - 2 * this.meanHeight());
  }

  /** The line that is gone to and not here yet. */
  get aim(): number | null {
    return this.goal?.seq ?? null;
  }

  private leave(): void {
    if (!this.following) return;
    this.following = false;
    this.on.left();
    const first = this.firstVisible();
    if (first) this.want(first.first);
  }

  private want(seq: number): void {
    this.wanted = seq;
    this.on.want(seq, BEFORE, AFTER);
  }

  private get view(): { from: number; height: number } {
    return { from: this.parts.scroller.scrollTop, height: this.parts.scroller.clientHeight };
  }

  private get height(): number {
    return this.parts.block.offsetHeight;
  }

  private meanHeight(): number {
    return this.rows.list.length === 0 ? 20 : Math.max(1, this.height / this.rows.list.length);
  }

  /** The index of the first row whose lower edge lies below `y` on the sizer. */
  private indexAt(y: number): number {
    const rows = this.rows.list;
    let [low, high] = [0, rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const el = rows[middle]?.el;
      if (el && this.top + el.offsetTop + el.offsetHeight > y) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  private firstVisible(): Row | undefined {
    return this.rows.list[this.indexAt(this.view.from)];
  }

  /** Where the rows in sight stand in the viewport. */
  private visiblePins(): Pin[] {
    const { from, height } = this.view;
    const pins: Pin[] = [];
    for (let i = this.indexAt(from); i < this.rows.list.length; i++) {
      const row = this.rows.list[i];
      if (!row) break;
      const y = this.top + row.el.offsetTop - from;
      if (y > height) break;
      pins.push({ key: row.key, y });
    }
    return pins;
  }

  private settle(pins: readonly Pin[]): void {
    const placed = this.goal !== null && this.reachGoal();
    if (!placed) {
      if (this.following) this.toEnd();
      else this.hold(pins);
    }
    this.place();
  }

  /** The first row that was in sight and still exists stays where it was. */
  private hold(pins: readonly Pin[]): void {
    if (this.rows.list.length === 0) return;
    const keys = new Map(this.rows.list.map((row) => [row.key, row]));
    for (const pin of pins) {
      const row = keys.get(pin.key);
      if (!row) continue;
      this.top = this.view.from + pin.y - row.el.offsetTop;
      return;
    }
    const before = pins[0]?.key;
    const near = before === undefined ? undefined : this.rows.list.find((row) => row.last >= Math.abs(before));
    if (near) this.top = this.view.from + (pins[0]?.y ?? 0) - near.el.offsetTop;
    else if (before !== undefined) this.toEnd();
  }

  private toEnd(): void {
    const { from, height } = this.view;
    this.top = from + height - this.height;
  }

  /** Whether what was gone to is here; it is put in its place then. */
  private reachGoal(): boolean {
    const { goal, slice } = this;
    const rows = this.rows.list;
    const [head, tail] = [rows[0], rows[rows.length - 1]];
    if (!goal || !slice || !head || !tail) return false;
    const row = this.rows.at(goal.seq);
    if (!row && !this.covers(slice, head.first, tail.last, goal.seq)) return false;
    if (!row && this.unfoldFor(goal)) return false;
    const target = row ?? rows.find((one) => one.first >= goal.seq) ?? tail;
    const { from, height } = this.view;
    const free = height - target.el.offsetHeight;
    const y = goal.align === "top" ? 0 : goal.align === "near" ? Math.max(0, free * 0.25) : Math.max(0, free / 2);
    this.top = from + y - target.el.offsetTop;
    this.goal = null;
    this.wanted = target.first;
    return true;
  }

  private covers(slice: Slice, first: number, last: number, seq: number): boolean {
    if (slice.pending) return false;
    return (seq >= first || slice.atStart) && (seq <= last || slice.atEnd);
  }

  private unfoldFor(goal: Goal): boolean {
    let start: Row | undefined;
    for (const row of this.rows.list) {
      if (row.first > goal.seq) break;
      if (row.line) start = row;
    }
    if (start?.line?.group?.kind !== "start" || start.line.group.open || goal.opened >= FOLDS_MAX) return false;
    goal.opened++;
    this.on.folded(start.first);
    return true;
  }

  /** Puts block, sizer and scroller where they belong; the scroller moves only where it must. */
  private place(): void {
    const { scroller, sizer, block } = this.parts;
    const { from, height } = this.view;
    const rows = this.height;
    const atStart = this.slice?.atStart ?? true;
    const atEnd = this.slice?.atEnd ?? true;
    let to = from;
    if (atStart) {
      to -= this.top;
      this.top = 0;
    } else if (this.top < NEAR_START || this.top > FAR) {
      to += BASE - this.top;
      this.top = BASE;
    }
    this.widest = Math.max(this.widest, block.offsetWidth);
    block.style.minWidth = this.widest > scroller.clientWidth ? `${this.widest}px` : "";
    block.style.top = `${this.top}px`;
    sizer.style.height = `${this.top + rows + (atEnd ? 0 : BASE)}px`;
    const most = Math.max(0, this.top + rows - height);
    const target = Math.max(0, atEnd ? Math.min(to, most) : to);
    if (Math.abs(target - from) >= 0.5 || scroller.scrollTop !== from) scroller.scrollTop = target;
    this.lastY = scroller.scrollTop;
    this.report();
  }

  private resized(): void {
    this.widest = 0;
    this.parts.block.style.minWidth = "";
    this.settle(this.pins);
  }

  private scrolled(): void {
    const { from } = this.view;
    const up = from < this.lastY - 1;
    const down = from > this.lastY + 1;
    this.lastY = from;
    if (this.following && up) this.leave();
    this.refill();
    const sight = this.report();
    if (!this.following && down && sight.atEnd) this.on.reached();
  }

  /** Wants lines before the eye reaches the edge of those that are here. */
  private refill(): void {
    const { slice } = this;
    const rows = this.rows.list;
    const [head, tail] = [rows[0], rows[rows.length - 1]];
    if (this.following || !slice || !head || !tail) return;
    const { from, height } = this.view;
    const above = from - this.top;
    const below = this.top + this.height - (from + height);
    const mean = this.meanHeight();
    if ((!slice.atStart && above < -height) || (!slice.atEnd && below < -height)) {
      const seq = above < 0 ? seqBeyond(head.first, above, mean, this.extent) : seqBeyond(tail.last, height - below, mean, this.extent);
      this.goal = { seq, align: "top", opened: FOLDS_MAX };
      if (this.wanted === null || Math.abs(this.wanted - seq) > STRIDE) this.want(seq);
      return;
    }
    if (this.goal) return;
    const edge = Math.max(800, height * 1.5);
    if ((slice.atStart || above > edge) && (slice.atEnd || below > edge)) return;
    const first = this.firstVisible();
    if (first && (this.wanted === null || Math.abs(this.rowsBetween(first.first)) > STRIDE)) this.want(first.first);
  }

  private rowsBetween(seq: number): number {
    const rows = this.rows.list;
    const index = (of: number): number => rows.findIndex((row) => row.last >= of);
    return this.wanted === null ? Infinity : index(seq) - index(this.wanted);
  }

  private seqAt(y: number): number {
    const rows = this.rows.list;
    const row = rows[Math.min(this.indexAt(y), rows.length - 1)];
    if (!row) return this.extent.first;
    const share = (y - this.top - row.el.offsetTop) / Math.max(1, row.el.offsetHeight);
    return row.first + Math.min(Math.max(share, 0), 1) * (row.last - row.first + 1);
  }

  private report(): InSight {
    const { from, height } = this.view;
    this.pins = this.visiblePins();
    const sight: InSight = {
      top: this.seqAt(from),
      bottom: this.seqAt(from + height),
      atStart: (this.slice?.atStart ?? true) && from <= this.top + 1,
      atEnd: (this.slice?.atEnd ?? true) && from + height >= this.top + this.height - 2,
    };
    this.on.sight(sight);
    return sight;
  }
}
