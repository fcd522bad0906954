/** Asks the server where folded groups end whose ends are far away: no line of them is fetched. */
import { type Api, ApiFailure, asArray, asNumber, asObject, asText } from "./api";
import type { Folds } from "./folds";
import { findRawMarker, MARKER_REGEX } from "./groups";
import type { Net } from "./net";

const AT_ONCE = 2;
/** When the server has no time for it, and does not say when it will. */
const RETRY_MS = 1000;

export class GroupEnds {
  private readonly searching = new Set<number>();
  private readonly waits = new Set<() => void>();

  constructor(
    private readonly net: Net,
    private readonly api: Api,
    private readonly execution: string,
    private readonly folds: Folds,
    private readonly changed: () => void,
  ) {}

  /** For those that are wanted. */
  search(): void {
    for (const start of this.folds.wanted) {
      if (this.searching.has(start) || this.searching.size >= AT_ONCE) continue;
      this.searching.add(start);
      this.find(start).then(
        () => this.done(start),
        (error: unknown) => this.failed(start, error),
      );
    }
  }

  /** No timers. */
  stop(): void {
    for (const stop of this.waits) stop();
    this.waits.clear();
    this.searching.clear();
  }

  private done(start: number): void {
    this.searching.delete(start);
    this.changed();
  }

  private failed(start: number, error: unknown): void {
    if (!(error instanceof ApiFailure) || !error.isPassing) {
      this.folds.failed(start);
      this.done(start);
      return;
    }
    const stop = this.net.after(error.retryAfterMs ?? RETRY_MS, () => {
      this.waits.delete(stop);
      this.done(start);
    });
    this.waits.add(stop);
  }

  private async find(start: number): Promise<void> {
    const query = `regex=${encodeURIComponent(MARKER_REGEX)}&limit=1&after=${start}`;
    for (let cursor = ""; ; ) {
      const body = await this.api.request("GET", `/executions/${this.execution}/logs?${query}${cursor}`);
      const event = asObject(asArray(body["events"])[0]);
      const marker = findRawMarker(asText(event["message"]) ?? "");
      const seq = asNumber(event["seq"]) ?? 0;
      const searchedTo = asNumber(body["searched_to"]) ?? 0;
      const next = asText(body["cursor"]);
      const isFound = marker !== undefined && seq > start;
      if (isFound || body["more"] !== true || next === undefined) {
        this.folds.found(start, isFound ? { seq, marker } : undefined, searchedTo);
        return;
      }
      cursor = `&cursor=${encodeURIComponent(next)}`;
    }
  }
}
