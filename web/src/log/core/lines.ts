/**
 * Lines by the number of their first record, parsed when they are asked for and kept for a while. A
 * line that goes on is fed what is new of it; the object of one that did not change is the same.
 */
import type { Line } from "../model";
import { findRawMarker } from "./groups";
import type { Layout, Needs } from "./layout";
import { makeLine, type Parsed, parsedOf, type Place } from "./line";
import { pageOf } from "./page";
import { LineParser, SHOWN_MAX } from "./parser";
import type { Store } from "./store";

const KEPT_MAX = 2000;
/** What an expanded line shows. */
export const EXPANDED_MAX = 1 << 20;
const EXPANDED_LINES_MAX = 16;

interface Entry {
  /** While parts may follow. */
  parser: LineParser | undefined;
  mayMark: boolean;
  lastSeq: number;
  /** Last number it may have. */
  limit: number;
  parsed: Parsed;
  line: Line | undefined;
}

/** What the line's surroundings say of it. */
export interface Surroundings {
  depth: number;
  isGroupOpen: boolean;
}

export class Lines {
  private readonly kept = new Map<number, Entry>();
  private readonly expanded = new Set<number>();

  constructor(
    private readonly store: Store,
    private readonly layout: Layout,
  ) {}

  expand(seq: number, on: boolean): void {
    if (on) this.expanded.add(seq);
    else this.expanded.delete(seq);
    for (const oldest of this.expanded) {
      if (this.expanded.size <= EXPANDED_LINES_MAX) break;
      this.expanded.delete(oldest);
      this.kept.delete(oldest);
    }
    this.kept.delete(seq);
  }

  /** The line that begins with this record; undefined: a page is missing. */
  get(start: number, around: Surroundings, needs: Needs): Line | undefined {
    const entry = this.kept.get(start) ?? this.begin(start, needs);
    if (!entry || !this.advance(entry, needs)) return undefined;
    this.kept.delete(start);
    this.kept.set(start, entry);
    this.trim();
    const open = entry.parser !== undefined;
    const line = entry.line;
    const isSame =
      line &&
      line.open === open &&
      line.depth === around.depth &&
      (line.group?.kind !== "start" || line.group.open === around.isGroupOpen);
    if (isSame) return line;
    return (entry.line = makeLine(entry.parsed, this.place(start, entry, open, around)));
  }

  private place(start: number, entry: Entry, open: boolean, around: Surroundings): Place {
    const page = this.store.peek(pageOf(start));
    const before = entry.line;
    return {
      seq: start,
      lastSeq: entry.lastSeq,
      time: page?.has(start) ? page.time(start) : (before?.time ?? 0),
      stream: page?.has(start) ? page.stream(start) : (before?.stream ?? "o"),
      open,
      ...around,
    };
  }

  private begin(start: number, needs: Needs): Entry | undefined {
    const limit = this.layout.limit(start, needs);
    const page = this.store.page(pageOf(start));
    if (limit === undefined || !page?.has(start)) return undefined;
    const text = page.text(start);
    const parser = new LineParser(this.expanded.has(start) ? EXPANDED_MAX : SHOWN_MAX);
    parser.feed(text);
    const mayMark = findRawMarker(text) !== undefined;
    const isWhole = !page.isPart(start);
    return {
      parser: isWhole ? undefined : parser,
      mayMark,
      lastSeq: start,
      limit,
      parsed: parsedOf(parser, mayMark),
      line: undefined,
    };
  }

  /** Feeds an open line the parts that have come. False: a page is missing. */
  private advance(entry: Entry, needs: Needs): boolean {
    if (!entry.parser) return true;
    const { parser } = entry;
    const before = entry.lastSeq;
    let isDone = false;
    while (!isDone) {
      const next = this.layout.next(entry.lastSeq, entry.limit, needs);
      if (next === undefined) return false;
      if (next === -1) break;
      const page = next > 0 ? this.store.page(pageOf(next)) : undefined;
      if (page) {
        parser.feed(page.text(next));
        entry.lastSeq = next;
      }
      isDone = !page || !page.isPart(next);
    }
    if (isDone) entry.parser = undefined;
    if (entry.lastSeq !== before || isDone) {
      entry.parsed = parsedOf(parser, entry.mayMark);
      entry.line = undefined;
    }
    return true;
  }

  private trim(): void {
    if (this.kept.size <= KEPT_MAX) return;
    const [oldest] = this.kept.keys();
    if (oldest !== undefined) this.kept.delete(oldest);
  }
}
