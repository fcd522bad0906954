/** One open log view: joins the client, the list, search, selection and the settings. */
import { batch, effect, signal } from "@preact/signals";
import { timestamps, wrap } from "../../app/settings";
import type { LogHandle } from "./source";
import type { Extent, LinkState, LogEvents, Slice, Status } from "../model";
import { VirtualList, type ListParts } from "./list";
import { clickedRange, type LineRange } from "./permalink";
import { makeGapRow, makeRow, markRow, type RowOptions, type ViewLine } from "./row";
import type { InSight } from "./scroll-math";
import { SearchControl } from "./search-control";
import { LogSelection } from "./selection";
import { textOf } from "./segments";
import { nextStamps, STAMP_WIDTH } from "./time";

export interface ControllerOptions {
  makeSource(anchor: "end" | number, on: Partial<LogEvents>): LogHandle;
  anchor: LineRange | null;
  /** The address is to name this range, or this search. */
  onRange(range: LineRange | null): void;
  onQuery(query: { text: string; regex: boolean; ignoreCase: boolean }): void;
  onStatus?(status: Status): void;
  onError?(message: string): void;
}

const SUMMARY_MS = 15_000;

export class LogController {
  readonly link = signal<LinkState>({ kind: "connecting" });
  readonly extent = signal<Extent>({ first: 1, last: 0 });
  readonly sight = signal<InSight>({ top: 1, bottom: 1, atStart: true, atEnd: true });
  readonly following = signal(true);
  readonly paused = signal(false);
  readonly json = signal(false);
  readonly hasJson = signal(false);
  readonly hasGroups = signal(false);
  readonly allFolded = signal(false);
  readonly range = signal<LineRange | null>(null);
  readonly loaded = signal(false);
  readonly empty = signal(false);
  readonly failure = signal("");
  /** Lines that came since the reader went up. */
  readonly fresh = signal(0);
  /** For screen readers: how many lines came, now and then. */
  readonly summary = signal("");
  readonly search: SearchControl;
  readonly source: LogHandle;
  private list: VirtualList | null = null;
  private parts: ListParts | null = null;
  selection: LogSelection | null = null;
  private gaps: Extent[] = [];
  private slice: Slice | null = null;
  private seen = 0;
  private summed = -1;
  private summaryTimer: ReturnType<typeof setTimeout> | undefined;
  private origin: number | null = null;
  private start = 0;
  private readonly opposite = new Set<number>();
  private readonly expanded = new Set<number>();
  private readonly stops: (() => void)[] = [];

  constructor(private readonly options: ControllerOptions) {
    const range = options.anchor;
    this.range.value = range;
    this.origin = range?.from ?? null;
    this.following.value = range === null;
    this.search = new SearchControl({
      source: () => this.source,
      sight: () => this.sightForSearch(),
      lastSeq: () => this.extent.peek().last,
      show: (match) => this.goTo(match.seq, "near"),
      remember: (query) => options.onQuery(query),
      changed: () => this.repaint(),
    });
    this.source = options.makeSource(range ? range.from : "end", this.events());
  }

  private events(): LogEvents {
    return {
      slice: (slice) => this.takeSlice(slice),
      extent: (extent) => this.takeExtent(extent),
      link: (link) => { this.link.value = link; },
      status: (status) => this.options.onStatus?.(status),
      gap: (from, to) => {
        this.gaps = [...this.gaps.filter((gap) => gap.first !== from), { first: from, last: to }];
        if (this.slice) this.takeSlice(this.slice);
      },
      error: (message) => {
        this.failure.value = message;
        this.options.onError?.(message);
      },
    };
  }

  /** The view is in the page. */
  attach(parts: ListParts): void {
    this.parts = parts;
    // The browser's own vertical bar stands for pixels: it is put out of the frame.
    const bar = parts.scroller.offsetWidth - parts.scroller.clientWidth;
    if (bar > 0) parts.scroller.style.width = `calc(100% + ${bar}px)`;
    this.selection = new LogSelection(parts.block);
    const make = { line: (line: ViewLine) => makeRow(line, this.rowOptions()), gap: makeGapRow };
    this.list = new VirtualList(parts, make, {
      want: (seq, before, after) => this.source.want(seq, before, after),
      sight: (sight) => this.takeSight(sight),
      left: () => this.leave(),
      reached: () => this.follow(true),
      folded: (seq) => this.source.setFold(seq, false),
      changed: () => this.selection?.restore(),
    });
    const range = this.range.peek();
    if (range) this.list.jump(range.from, "near");
    else this.list.follow(true);
    this.stops.push(effect(() => {
      parts.block.classList.toggle("wrapped", wrap.value === "on");
      this.list?.keepPlace(() => undefined);
    }));
    this.stops.push(effect(() => {
      parts.block.style.setProperty("--stamp", `${STAMP_WIDTH[timestamps.value]}ch`);
      this.repaint();
    }));
    const seen = (): void => this.source.visible(!document.hidden);
    document.addEventListener("visibilitychange", seen);
    this.stops.push(() => document.removeEventListener("visibilitychange", seen));
    if (document.hidden) seen();
  }

  close(): void {
    for (const stop of this.stops.splice(0)) stop();
    clearTimeout(this.summaryTimer);
    this.search.close();
    this.list?.close();
    this.source.close();
  }

  setStart(time: number): void {
    if (time === this.start) return;
    this.start = time;
    if (timestamps.peek() === "relative") this.repaint();
  }

  private rowOptions(): RowOptions {
    return {
      stamps: timestamps.peek(), start: this.start, range: this.range.peek(), json: this.json.peek(), opposite: this.opposite,
      expanded: this.expanded, matcher: this.search.matcher.peek(), current: this.search.current.peek(),
    };
  }

