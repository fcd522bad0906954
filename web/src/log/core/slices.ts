/** The lines around an anchor: what was wanted of them, as far as it is here. */
import type { Line } from "../model";
import type { Folds, Segment } from "./folds";
import type { Layout, Needs } from "./layout";
import type { Lines } from "./lines";
import { pageOf } from "./page";
import type { Store } from "./store";

export interface Wanted {
  seq: number | "end";
  before: number;
  after: number;
}

export interface Built {
  lines: Line[];
  atStart: boolean;
  atEnd: boolean;
  /** Pages that are missing of it. */
  needs: Needs;
  /** First and last page that was looked at. */
  touched: [number, number];
}

/** Records that are looked at for one slice: lines of many parts and hidden ones count here too. */
const LOOKED_AT_MAX = 50_000;

export class SliceBuilder {
  private needs: Needs = new Set();
  private looked = 0;

  constructor(
    private readonly store: Store,
    private readonly layout: Layout,
    private readonly lines: Lines,
    private readonly folds: Folds,
  ) {}

  /**
   * Undefined lines: not even the anchor is here yet. isShown: the anchor's line is shown already, and
   * what somebody reads does not fold when its group's start comes to be known.
   */
  build(wanted: Wanted, isShown: boolean): Built | { lines: undefined; needs: Needs } {
    this.needs = new Set();
    this.looked = 0;
    this.folds.wanted.clear();
    const { first, last } = this.store.extent;
    if (!this.store.isKnown) return { lines: undefined, needs: this.needs };
    if (last < first) return { lines: [], atStart: true, atEnd: true, needs: this.needs, touched: [0, 0] };
    const isEnd = wanted.seq === "end";
    const from = wanted.seq === "end" ? last : this.anchor(Math.min(Math.max(wanted.seq, first), last), isShown);
    if (from === undefined) return { lines: undefined, needs: this.needs };
    const below = isEnd ? { lines: [], isAtEdge: true } : this.walk(from, 1, wanted.after);
    const above = this.walk(isEnd ? from : from - 1, -1, wanted.before + (isEnd ? wanted.after : 0));
    const lines = above.lines.reverse().concat(below.lines);
    const top = lines[0]?.seq ?? from;
    const bottom = lines[lines.length - 1]?.lastSeq ?? from;
    return {
      lines,
      atStart: above.isAtEdge,
      atEnd: below.isAtEdge,
      needs: this.needs,
      touched: [pageOf(top), pageOf(Math.max(bottom, top))],
    };
  }

  /** The number to begin at: a line's start, or that of the folded group it stands in. */
  private anchor(seq: number, isShown: boolean): number | undefined {
    const { last } = this.store.extent;
    while (seq < last && !this.store.isMissing(seq) && !this.store.page(pageOf(seq))?.has(seq)) seq++;
    const start = this.store.page(pageOf(seq))?.has(seq) ? this.layout.start(seq, this.needs) : undefined;
    if (start === undefined) {
      this.needs.add(pageOf(seq));
      return undefined;
    }
    const segment = this.folds.segment(start);
    if (!segment.isGroup || segment.seq === start) return start;
    if (isShown) this.folds.reveal(segment.seq);
    return this.folds.isFolded(segment.seq) ? segment.seq : start;
  }

  private walk(from: number, step: 1 | -1, count: number): { lines: Line[]; isAtEdge: boolean } {
    const lines: Line[] = [];
    const { first, last } = this.store.extent;
    let segment: Segment | undefined;
    let seq = from;
    while (lines.length < count && seq >= first && seq <= last) {
      if (++this.looked > LOOKED_AT_MAX) return { lines, isAtEdge: false };
      if (!segment || seq < segment.seq || step === 1) segment = this.segmentAt(seq, step, segment);
      const hidden = this.skip(seq, step, segment);
      if (hidden !== undefined) {
        if (hidden === seq) return { lines, isAtEdge: hidden > last };
        seq = hidden;
        segment = undefined;
        continue;
      }
      const line = this.lineAt(seq, segment);
      if (line === undefined) return { lines, isAtEdge: false };
      if (line) lines.push(line);
      seq += step;
    }
    return { lines, isAtEdge: seq < first || seq > last };
  }

  /** Forward a segment changes only at a marker; backward where it begins. */
  private segmentAt(seq: number, step: 1 | -1, before: Segment | undefined): Segment {
    if (step === 1 && before && !this.isMarker(seq)) return before;
    return this.folds.segment(seq);
  }

  private isMarker(seq: number): boolean {
    const markers = this.store.markersOn(pageOf(seq));
    return markers?.some((at) => at.seq === seq) ?? false;
  }

  /** Where to go on when this number is hidden in a folded group; itself: it is not known where. */
  private skip(seq: number, step: 1 | -1, segment: Segment): number | undefined {
    if (this.isFoldedEnd(seq, segment)) return seq + step;
    if (!segment.isGroup || segment.seq === seq || !this.folds.isFolded(segment.seq)) return undefined;
    if (step === -1) return segment.seq;
    const behind = this.folds.behind(segment.seq);
    if (behind === "none") return this.store.extent.last + 1;
    return behind === "unknown" ? seq : behind;
  }

  /** The end of a folded group is hidden with it. */
  private isFoldedEnd(seq: number, segment: Segment): boolean {
    if (segment.isGroup || segment.seq !== seq || seq <= 1) return false;
    const group = this.folds.segment(seq - 1);
    return group.isGroup && this.folds.isFolded(group.seq);
  }

  /** null: no line begins here; undefined: a page is missing. */
  private lineAt(seq: number, segment: Segment): Line | null | undefined {
    if (this.store.isMissing(seq)) {
      this.needs.add(pageOf(seq));
      return undefined;
    }
    if (!this.store.page(pageOf(seq))?.has(seq)) return null;
    const isStart = this.layout.isStart(seq, this.needs);
    if (!isStart) return isStart === undefined ? undefined : null;
    const isOwn = segment.seq === seq;
    return this.lines.get(
      seq,
      {
        depth: segment.isGroup && !isOwn ? 1 : 0,
        isGroupOpen: segment.isGroup && isOwn && !this.folds.isFolded(seq),
      },
      this.needs,
    );
  }
}

