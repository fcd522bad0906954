/**
 * Search on the server: the whole execution, lines that are not in the window too. Found lines come
 * some at a time and are kept, so that going from one to the next asks rarely. Counting goes on
 * beside it, page by page.
 */
import type { Count, Match, SearchHandle, SearchQuery } from "../model";
import { type Api, ApiFailure, asArray, asNumber, asObject, asText, type Json, messageOf } from "./api";
import { type Backoff, backoff } from "./backoff";
import type { Net } from "./net";
import { visibleSpans } from "./spans";

const FOUND_AT_ONCE = 20;
const TRIES_MAX = 8;

/** What was searched in one direction, and what was found there: nothing else matches in between. */
interface Known {
  from: number;
  to: number;
  matches: Match[];
}

interface SearchPage {
  events: readonly unknown[];
  lines: number;
  matches: number;
  searchedTo: number;
  more: boolean;
  cursor: string | undefined;
}

function pageOfBody(body: Json): SearchPage {
  return {
    events: asArray(body["events"]),
    lines: asNumber(body["lines"]) ?? 0,
    matches: asNumber(body["matches"]) ?? 0,
    searchedTo: asNumber(body["searched_to"]) ?? 0,
    more: body["more"] === true,
    cursor: asText(body["cursor"]),
  };
}

export function matchOf(event: Json): Match {
  const spans = asArray(event["spans"]).map((span): [number, number] => {
    const [start, end] = asArray(span);
    return [asNumber(start) ?? 0, asNumber(end) ?? 0];
  });
  return {
    seq: asNumber(event["seq"]) ?? 0,
    lastSeq: asNumber(event["last_seq"]) ?? 0,
    spans: visibleSpans(asText(event["message"]) ?? "", spans),
  };
}

export class Search implements SearchHandle {
  private readonly query: string;
  private readonly controller = new AbortController();
  private forward: Known | undefined;
  private backward: Known | undefined;
  private readonly pause: Backoff;

  constructor(
    private readonly net: Net,
    private readonly api: Api,
    private readonly execution: string,
    query: SearchQuery,
  ) {
    const text = encodeURIComponent(query.text);
    this.query = `${query.regex ? "regex" : "q"}=${text}${query.ignoreCase ? "&ignore_case=1" : ""}`;
    this.pause = backoff(() => net.random());
  }

  async next(fromSeq: number): Promise<Match | null> {
    const known = this.forward;
    if (known && fromSeq >= known.from && fromSeq < known.to) {
      const found = known.matches.find((match) => match.seq > fromSeq);
      if (found) return found;
    }
    let cursor = "";
    for (;;) {
      const page = await this.ask(`after=${fromSeq}&limit=${FOUND_AT_ONCE}${cursor}`);
      const matches = page.events.map((event) => matchOf(asObject(event))).sort((a, b) => a.seq - b.seq);
      this.forward = { from: fromSeq, to: page.searchedTo, matches };
      const found = matches.find((match) => match.seq > fromSeq);
      if (found) return found;
      if (!page.more || page.cursor === undefined) return null;
      cursor = `&cursor=${encodeURIComponent(page.cursor)}`;
    }
  }

  /** 0: from the end. */
  async previous(from: number): Promise<Match | null> {
    const fromSeq = from > 0 && from < Number.MAX_SAFE_INTEGER ? from : Number.MAX_SAFE_INTEGER;
    const known = this.backward;
    if (known && fromSeq > known.to && fromSeq <= known.from) {
      const found = known.matches.find((match) => match.seq < fromSeq);
      if (found) return found;
    }
    let cursor = "";
    for (;;) {
      const page = await this.ask(`before=${fromSeq}&limit=${FOUND_AT_ONCE}${cursor}`);
      const matches = page.events.map((event) => matchOf(asObject(event))).sort((a, b) => b.seq - a.seq);
      this.backward = { from: fromSeq, to: page.searchedTo, matches };
      const found = matches.find((match) => match.seq < fromSeq);
      if (found) return found;
      if (!page.more || page.cursor === undefined) return null;
      cursor = `&cursor=${encodeURIComponent(page.cursor)}`;
    }
  }

  onCount(callback: (count: Count) => void): void {
    void this.count(callback);
  }

  cancel(): void {
    this.controller.abort();
  }

  private async count(callback: (count: Count) => void): Promise<void> {
    const sum = { lines: 0, matches: 0, searchedTo: 0 };
    let cursor = "";
    try {
      for (;;) {
        const page = await this.ask(`count=1&limit=1000&after=0${cursor}`);
        sum.lines += page.lines;
        sum.matches += page.matches;
        sum.searchedTo = page.searchedTo;
        const done = !page.more || page.cursor === undefined;
        callback({ ...sum, done });
        if (done) return;
        cursor = `&cursor=${encodeURIComponent(page.cursor ?? "")}`;
      }
    } catch (error) {
      if (!this.controller.signal.aborted) callback({ ...sum, done: true, error: messageOf(error) });
    }
  }

  /** A page; tried again while others search or the server cannot answer. */
  private async ask(place: string): Promise<SearchPage> {
    const path = `/executions/${this.execution}/logs?${this.query}&${place}`;
    for (let tries = 1; ; tries++) {
      try {
        const page = pageOfBody(await this.api.request("GET", path, this.controller.signal));
        this.pause.reset();
        return page;
      } catch (error) {
        const again = error instanceof ApiFailure && error.isPassing && tries < TRIES_MAX;
        if (!again || this.controller.signal.aborted) throw error;
        await this.wait(Math.max(error.retryAfterMs ?? 0, this.pause.next()));
      }
    }
  }

  private wait(ms: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = this.net.after(ms, () => {
        this.controller.signal.removeEventListener("abort", abort);
        resolve();
      });
      const abort = (): void => {
        stop();
        reject(new DOMException("the search was cancelled", "AbortError"));
      };
      this.controller.signal.addEventListener("abort", abort, { once: true });
    });
  }
}
