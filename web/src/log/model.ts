/** What the log's worker and its page say to each other about: lines, links, slices. */

/** Standard output, standard error, the system's own lines. */
export type StreamCode = "o" | "e" | "s";

/** Attribute bits of a run of text. */
export const Attr = {
  Bold: 1,
  Faint: 2,
  Italic: 4,
  Underline: 8,
  Inverse: 16,
  Strike: 32,
  Conceal: 64,
  /** A picture in place of a character that may not be shown as it is (control, bidi override). */
  Picture: 128,
} as const;

/** fg, bg: undefined = default, 0–255 = palette, ≥ 0x1000000 = 0x1000000 | rgb. */
export interface Run {
  text: string;
  attr: number;
  fg?: number;
  bg?: number;
  /** Only ever http: or https:. */
  href?: string;
}

export interface Group {
  kind: "start" | "end";
  /** Visible text behind the marker. */
  title: string;
  /** Of a start: its lines are shown. */
  open: boolean;
}

/** One line as shown: parts joined, carriage returns and erasures applied. */
export interface Line {
  /** The sequence numbers it spans; lines of other streams may stand between. */
  seq: number;
  lastSeq: number;
  /** ms since epoch, of its first part. */
  time: number;
  stream: StreamCode;
  /** What is visible; tabs kept as \t. Of a group's start without its marker. */
  runs: Run[];
  /** Not finished yet: may still change. */
  open: boolean;
  group?: Group;
  /** Groups it stands in (0 = none); a group's start and end have their own depth. */
  depth: number;
  isJson: boolean;
  /** Characters that are not in `runs`: the line is longer than what is shown (LogClient.expand). */
  rest?: number;
  /** In merged views. */
  execution?: string;
}

export type LinkState =
  | { kind: "connecting" }
  | { kind: "catching-up"; behind: number }
  | { kind: "live" }
  /** at: ms since epoch of the next attempt. */
  | { kind: "reconnecting"; at: number; attempt: number; reason: string }
  | { kind: "ended" }
  | { kind: "paused"; behind: number }
  | { kind: "refused"; reason: string };

/** Sequence numbers that exist and are known; 1..last unless retention removed some. */
export interface Extent {
  first: number;
  last: number;
}

export interface Status {
  status: string;
  exitCode: number | null;
  reason: string | null;
  startedAt: string | null;
  completedAt: string | null;
  version: number;
}

/** Lines around an anchor, in order, with no hole: what a viewport renders from. */
export interface Slice {
  execution: string;
  lines: Line[];
  /** No line stands above the first / below the last. */
  atStart: boolean;
  atEnd: boolean;
  generation: number;
  /** Lines that were wanted are still being fetched: another slice follows. */
  pending: boolean;
}

export interface LogEvents {
  slice(slice: Slice): void;
  extent(extent: Extent): void;
  link(link: LinkState): void;
  status(status: Status): void;
  gap(from: number, to: number): void;
  error(message: string): void;
}

export interface SearchQuery {
  text: string;
  regex: boolean;
  ignoreCase: boolean;
}

/** spans: of the visible text of the line, in UTF-16 code units. */
export interface Match {
  seq: number;
  lastSeq: number;
  spans: [number, number][];
}

/** As counting goes on. */
export interface Count {
  lines: number;
  matches: number;
  searchedTo: number;
  done: boolean;
  error?: string;
}

export interface SearchHandle {
  /** The nearest line behind this one that matches; null: there is none. Rejects with what is wrong. */
  next(fromSeq: number): Promise<Match | null>;
  /** The nearest one before it; 0: from the end. */
  previous(fromSeq: number): Promise<Match | null>;
  onCount(callback: (count: Count) => void): void;
  cancel(): void;
}
