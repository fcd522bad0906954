/**
 * One open log: takes the page's commands, and reports slices, links and answers. Ties together the
 * connection (what comes), the store (what is here), the fetcher (what is missing) and the slices
 * (what is looked at). A slice is made at most once a frame, and only when the one before was taken.
 */
import type { Line, SearchHandle, Status } from "../model";
import { Api, messageOf } from "./api";
import { Connection } from "./connection";
import { Fetcher, type FetchedPage } from "./fetcher";
import { Folds } from "./folds";
import { GroupEnds } from "./group-ends";
import { findRawMarker } from "./groups";
import { Layout, type Needs } from "./layout";
import { Lines } from "./lines";
import type { Net } from "./net";
import type { RawRecord } from "./page";
import { Search } from "./search";
import { type Built, SliceBuilder, type Wanted } from "./slices";
import { Store } from "./store";
import { textOf } from "./text";
import { type Command, packLines, type Report } from "./wire";

const FRAME_MS = 16;
/** Pages that may be fetched for one slice: many only when a line reaches far back. */
const NEEDS_MAX = 12;

export class Session {
  readonly store = new Store();
  private readonly layout = new Layout(this.store);
  private readonly lines = new Lines(this.store, this.layout);
  private readonly folds = new Folds(this.store);
  private readonly builder = new SliceBuilder(this.store, this.layout, this.lines, this.folds);
  private readonly api: Api;
  private readonly connection: Connection;
  private readonly fetcher: Fetcher;
  private readonly searches = new Map<number, Search>();
  private wanted: Wanted | undefined;
  private sent: readonly Line[] = [];
  private sentEdges = "";
  private generation = 0;
  private isTaken = true;
  private isDirty = false;
  private isExtentDirty = false;
  private isVisible = true;
  private stopFrame: (() => void) | undefined;
  /** Numbers from here on are yet to come by the stream and are not asked for. */
  private streamFrom = Number.POSITIVE_INFINITY;
  private readonly groupEnds: GroupEnds;

  constructor(
    private readonly net: Net,
    private readonly execution: string,
    credentials: () => Promise<string>,
    private readonly post: (report: Report) => void,
  ) {
    this.api = new Api(net, credentials);
    this.groupEnds = new GroupEnds(net, this.api, execution, this.folds, () => this.dirty());
    this.fetcher = new Fetcher(net, this.api, execution, {
      fetched: (page) => this.fetched(page),
      failed: (message) => this.post({ kind: "error", message }),
    });
    this.connection = new Connection(net, this.api, execution, {
      link: (link) => {
        if (link.kind !== "live" && link.kind !== "catching-up") this.streamFrom = Number.POSITIVE_INFINITY;
        this.post({ kind: "link", link });
        this.dirty();
      },
      lines: (first, records, isLive) => this.arrived(first, records, isLive),
      extent: (last, from) => {
        this.streamFrom = from;
        this.store.grow(last);
        this.dirty();
      },
      gap: (from, to) => {
        this.store.remove(from, to);
        this.post({ kind: "gap", from, to });
        this.dirty();
      },
      status: (status: Status) => this.post({ kind: "status", status }),
      ended: (last) => {
        this.store.grow(last);
        this.store.isEnded = true;
        this.dirty();
      },
      error: (message) => this.post({ kind: "error", message }),
    });
  }

  start(): void {
    this.connection.start();
  }

  /** The network is back. */
  hurry(): void {
    this.connection.hurry();
  }

  command(command: Command): void {
    switch (command.kind) {
      case "want":
        this.wanted = { seq: command.seq, before: command.before, after: command.after };
        this.dirty();
        break;
      case "fold":
        this.folds.set(command.seq, command.folded);
        this.dirty();
        break;
      case "fold-all":
        this.folds.setAll(command.folded);
        this.dirty();
        break;
      case "expand":
        this.lines.expand(command.seq, command.on);
        this.dirty();
        break;
      case "taken":
        this.isTaken = true;
        if (this.isDirty) this.schedule();
        break;
      case "pause":
        this.connection.setPaused(command.on);
        break;
      case "visible":
        this.setVisible(command.on);
        break;
      case "close":
        this.close();
        break;
      default:
        this.ask(command);
    }
  }

  // ---- what is asked and answered ----

