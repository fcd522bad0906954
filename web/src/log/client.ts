/** The page's handle of one log: the work is done in a worker of its own. */
import type { Command, Report, WireSlice } from "./core/wire";
import { unpackLines } from "./core/wire";
import type { Count, Line, LogEvents, Match, SearchHandle, SearchQuery, Slice } from "./model";

export type { Count, LogEvents, Match, SearchHandle, SearchQuery } from "./model";

export interface LogOptions {
  anchor: "end" | number;
  /** The API key; asked for again when the server refuses it. */
  credentials: () => Promise<string>;
}

/** What of a Worker is used. */
export interface WorkerLike {
  postMessage(command: Command): void;
  terminate(): void;
  onmessage: ((event: MessageEvent<Report>) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
}

function startWorker(): WorkerLike {
  return new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "log" });
}

/** Lines wanted before the view says how many fit. */
const FIRST_LINES = 200;

interface Waiting {
  resolve: (value: string | Match | null) => void;
  reject: (error: Error) => void;
}

export class LogClient {
  private readonly worker: WorkerLike;
  private readonly waiting = new Map<number, Waiting>();
  private readonly counting = new Map<number, (count: Count) => void>();
  private lines: Line[] = [];
  private slice: Slice | undefined;
  private lastId = 0;
  private frame = 0;
  private isClosed = false;

  constructor(
    execution: string,
    private readonly options: LogOptions,
    private readonly on: Partial<LogEvents>,
    start: () => WorkerLike = startWorker,
  ) {
    this.worker = start();
    this.worker.onmessage = ({ data }) => this.receive(data);
    this.worker.onerror = (event) => this.on.error?.(event.message || "the log's worker failed");
    this.send({ kind: "open", execution });
    this.want(options.anchor, FIRST_LINES, FIRST_LINES);
  }

  /**
   * Wants `before` lines above and `after` lines from `seq` on; folded lines are left out, joined
   * parts count once. Answered by `slice`, again whenever a line of it changes; at most once a frame.
   * "end" follows the end: the last `before` + `after` lines.
   */
  want(seq: number | "end", before: number, after: number): void {
    this.send({ kind: "want", seq, before, after });
  }

  setFold(startSeq: number, folded: boolean): void {
    this.send({ kind: "fold", seq: startSeq, folded });
  }

  foldAll(folded: boolean): void {
    this.send({ kind: "fold-all", folded });
  }

  /** Takes no more lines; goes on where it stopped. */
  pause(on: boolean): void {
    this.send({ kind: "pause", on });
  }

  /** A hidden tab costs nothing: no connection, no timers. */
  visible(on: boolean): void {
    this.send({ kind: "visible", on });
  }

  /** Shows a line that is longer than what is shown (Line.rest), up to 1 MiB of it. */
  expand(seq: number, on: boolean): void {
    this.send({ kind: "expand", seq, on });
  }

  /** Plain text of lines; fetches what is not in the window; rejects past 10 MB. */
  async text(from: number, to: number): Promise<string> {
    return String(await this.ask((id) => ({ kind: "text", id, from, to })));
  }

  /** On the server: the whole execution. */
  search(query: SearchQuery): SearchHandle {
    const search = ++this.lastId;
    this.send({ kind: "search", search, query });
    const find = async (from: number, direction: "next" | "previous"): Promise<Match | null> => {
      const found = await this.ask((id) => ({ kind: "find", id, search, from, direction }));
      return typeof found === "string" ? null : found;
    };
    return {
      next: (from) => find(from, "next"),
      previous: (from) => find(from, "previous"),
      onCount: (callback) => {
        this.counting.set(search, callback);
        this.send({ kind: "count", search });
      },
      cancel: () => {
        this.counting.delete(search);
        this.send({ kind: "cancel", search });
      },
    };
  }

  close(): void {
    if (this.isClosed) return;
    this.send({ kind: "close" });
    this.isClosed = true;
    cancelAnimationFrame(this.frame);
    for (const { reject } of this.waiting.values()) reject(new Error("the log was closed"));
    this.waiting.clear();
    this.worker.onmessage = null;
    // `close` says goodbye to the server; a worker that hangs goes all the same.
    setTimeout(() => this.worker.terminate(), 1000);
  }

  private send(command: Command): void {
    if (!this.isClosed) this.worker.postMessage(command);
  }

  private ask(make: (id: number) => Command): Promise<string | Match | null> {
    if (this.isClosed) return Promise.reject(new Error("the log was closed"));
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.send(make(id));
    });
  }

  private receive(report: Report): void {
    if (this.isClosed) return;
    switch (report.kind) {
      case "slice":
        this.takeSlice(report.slice);
        break;
      case "extent":
        this.on.extent?.(report.extent);
        break;
      case "link":
        this.on.link?.(report.link);
        break;
      case "status":
        this.on.status?.(report.status);
        break;
      case "gap":
        this.on.gap?.(report.from, report.to);
        break;
      case "error":
        this.on.error?.(report.message);
        break;
      case "count":
        this.counting.get(report.search)?.(report.count);
        break;
      case "answer":
        this.settle(report);
        break;
      case "key":
        void this.giveKey(report.id);
        break;
    }
  }

  /** Handed on with the next frame; only then another one comes. */
  private takeSlice({ parts, ...slice }: WireSlice): void {
    this.lines = unpackLines(parts, this.lines);
    this.slice = { ...slice, lines: this.lines };
    this.frame = requestAnimationFrame(() => {
      const { slice: taken } = this;
      this.slice = undefined;
      if (this.isClosed || !taken) return;
      this.send({ kind: "taken" });
      this.on.slice?.(taken);
    });
  }

  private settle(report: Extract<Report, { kind: "answer" }>): void {
    const waiting = this.waiting.get(report.id);
    this.waiting.delete(report.id);
    if (report.error !== undefined) waiting?.reject(new Error(report.error));
    else waiting?.resolve(report.value ?? null);
  }

  private async giveKey(id: number): Promise<void> {
    const key = await this.options.credentials().catch(() => null);
    this.send({ kind: "key", id, key });
  }
}