  private takeSlice(slice: Slice): void {
    this.slice = slice;
    const first = slice.lines[0];
    if (this.start === 0 && first && slice.atStart) this.start = first.time;
    batch(() => {
      if (slice.lines.length > 0) this.loaded.value = true;
      this.empty.value = slice.lines.length === 0 && slice.atStart && slice.atEnd && !slice.pending;
      this.takeGroups(slice.lines);
      if (slice.lines.some((line) => line.isJson)) this.hasJson.value = true;
      this.list?.apply(slice, this.gaps, this.extent.peek());
    });
  }

  private takeGroups(all: Slice["lines"]): void {
    const starts = all.filter((line) => line.group?.kind === "start");
    if (starts.length === 0) return;
    this.hasGroups.value = true;
    this.allFolded.value = starts.every((line) => line.group?.open === false);
  }

  private takeExtent(extent: Extent): void {
    if (this.seen === 0) this.seen = extent.last;
    this.extent.value = extent;
    const digits = Math.max(3, String(extent.last).length);
    this.parts?.block.style.setProperty("--num", `${digits}ch`);
    this.list?.setExtent(extent);
    this.countFresh();
    this.sumUp();
  }

  private sightForSearch(): InSight {
    const sight = this.sight.peek();
    const aim = this.list?.aim ?? null;
    return aim === null ? sight : { ...sight, top: aim, bottom: aim };
  }

  private takeSight(sight: InSight): void {
    const old = this.sight.peek();
    if (old.top !== sight.top || old.bottom !== sight.bottom || old.atStart !== sight.atStart || old.atEnd !== sight.atEnd) this.sight.value = sight;
    this.countFresh();
  }

  private countFresh(): void {
    const { last } = this.extent.peek();
    if (this.following.peek() || this.sight.peek().bottom >= last) this.seen = last;
    this.fresh.value = Math.max(0, last - this.seen);
  }

  /** At most one sentence each quarter of a minute, and only while lines come. */
  private sumUp(): void {
    if (this.summed < 0) this.summed = this.extent.peek().last;
    if (this.summaryTimer !== undefined || document.hidden) return;
    this.summaryTimer = setTimeout(() => {
      this.summaryTimer = undefined;
      const { last } = this.extent.peek();
      const more = last - this.summed;
      this.summed = last;
      if (more > 0) this.summary.value = `${more.toLocaleString("en-US")} new ${more === 1 ? "line" : "lines"}, ${last.toLocaleString("en-US")} in all`;
    }, SUMMARY_MS);
  }

  private leave(): void {
    this.seen = this.extent.peek().last;
    this.following.value = false;
  }

  follow(on: boolean): void {
    if (!on) this.leave();
    this.following.value = on;
    this.list?.follow(on);
    this.countFresh();
  }

  /** Of the extent: "end" follows. */
  goTo(seq: number | "end", align: "top" | "centre" | "near" = "top"): void {
    if (seq === "end") {
      this.follow(true);
      return;
    }
    const { first, last } = this.extent.peek();
    if (this.following.peek()) this.leave();
    this.list?.jump(Math.min(Math.max(seq, first), Math.max(first, last)), align);
  }

  pause(on: boolean): void {
    this.paused.value = on;
    this.source.pause(on);
  }

  fold(seq: number, folded: boolean): void {
    this.source.setFold(seq, folded);
  }

  foldAll(on: boolean): void {
    this.source.foldAll(on);
  }

  setJson(on: boolean): void {
    this.json.value = on;
    this.opposite.clear();
    this.repaint((line) => line.isJson);
  }

  toggleJson(seq: number): void {
    if (!this.opposite.delete(seq)) this.opposite.add(seq);
    this.repaint((line) => line.seq === seq);
  }

  toggleWhole(seq: number): void {
    const on = !this.expanded.delete(seq);
    if (on) this.expanded.add(seq);
    this.source.expand(seq, on);
  }

  cycleStamps(): void {
    timestamps.value = nextStamps(timestamps.peek());
  }

  /** From the address; null: none. */
  setRange(range: LineRange | null): void {
    const old = this.range.peek();
    if (old?.from === range?.from && old?.to === range?.to) return;
    this.mark(range);
    if (range) this.goTo(range.from, "near");
  }

  clickNumber(seq: number, lastSeq: number, shift: boolean): void {
    const range = clickedRange(this.origin, seq, lastSeq, shift);
    if (!shift) this.origin = seq;
    this.mark(range, this.origin);
    this.options.onRange(range);
  }

  clearRange(): void {
    this.mark(null);
    this.options.onRange(null);
  }

  private mark(range: LineRange | null, origin = range?.from ?? null): void {
    this.range.value = range;
    this.origin = origin;
    for (const row of this.list?.rows.list ?? []) if (row.line) markRow(row.el, row.line, this.rowOptions());
  }

  scrollPages(pages: number): void {
    this.list?.scrollPages(pages);
  }

  hold(on: boolean): void {
    if (this.list) this.list.holding = on;
  }

  private repaint(which: (line: ViewLine) => boolean = () => true): void {
    this.list?.keepPlace(() => this.list?.rows.remake(which));
  }

  /** The text of lines that are in the page, in whole; null when some are not. */
  textHere(range: LineRange): string | null {
    const rows = (this.list?.rows.list ?? []).filter((row) => row.line && row.first <= range.to && row.last >= range.from);
    const whole = rows[0] && rows[0].first <= range.from && (rows[rows.length - 1]?.last ?? 0) >= range.to;
    const folded = rows.some((row) => row.line?.group?.open === false || (row.line?.rest ?? 0) > 0);
    if (!whole || folded) return null;
    return rows.map((row) => textOf(row.line?.runs ?? [])).join("\n");
  }
}