  private ask(command: Command): void {
    if (command.kind === "text") {
      this.answer(command.id, textOf(this.store, this.api, this.execution, command.from, command.to));
    } else if (command.kind === "search") {
      this.searches.set(command.search, new Search(this.net, this.api, this.execution, command.query));
    } else if (command.kind === "find") {
      const search: SearchHandle | undefined = this.searches.get(command.search);
      const found = search ? search[command.direction](command.from) : Promise.resolve(null);
      this.answer(command.id, found);
    } else if (command.kind === "count") {
      this.searches.get(command.search)?.onCount((count) => {
        this.post({ kind: "count", search: command.search, count });
      });
    } else if (command.kind === "cancel") {
      this.searches.get(command.search)?.cancel();
      this.searches.delete(command.search);
    }
  }

  private answer(id: number, promise: Promise<string | Extract<Report, { kind: "answer" }>["value"]>): void {
    promise.then(
      (value) => this.post({ kind: "answer", id, value: value ?? null }),
      (error: unknown) => this.post({ kind: "answer", id, error: messageOf(error) }),
    );
  }

  private setVisible(on: boolean): void {
    if (on === this.isVisible) return;
    this.isVisible = on;
    if (!on) {
      this.fetcher.stop();
      this.groupEnds.stop();
      this.stopFrame?.();
      this.stopFrame = undefined;
    }
    this.connection.setVisible(on);
    if (on) this.dirty();
  }

  private close(): void {
    this.setVisible(false);
    for (const search of this.searches.values()) search.cancel();
    this.searches.clear();
  }

  // ---- what comes ----

  private arrived(first: number, records: readonly RawRecord[], isLive: boolean): void {
    const begun: number[] = [];
    if (isLive) {
      // A group that begins while it is watched stays open, and so does the one that it ends.
      records.forEach(([, , text], i) => {
        if (findRawMarker(text)?.kind === "start") begun.push(first + i);
      });
      if (begun.length > 0) this.folds.keepLast();
      for (const seq of begun) this.folds.reveal(seq);
    }
    this.store.add(first, records);
    this.streamFrom = Math.max(this.streamFrom, first + records.length);
    this.dirty();
  }

  private fetched({ records, range }: FetchedPage): void {
    let next = range[0];
    for (const { seq, record } of records) {
      if (seq > next) this.store.remove(next, seq - 1);
      this.store.add(seq, [record]);
      next = seq + 1;
    }
    if (next <= range[1]) this.store.remove(next, range[1]);
    this.dirty();
  }

  // ---- slices ----

  private dirty(): void {
    this.isDirty = true;
    this.isExtentDirty = true;
    this.schedule();
  }

  private schedule(): void {
    if (this.stopFrame || !this.isVisible) return;
    this.stopFrame = this.net.after(FRAME_MS, () => {
      this.stopFrame = undefined;
      this.frame();
    });
  }

  private frame(): void {
    this.tellExtent();
    if (!this.isDirty || !this.isTaken || !this.wanted) return;
    this.isDirty = false;
    const { seq } = this.wanted;
    const built = this.builder.build(this.wanted, this.sent.some((line) => line.seq === seq));
    if (built.lines) {
      this.store.pin(built.touched[0] - 1, built.touched[1] + 1);
      this.send(built);
    }
    this.fetch(built.needs);
    this.groupEnds.search();
  }

  private lastExtent = "";
  private tellExtent(): void {
    if (!this.isExtentDirty) return;
    this.isExtentDirty = false;
    const { extent } = this.store;
    const text = `${extent.first}-${extent.last}`;
    if (text === this.lastExtent) return;
    this.lastExtent = text;
    this.post({ kind: "extent", extent });
  }

  private send({ lines, atStart, atEnd, needs }: Built): void {
    const pending = needs.size > 0 || this.folds.wanted.size > 0;
    const edges = `${atStart} ${atEnd} ${pending}`;
    const parts = packLines(lines, this.sent);
    const [only] = parts;
    const isSame =
      this.generation > 0 &&
      edges === this.sentEdges &&
      lines.length === this.sent.length &&
      (lines.length === 0 || (parts.length === 1 && only?.[0] === 0 && only[1] === lines.length));
    if (isSame) return;
    this.sent = lines;
    this.sentEdges = edges;
    this.isTaken = false;
    this.generation++;
    const { execution, generation } = this;
    this.post({ kind: "slice", slice: { execution, parts, atStart, atEnd, generation, pending } });
  }

  /** What is missing and will not come by itself. */
  private fetch(needs: Needs): void {
    const pages: { index: number; range: [number, number] }[] = [];
    for (const index of needs) {
      const missing = this.store.missing(index);
      if (!missing || missing[0] >= this.streamFrom) continue;
      pages.push({ index, range: [missing[0], Math.min(missing[1], this.streamFrom - 1)] });
      if (pages.length >= NEEDS_MAX) break;
    }
    this.fetcher.want(pages);
  }
}
