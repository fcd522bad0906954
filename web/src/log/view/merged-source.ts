/** Several logs as one: each keeps a window of its own, and what lies in all of them is merged by time. */
import type { Count, Extent, LinkState, LogEvents, Match, SearchHandle, SearchQuery, Slice, Status } from "../model";
import { mergeExtents, mergeLinks, mergeParts, seqAtTime, type Merged, type Part } from "./merge";
import type { LogHandle } from "./source";

export interface MergedChild {
  id: string;
  label: string;
}

export interface MergedOptions {
  children: readonly MergedChild[];
  open(id: string, on: Partial<LogEvents>): LogHandle;
  /** When a line was printed; null: there is none. */
  timeOf(id: string, seq: number): Promise<number | null>;
  onStatus?(id: string, status: Status): void;
  onLink?(id: string, link: LinkState): void;
}

interface Child extends MergedChild {
  handle: LogHandle;
  slice: Slice | null;
  extent: Extent;
  link: LinkState;
}

/** A slice that also says which line stands for the one that was asked for. */
export interface MergedSlice extends Slice {
  at?: number;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, n) => all + n, 0);

export class MergedSource implements LogHandle {
  private readonly children: Child[];
  private merged: Merged = { lines: [], reached: [], atStart: true, atEnd: true };
  private size = { before: 0, after: 0 };
  /** The place that was last looked up, by its rank. */
  private place: { rank: number; reached: number[] } | null = null;
  private turn = 0;
  private generation = 0;
  private frame = 0;

  constructor(private readonly options: MergedOptions, private readonly on: Partial<LogEvents>) {
    this.children = options.children.map((child) => ({
      ...child,
      handle: options.open(child.id, this.eventsOf(child.id)),
      slice: null,
      extent: { first: 1, last: 0 },
      link: { kind: "connecting" },
    }));
  }

  private eventsOf(id: string): Partial<LogEvents> {
    const change = (what: (child: Child) => void): void => {
      const child = this.children?.find((one) => one.id === id);
      if (child) what(child);
    };
    return {
      slice: (slice) => change((child) => {
        child.slice = slice;
        this.later();
      }),
      extent: (extent) => change((child) => {
        child.extent = extent;
        this.on.extent?.(mergeExtents(this.children.map((one) => one.extent)));
      }),
      link: (link) => change((child) => {
        child.link = link;
        this.on.link?.(mergeLinks(this.children.map((one) => one.link)));
        this.options.onLink?.(id, link);
        this.later();
      }),
      status: (status) => this.options.onStatus?.(id, status),
      error: (message) => change((child) => { if (this.children.length === 1) this.on.error?.(`${child.label}: ${message}`); }),
    };
  }

