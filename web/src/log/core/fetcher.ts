/**
 * Fetches pages that are missing from the window: each once at a time, a few at once, called off when
 * nobody wants them any more, tried again when it failed in passing.
 */
import type { StreamCode } from "../model";
import { type Api, ApiFailure, asArray, asNumber, asObject, asText, isAbort, type Json, messageOf } from "./api";
import { type Backoff, backoff } from "./backoff";
import type { Net } from "./net";
import type { RawRecord } from "./page";

const REQUESTS_MAX = 4;
/** Lines may be 64 KiB each: where a page is too long, fewer are asked for. */
const LIMIT_MIN = 16;

export interface Numbered {
  seq: number;
  record: RawRecord;
}

export interface FetchedPage {
  records: Numbered[];
  /** [from, to]: all of it that is not in `records` was removed. */
  range: [number, number];
}

const STREAM_CODES: Readonly<Record<string, StreamCode>> = { stdout: "o", stderr: "e", system: "s" };

/** An event of a page, as in Server-Sent Events. */
export function recordOf(event: Json): Numbered | undefined {
  const seq = Number((asText(event["event_id"]) ?? "").slice(-20));
  if (!Number.isSafeInteger(seq) || seq < 1) return undefined;
  const stream = STREAM_CODES[asText(event["stream"]) ?? ""] ?? "o";
  const time = asNumber(event["timestamp"]) ?? 0;
  const text = asText(event["message"]) ?? "";
  return { seq, record: event["part"] === true ? [time, stream, text, 1] : [time, stream, text] };
}

/** Numbers from..to, or the first of them when they are too long together. */
export async function fetchRange(
  api: Api,
  execution: string,
  from: number,
  to: number,
  signal?: AbortSignal,
): Promise<FetchedPage> {
  let count = to - from + 1;
  for (;;) {
    try {
      const body = await api.request("GET", `/executions/${execution}/logs?after=${from - 1}&limit=${count}`, signal);
      const records: Numbered[] = [];
      for (const event of asArray(body["events"])) {
        const found = recordOf(asObject(event));
        if (found) records.push(found);
      }
      // What the server does not have yet is not gone.
      const last = Math.min(from + count - 1, asNumber(body["last_seq"]) ?? to);
      return { records, range: [from, last] };
    } catch (error) {
      if (!(error instanceof ApiFailure) || error.status !== 413 || count <= LIMIT_MIN) throw error;
      count = Math.max(LIMIT_MIN, Math.floor(count / 8));
    }
  }
}

export interface FetcherEvents {
  fetched(page: FetchedPage): void;
  failed(message: string): void;
}

export class Fetcher {
  private readonly running = new Map<number, AbortController>();
  private wanted: { index: number; range: [number, number] }[] = [];
  private readonly pause: Backoff;
  private stopWaiting: (() => void) | undefined;
  /** Nothing is to be had any more: no right, no such execution. */
  private isRefused = false;

  constructor(
    private readonly net: Net,
    private readonly api: Api,
    private readonly execution: string,
    private readonly on: FetcherEvents,
  ) {
    this.pause = backoff(() => net.random());
  }

  get isIdle(): boolean {
    return this.running.size === 0 && this.wanted.length === 0;
  }

  /** These and no others, the most urgent first. */
  want(pages: { index: number; range: [number, number] }[]): void {
    this.wanted = pages.filter((page) => !this.running.has(page.index));
    const indexes = new Set(pages.map((page) => page.index));
    for (const [index, controller] of this.running) {
      if (indexes.has(index)) continue;
      this.running.delete(index);
      controller.abort();
    }
    this.start();
  }

  /** No requests, no timers. */
  stop(): void {
    this.want([]);
    this.stopWaiting?.();
    this.stopWaiting = undefined;
  }

  private start(): void {
    while (!this.stopWaiting && !this.isRefused && this.running.size < REQUESTS_MAX) {
      const next = this.wanted.shift();
      if (!next) return;
      void this.run(next.index, next.range);
    }
  }

  private async run(index: number, [from, to]: [number, number]): Promise<void> {
    const controller = new AbortController();
    this.running.set(index, controller);
    try {
      const page = await fetchRange(this.api, this.execution, from, to, controller.signal);
      if (controller.signal.aborted) return;
      this.running.delete(index);
      this.pause.reset();
      this.on.fetched(page);
    } catch (error) {
      if (controller.signal.aborted || isAbort(error)) return;
      this.running.delete(index);
      this.wanted.unshift({ index, range: [from, to] });
      this.onFailure(error);
    }
    this.start();
  }

  private onFailure(error: unknown): void {
    this.on.failed(`lines could not be fetched: ${messageOf(error)}`);
    if (error instanceof ApiFailure && !error.isPassing) {
      this.isRefused = true;
      return;
    }
    if (this.stopWaiting) return;
    const asked = error instanceof ApiFailure ? error.retryAfterMs : undefined;
    this.stopWaiting = this.net.after(Math.max(asked ?? 0, this.pause.next()), () => {
      this.stopWaiting = undefined;
      this.start();
    });
  }
}
