/**
 * Which records are one line. A record that is a part goes on in the next one of its stream, wherever
 * that stands; it is looked for on its own page and the next. What a line is must not depend on
 * which pages happen to be here, so a chain of parts is cut only where that can be told from the
 * pages around: behind a block of 4,000 records that it fills without having begun in it.
 */
import { firstOfPage, type Page, PAGE_SIZE, pageOf } from "./page";
import type { Store } from "./store";

export const JOIN_BLOCK = 4000;

const blockOf = (seq: number): number => Math.floor((seq - 1) / JOIN_BLOCK) * JOIN_BLOCK + 1;

/** Pages that an answer needs; it is undefined as long as one is missing. */
export type Needs = Set<number>;

export class Layout {
  constructor(private readonly store: Store) {}

  /** The page of a record that is here; otherwise its page is needed. */
  private pageWith(seq: number, needs: Needs): Page | undefined {
    const page = this.store.page(pageOf(seq));
    if (page?.has(seq)) return page;
    needs.add(pageOf(seq));
    return undefined;
  }

  /** The record before of the same stream; 0: none. */
  private previous(seq: number, needs: Needs): number | undefined {
    const page = this.pageWith(seq, needs);
    if (!page) return undefined;
    const stream = page.stream(seq);
    const near = page.previousOf(seq);
    const { first } = this.store.extent;
    const gap = page.firstMissing(Math.max(first, near + 1, page.first), seq);
    if (gap !== 0) return this.need(page.index, needs);
    if (near !== 0) return near;
    if (page.index === 0 || page.first <= first) return 0;
    if (this.store.missing(page.index - 1)) return this.need(page.index - 1, needs);
    return this.store.page(page.index - 1)?.lastOfStream(stream) ?? 0;
  }

  private need(index: number, needs: Needs): undefined {
    needs.add(index);
    return undefined;
  }

  /** Whether the record before is a part that this one goes on. */
  private continues(seq: number, needs: Needs): { from: number } | undefined {
    const previous = this.previous(seq, needs);
    if (previous === undefined) return undefined;
    const isPart = previous !== 0 && (this.store.peek(pageOf(previous))?.isPart(previous) ?? false);
    return { from: isPart ? previous : 0 };
  }

  /** Whether a line begins with this record. */
  isStart(seq: number, needs: Needs): boolean | undefined {
    const before = this.continues(seq, needs);
    if (!before) return undefined;
    if (before.from === 0) return true;
    if (before.from >= blockOf(seq)) return false;
    const start = this.start(seq, needs);
    return start === undefined ? undefined : start === seq;
  }

  /** The first record of the line that this one belongs to. */
  start(seq: number, needs: Needs): number | undefined {
    const block = blockOf(seq);
    let inBlock = seq;
    let at = seq;
    for (;;) {
      const before = this.continues(at, needs);
      if (!before) return undefined;
      if (before.from === 0) return at;
      at = before.from;
      if (at >= block) inBlock = at;
      else if (at < block - JOIN_BLOCK) return inBlock;
    }
  }

  /**
   * The record behind that goes on a part. 0: none will; -1: it is yet to come. limit: last number
   * that belongs to the line that begins at `start`.
   */
  next(seq: number, limit: number, needs: Needs): number | undefined {
    const page = this.pageWith(seq, needs);
    if (!page) return undefined;
    const stream = page.stream(seq);
    const end = Math.min(limit, firstOfPage(page.index + 2) - 1);
    for (let at = seq + 1; at <= end; at++) {
      if (at > this.store.extent.last) return this.store.isEnded ? 0 : -1;
      const on = this.store.peek(pageOf(at));
      if (on?.has(at)) {
        if (on.stream(at) === stream) return at;
      } else if (this.store.isMissing(at)) return this.need(pageOf(at), needs);
    }
    return 0;
  }

  /** Last number that the line which begins here may have. */
  limit(start: number, needs: Needs): number | undefined {
    const before = this.continues(start, needs);
    if (!before) return undefined;
    const end = blockOf(start) + JOIN_BLOCK - 1;
    return before.from === 0 ? end + JOIN_BLOCK : end;
  }
}

/** Pages that a look at the line around a record may touch, for a bound on requests. */
export const LOOK_BACK_PAGES = (2 * JOIN_BLOCK) / PAGE_SIZE;