  private later(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.give();
    });
  }

  private partOf(child: Child): Part {
    const { slice, extent } = child;
    const gone = child.link.kind === "refused";
    return {
      execution: child.id, label: child.label, lines: slice?.lines ?? [], extent,
      atStart: gone || (slice?.atStart ?? false), atEnd: gone || (slice?.atEnd ?? false),
    };
  }

  private give(): void {
    if (this.children.some((child) => !child.slice && child.link.kind !== "refused")) return;
    this.merged = mergeParts(this.children.map((child) => this.partOf(child)));
    const pending = this.children.some((child) => child.slice?.pending === true && child.link.kind !== "refused");
    const slice: MergedSlice = {
      execution: "", lines: this.merged.lines, atStart: this.merged.atStart, atEnd: this.merged.atEnd,
      generation: ++this.generation, pending,
    };
    if (this.place) slice.at = this.place.rank;
    this.on.slice?.(slice);
  }

  want(seq: number | "end", before: number, after: number): void {
    this.size = { before, after };
    const turn = ++this.turn;
    if (seq === "end") {
      this.place = null;
      for (const child of this.children) child.handle.want("end", before, after);
      return;
    }
    const reached = this.reachedAt(seq);
    if (reached) this.wantAt(seq, reached);
    else void this.locateRank(seq).then((found) => { if (turn === this.turn) this.wantAt(sum(found), found); });
  }

  private wantAt(rank: number, reached: readonly number[]): void {
    this.place = { rank, reached: [...reached] };
    this.children.forEach((child, i) => child.handle.want(Math.max(reached[i] ?? 1, child.extent.first), this.size.before, this.size.after));
  }

  /** What each log has reached at a rank, if that is known. */
  private reachedAt(rank: number): readonly number[] | null {
    if (this.place?.rank === rank) return this.place.reached;
    const { lines, reached } = this.merged;
    const [first, last] = [lines[0], lines[lines.length - 1]];
    if (rank <= mergeExtents(this.children.map((child) => child.extent)).first) return this.children.map((child) => child.extent.first);
    if (!first || !last || rank < first.seq || rank > last.seq) return null;
    return reached[lines.findIndex((line) => line.seq >= rank)] ?? null;
  }

  /** About a rank: the log with the most lines says the time, the others are looked up by it. */
  private async locateRank(rank: number): Promise<number[]> {
    const all = mergeExtents(this.children.map((child) => child.extent));
    const share = (rank - all.first) / Math.max(1, all.last - all.first);
    const lines = (child: Child): number => child.extent.last - child.extent.first + 1;
    const longest = this.children.reduce((a, b) => (lines(b) > lines(a) ? b : a));
    const seq = Math.round(longest.extent.first + share * (longest.extent.last - longest.extent.first));
    const time = (await this.options.timeOf(longest.id, seq)) ?? 0;
    return this.locateTime(time, longest.id, seq);
  }

  private locateTime(time: number, id: string, seq: number): Promise<number[]> {
    return Promise.all(
      this.children.map((child) => (child.id === id ? seq : seqAtTime(child.extent, time, (at) => this.options.timeOf(child.id, at)))),
    );
  }

  private originOf(rank: number): { child: Child; seq: number } | null {
    const own = this.merged.lines.find((line) => line.seq === rank)?.own;
    const child = own ? this.children[own.index] : undefined;
    return own && child ? { child, seq: own.seq } : null;
  }

  setFold(startSeq: number, folded: boolean): void {
    const origin = this.originOf(startSeq);
    origin?.child.handle.setFold(origin.seq, folded);
  }

  expand(seq: number, on: boolean): void {
    const origin = this.originOf(seq);
    origin?.child.handle.expand(origin.seq, on);
  }

  foldAll(folded: boolean): void {
    for (const child of this.children) child.handle.foldAll(folded);
  }

  pause(on: boolean): void {
    for (const child of this.children) child.handle.pause(on);
  }

  visible(on: boolean): void {
    for (const child of this.children) child.handle.visible(on);
  }

  text(): Promise<string> {
    return Promise.reject(new Error("Of merged logs only lines that are in the page can be copied: select fewer"));
  }

  search(query: SearchQuery): SearchHandle {
    const handles = this.children.map((child) => child.handle.search(query));
    const counts = new Map<number, Count>();
    const step = (from: number, forward: boolean): Promise<Match | null> => this.find(handles, from, forward);
    return {
      next: (from) => step(from, true),
      previous: (from) => step(from, false),
      cancel: () => { for (const handle of handles) handle.cancel(); },
      onCount: (callback) => {
        handles.forEach((handle, i) => handle.onCount((count) => {
          counts.set(i, count);
          const all = [...counts.values()];
          const error = all.find((one) => one.error !== undefined)?.error;
          callback({
            lines: sum(all.map((one) => one.lines)), matches: sum(all.map((one) => one.matches)), searchedTo: sum(all.map((one) => one.searchedTo)),
            done: all.length === handles.length && all.every((one) => one.done), ...(error === undefined ? {} : { error }),
          });
        }));
      },
    };
  }

  /** The nearest in time of what each log finds. */
  private async find(handles: readonly SearchHandle[], from: number, forward: boolean): Promise<Match | null> {
    const all = mergeExtents(this.children.map((child) => child.extent));
    const reached = this.reachedAt(from) ?? this.children.map((child) => (from >= all.last ? child.extent.last + 1 : child.extent.first - 1));
    const found = await Promise.all(this.children.map(async (child, i) => {
      const own = this.originOf(from)?.child === child;
      const at = (reached[i] ?? 0) + (forward || own || from > all.last ? 0 : 1);
      const match = await handles[i]?.[forward ? "next" : "previous"](from < all.first ? child.extent.first - 1 : at);
      const time = match ? await this.options.timeOf(child.id, match.seq) : null;
      return match && time !== null ? { child, match, time } : null;
    }));
    const hits = found.filter((hit) => hit !== null).sort((a, b) => (forward ? a.time - b.time : b.time - a.time));
    const best = hits[0];
    if (!best) return null;
    const place = await this.locateTime(best.time, best.child.id, best.match.seq);
    this.place = { rank: sum(place), reached: place };
    return { ...best.match, seq: sum(place), lastSeq: sum(place) };
  }

  close(): void {
    cancelAnimationFrame(this.frame);
    this.turn++;
    for (const child of this.children) child.handle.close();
  }
}
