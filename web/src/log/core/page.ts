/** Up to 1,000 records of a log by sequence number, in columns; not all of them need be there. */
import type { StreamCode } from "../model";
import { findRawMarker, type Marker } from "./groups";

export const PAGE_SIZE = 1000;

/** A record as the server sends it: time, stream, text, and 1 when the line goes on in the next one. */
export type RawRecord = readonly [number, StreamCode, string, 1?];

export interface MarkerAt {
  seq: number;
  marker: Marker;
}

const STREAMS: readonly StreamCode[] = ["o", "e", "s"];
const PART = 4;
const PRESENT = 8;
const REMOVED = 16;
const NONE = -1;
/** A page with more of them is a listing or a hostile log; the rest of them are plain lines. */
const MARKERS_MAX = 200;

export const pageOf = (seq: number): number => Math.floor((seq - 1) / PAGE_SIZE);
export const firstOfPage = (index: number): number => index * PAGE_SIZE + 1;

export class Page {
  readonly first: number;
  private readonly texts: string[] = new Array<string>(PAGE_SIZE).fill("");
  private readonly times = new Float64Array(PAGE_SIZE);
  private readonly flags = new Uint8Array(PAGE_SIZE);
  /** Place of the record before of the same stream. */
  private readonly previous = new Int16Array(PAGE_SIZE).fill(NONE);
  private readonly lastOf = [NONE, NONE, NONE];
  private linkedTo = 0;
  private known = 0;
  private marked: readonly MarkerAt[] = [];
  private markedAt = -1;
  /** Code units of its texts. */
  chars = 0;

  constructor(readonly index: number) {
    this.first = firstOfPage(index);
  }

  get last(): number {
    return this.first + PAGE_SIZE - 1;
  }

  /** Nothing of it is missing. */
  get isWhole(): boolean {
    return this.known === PAGE_SIZE;
  }

  /** False when it was there already. */
  set(seq: number, [time, stream, text, part]: RawRecord): boolean {
    const i = seq - this.first;
    if ((this.flags[i] ?? 0) & (PRESENT | REMOVED)) return false;
    this.flags[i] = Math.max(0, STREAMS.indexOf(stream)) | (part === 1 ? PART : 0) | PRESENT;
    this.texts[i] = text;
    this.times[i] = time;
    this.chars += text.length;
    this.known++;
    if (i < this.linkedTo) this.linkedTo = 0;
    return true;
  }

  /** Retention took it. */
  remove(seq: number): void {
    const i = seq - this.first;
    if ((this.flags[i] ?? 0) & (PRESENT | REMOVED)) return;
    this.flags[i] = REMOVED;
    this.known++;
  }

  has(seq: number): boolean {
    return ((this.flags[seq - this.first] ?? 0) & PRESENT) !== 0;
  }
  isKnown(seq: number): boolean {
    return ((this.flags[seq - this.first] ?? 0) & (PRESENT | REMOVED)) !== 0;
  }
  isPart(seq: number): boolean {
    return ((this.flags[seq - this.first] ?? 0) & PART) !== 0;
  }
  stream(seq: number): StreamCode {
    return STREAMS[(this.flags[seq - this.first] ?? 0) & 3] ?? "o";
  }
  text(seq: number): string {
    return this.texts[seq - this.first] ?? "";
  }
  time(seq: number): number {
    return this.times[seq - this.first] ?? 0;
  }

  /** The record before of the same stream on this page; 0: none. */
  previousOf(seq: number): number {
    this.link();
    const i = this.previous[seq - this.first] ?? NONE;
    return i === NONE ? 0 : this.first + i;
  }

  /** The last record of a stream; 0: none. */
  lastOfStream(stream: StreamCode): number {
    this.link();
    const i = this.lastOf[STREAMS.indexOf(stream)] ?? NONE;
    return i === NONE ? 0 : this.first + i;
  }

  /** First number in [from, to] that is neither here nor removed; 0: none. */
  firstMissing(from: number, to: number): number {
    if (this.isWhole) return 0;
    for (let seq = Math.max(from, this.first); seq <= Math.min(to, this.last); seq++) {
      if (!this.isKnown(seq)) return seq;
    }
    return 0;
  }

  lastMissing(from: number, to: number): number {
    if (this.isWhole) return 0;
    for (let seq = Math.min(to, this.last); seq >= Math.max(from, this.first); seq--) {
      if (!this.isKnown(seq)) return seq;
    }
    return 0;
  }

  /** Where lines that begin on this page begin or end groups. */
  markers(): readonly MarkerAt[] {
    if (this.markedAt === this.known) return this.marked;
    this.markedAt = this.known;
    const found: MarkerAt[] = [];
    for (let seq = this.first; seq <= this.last; seq++) {
      if (!this.has(seq)) continue;
      const marker = findRawMarker(this.text(seq));
      if (!marker) continue;
      const previous = this.previousOf(seq);
      if (previous === 0 || !this.isPart(previous)) found.push({ seq, marker });
      if (found.length >= MARKERS_MAX) break;
    }
    this.marked = found;
    return found;
  }

  private link(): void {
    if (this.linkedTo === 0) this.lastOf.fill(NONE);
    for (; this.linkedTo < PAGE_SIZE; this.linkedTo++) {
      const flags = this.flags[this.linkedTo] ?? 0;
      // What is missing may come later: what is behind it is looked at again then.
      if (!(flags & PRESENT)) {
        if (this.isEmptyFrom(this.linkedTo)) return;
        continue;
      }
      const stream = flags & 3;
      this.previous[this.linkedTo] = this.lastOf[stream] ?? NONE;
      this.lastOf[stream] = this.linkedTo;
    }
  }

  private isEmptyFrom(i: number): boolean {
    for (; i < PAGE_SIZE; i++) if ((this.flags[i] ?? 0) & PRESENT) return false;
    return true;
  }
}
