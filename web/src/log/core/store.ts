/**
 * The window: pages of a log by sequence number, whatever order they come in, at most 50,000 records
 * and a bound of text. What is dropped is fetched again when it is asked for; what was once read of
 * the groups stays known.
 */
import type { Extent, StreamCode } from "../model";
import { firstOfPage, type MarkerAt, Page, PAGE_SIZE, pageOf, type RawRecord } from "./page";

export const RECORDS_MAX = 50_000;
const PAGES_MAX = RECORDS_MAX / PAGE_SIZE;
/** Code units of all texts: lines may be 64 KiB each. */
const CHARS_MAX = 32 << 20;
/** Pages at the end that stay, so that following it never waits. */
const TAIL_PAGES = 2;
/** Group markers that are remembered of pages that were dropped. */
const MARKERS_MAX = 100_000;

export class Store {
  /** Least recently used first. */
  private readonly pages = new Map<number, Page>();
  private readonly markersOf = new Map<number, readonly MarkerAt[]>();
  private markers = 0;
  private chars = 0;
  private first = 1;
  private last = 0;
  /** Inclusive; these pages are never dropped. */
  private pinned: [number, number] = [0, -1];
  /** Changes with every record. */
  version = 0;
  /** The server said how far the log reaches. */
  isKnown = false;
  /** No record will follow. */
  isEnded = false;

  get extent(): Extent {
    return { first: this.first, last: this.last };
  }

  get pageCount(): number {
    return this.pages.size;
  }

  /** The log reaches at least to `last`. */
  grow(last: number): void {
    this.isKnown = true;
    if (last > this.last) {
      this.last = last;
      this.version++;
    }
  }

  /** Consecutive records from `first` on. Those that are here already are left alone. */
  add(first: number, records: readonly RawRecord[]): void {
    this.grow(first + records.length - 1);
    for (let i = 0; i < records.length; i++) {
      const record = records[i];
      if (record) this.put(first + i, record);
    }
    this.version++;
    this.evict();
  }

  /** Retention took these. */
  remove(from: number, to: number): void {
    this.grow(to);
    if (from <= this.first) this.first = Math.max(this.first, to + 1);
    else for (let seq = from; seq <= to; seq++) this.open(pageOf(seq)).remove(seq);
    this.version++;
    this.evict();
  }

  /** A page of the window becomes its most recent one. */
  page(index: number): Page | undefined {
    const page = this.pages.get(index);
    if (page) {
      this.pages.delete(index);
      this.pages.set(index, page);
    }
    return page;
  }

  peek(index: number): Page | undefined {
    return this.pages.get(index);
  }

  pin(firstPage: number, lastPage: number): void {
    this.pinned = [firstPage, lastPage];
  }

  /** Neither came nor was removed. */
  isMissing(seq: number): boolean {
    if (seq < this.first || seq > this.last) return false;
    return !this.pages.get(pageOf(seq))?.isKnown(seq);
  }

  /** [from, to] of what is missing of a page, the log's ends considered. */
  missing(index: number): [number, number] | undefined {
    const from = Math.max(this.first, firstOfPage(index));
    const to = Math.min(this.last, firstOfPage(index + 1) - 1);
    if (from > to) return undefined;
    const page = this.pages.get(index);
    if (!page) return [from, to];
    const first = page.firstMissing(from, to);
    return first === 0 ? undefined : [first, page.lastMissing(from, to)];
  }

  /** Markers of a page that is or was known as far as it goes; undefined: not known. */
  markersOn(index: number): readonly MarkerAt[] | undefined {
    const page = this.pages.get(index);
    if (page && this.missing(index) === undefined) {
      const found = page.isWhole ? this.markersOf.get(index) : undefined;
      return found ?? this.readMarkers(page);
    }
    return this.markersOf.get(index);
  }

  stream(seq: number): StreamCode {
    return this.pages.get(pageOf(seq))?.stream(seq) ?? "o";
  }

  private put(seq: number, record: RawRecord): void {
    const page = this.open(pageOf(seq));
    const before = page.chars;
    page.set(seq, record);
    this.chars += page.chars - before;
  }

  private open(index: number): Page {
    let page = this.pages.get(index);
    if (!page) {
      page = new Page(index);
      this.pages.set(index, page);
    }
    return page;
  }

  private readMarkers(page: Page): readonly MarkerAt[] {
    const found = page.markers();
    if (page.isWhole && this.markers + found.length <= MARKERS_MAX) {
      this.markers += found.length;
      this.markersOf.set(page.index, found);
    }
    return found;
  }

  private isPinned(index: number): boolean {
    const tail = pageOf(Math.max(1, this.last)) - TAIL_PAGES;
    return index > tail || (index >= this.pinned[0] && index <= this.pinned[1]);
  }

  private evict(): void {
    if (this.pages.size <= PAGES_MAX && this.chars <= CHARS_MAX) return;
    for (const [index, page] of this.pages) {
      if (this.pages.size <= PAGES_MAX && this.chars <= CHARS_MAX) return;
      if (this.isPinned(index)) continue;
      if (page.isWhole) this.markersOn(index);
      this.chars -= page.chars;
      this.pages.delete(index);
    }
  }
}
