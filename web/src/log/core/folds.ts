/**
 * Groups of lines and which of them are folded. A group is known when its start was read and every
 * page from there on; where it ends is asked of the server's search when its end is far away.
 *
 * Open without being asked: `+++`, a group with `^^^ +++` in it, the last one of the log, one that
 * began or ended while it was watched, and one whose lines were shown before its start was known.
 */
import { firstOfPage, type MarkerAt, pageOf } from "./page";
import type { Store } from "./store";

/** What a line stands in: behind the marker at `seq` (0: none is known). */
export interface Segment {
  seq: number;
  isGroup: boolean;
}

export const NO_SEGMENT: Segment = { seq: 0, isGroup: false };
/** Groups that somebody folded or opened, or that began while they were watched. */
const REMEMBERED_MAX = 10_000;

/** Where a group ends as the search found it: the next marker, or none up to a number. */
interface End {
  marker: MarkerAt | undefined;
  searchedTo: number;
}

export class Folds {
  /** By number of the start: true = folded. */
  private readonly chosen = new Map<number, boolean>();
  private readonly ends = new Map<number, End>();
  private all: boolean | undefined;
  /** Groups whose ends are to be searched for. */
  readonly wanted = new Set<number>();

  constructor(private readonly store: Store) {}

  set(start: number, folded: boolean): void {
    this.chosen.set(start, folded);
    bound(this.chosen);
  }

  setAll(folded: boolean): void {
    this.all = folded;
    this.chosen.clear();
  }

  /** Somebody reads it: open, unless it was folded by hand. */
  reveal(start: number): void {
    if (!this.chosen.has(start)) this.set(start, false);
  }

  /** The group at the end of the log, when it is open. */
  keepLast(): void {
    const last = this.segment(this.store.extent.last);
    if (last.isGroup && !this.isFolded(last.seq)) this.reveal(last.seq);
  }

  found(start: number, marker: MarkerAt | undefined, searchedTo: number): void {
    this.wanted.delete(start);
    this.ends.set(start, { marker, searchedTo });
    bound(this.ends);
  }

  /** Its end cannot be found: it is shown. */
  failed(start: number): void {
    this.wanted.delete(start);
    this.reveal(start);
  }

  /** The segment that a line stands in; the one of a marker is its own. */
  segment(seq: number): Segment {
    for (let index = pageOf(seq); index >= 0; index--) {
      const markers = this.store.markersOn(index);
      // A page that is not whole tells what it has: at the log's end that is all there is.
      if (!markers) return this.searchedSegment(seq);
      for (let i = markers.length - 1; i >= 0; i--) {
        const at = markers[i];
        if (at && at.seq <= seq && at.marker.kind !== "open") {
          return { seq: at.seq, isGroup: at.marker.kind === "start" };
        }
      }
    }
    return NO_SEGMENT;
  }

  /** Behind pages that are not known: a group whose end was searched for reaches as far. */
  private searchedSegment(seq: number): Segment {
    for (const [start, end] of this.ends) {
      const to = end.marker ? end.marker.seq - 1 : end.searchedTo;
      if (start <= seq && seq <= to) return { seq: start, isGroup: true };
    }
    return NO_SEGMENT;
  }

  isFolded(start: number): boolean {
    const chosen = this.chosen.get(start);
    if (chosen !== undefined) return chosen;
    if (this.all !== undefined) return this.all;
    const marker = this.markerAt(start);
    if (marker?.marker.kind !== "start" || marker.marker.isOpen) return false;
    const next = this.next(start, (at) => at.marker.kind === "open" || at.seq > start);
    if (next === "none") return false;
    return next === "unknown" || next.marker.kind !== "open";
  }

  /**
   * First number behind a group's hidden lines: its `end` is one of them, the next group's start is
   * not. "none": the group goes on to the end of the log; "unknown": its end is being searched for.
   */
  behind(start: number): number | "none" | "unknown" {
    const next = this.next(start, (at) => at.marker.kind !== "open");
    if (next === "none" || next === "unknown") {
      if (next === "unknown") this.wanted.add(start);
      return next;
    }
    return next.marker.kind === "end" ? next.seq + 1 : next.seq;
  }

  private markerAt(seq: number): MarkerAt | undefined {
    return this.store.markersOn(pageOf(seq))?.find((at) => at.seq === seq);
  }

  /** The nearest marker behind `start` that is meant. */
  private next(start: number, isMeant: (at: MarkerAt) => boolean): MarkerAt | "none" | "unknown" {
    const end = this.ends.get(start);
    const last = pageOf(Math.max(1, this.store.extent.last));
    for (let index = pageOf(start); index <= last; index++) {
      const markers = this.store.markersOn(index);
      const hit = markers?.find((at) => at.seq > start && isMeant(at));
      if (hit) return hit;
      if (markers) continue;
      if (end?.marker && pageOf(end.marker.seq) <= index) return isMeant(end.marker) ? end.marker : "unknown";
      if (!end || (!end.marker && end.searchedTo < firstOfPage(index + 1) - 1)) return "unknown";
    }
    return "none";
  }
}

function bound(map: Map<number, unknown>): void {
  if (map.size <= REMEMBERED_MAX) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
