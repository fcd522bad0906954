/** The page's handle of one log: the work is done in a worker of its own. */
import type { LogEvents, SearchHandle, SearchQuery } from "./model";

export type { Count, LogEvents, Match, SearchHandle, SearchQuery } from "./model";

export interface LogOptions {
  anchor: "end" | number;
  /** The API key; asked for again when the server refuses it. */
  credentials: () => Promise<string>;
}

export interface LogHandle {
  /**
   * Wants `before` lines above and `after` lines from `seq` on; folded lines are left out, joined
   * parts count once. Answered by `slice`, again whenever a line of it changes; at most once a frame.
   * "end" follows the end.
   */
  want(seq: number | "end", before: number, after: number): void;
  setFold(startSeq: number, folded: boolean): void;
  foldAll(folded: boolean): void;
  /** Takes no more lines; goes on where it stopped. */
  pause(on: boolean): void;
  /** A hidden tab costs nothing: no connection, no timers. */
  visible(on: boolean): void;
  /** Shows a line that is longer than what is shown in its full length (of up to 1 MiB). */
  expand(seq: number, on: boolean): void;
  /** Plain text of lines; fetches what is not in the window; at most 10 MB. */
  text(from: number, to: number): Promise<string>;
  search(query: SearchQuery): SearchHandle;
  close(): void;
}

export declare class LogClient implements LogHandle {
  constructor(executionId: string, options: LogOptions, on: Partial<LogEvents>);
  want(seq: number | "end", before: number, after: number): void;
  setFold(startSeq: number, folded: boolean): void;
  foldAll(folded: boolean): void;
  pause(on: boolean): void;
  visible(on: boolean): void;
  expand(seq: number, on: boolean): void;
  text(from: number, to: number): Promise<string>;
  search(query: SearchQuery): SearchHandle;
  close(): void;
}
