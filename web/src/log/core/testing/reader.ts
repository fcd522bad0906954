/** A session at a fake server, and the page's side of it: what it was told. */
import type { Extent, Line, LinkState, Status } from "../../model";
import { plainText } from "../line";
import type { RawRecord } from "../page";
import { Session } from "../session";
import { type Report, unpackLines, type WireSlice } from "../wire";
import { Clock } from "./clock";
import { EXECUTION, FakeServer, KEY } from "./fake-server";
import { seeded } from "./random";

export const seen = (line: Line): string => plainText(line.runs);

export class Reader {
  readonly clock = new Clock();
  readonly server: FakeServer;
  readonly session: Session;
  lines: Line[] = [];
  slice: Omit<WireSlice, "parts"> | undefined;
  slices = 0;
  /** Lines that were copied to the page. */
  copied = 0;
  extent: Extent = { first: 1, last: 0 };
  links: LinkState[] = [];
  statuses: Status[] = [];
  gaps: [number, number][] = [];
  errors: string[] = [];
  answers = new Map<number, Extract<Report, { kind: "answer" }>>();
  counts: Extract<Report, { kind: "count" }>["count"][] = [];
  keysAsked = 0;
  /** A page that draws takes each slice at once. */
  isTaking = true;

  constructor(seed = 1, messageLines?: number) {
    this.server = new FakeServer(this.clock, seeded(seed), messageLines);
    const credentials = (): Promise<string> => {
      this.keysAsked++;
      return Promise.resolve(KEY);
    };
    this.session = new Session(this.server, EXECUTION, credentials, (report) => this.take(structuredClone(report)));
  }

  get link(): string {
    return this.links[this.links.length - 1]?.kind ?? "";
  }
  get texts(): string[] {
    return this.lines.map(seen);
  }
  get seqs(): number[] {
    return this.lines.map((line) => line.seq);
  }

  want(seq: number | "end", before: number, after: number): void {
    this.session.command({ kind: "want", seq, before, after });
  }

  private take(report: Report): void {
    if (report.kind === "slice") this.takeSlice(report.slice);
    else if (report.kind === "extent") this.extent = report.extent;
    else if (report.kind === "link") this.links.push(report.link);
    else if (report.kind === "status") this.statuses.push(report.status);
    else if (report.kind === "gap") this.gaps.push([report.from, report.to]);
    else if (report.kind === "error") this.errors.push(report.message);
    else if (report.kind === "answer") this.answers.set(report.id, report);
    else if (report.kind === "count") this.counts.push(report.count);
  }

  private takeSlice({ parts, ...slice }: WireSlice): void {
    for (const part of parts) if (typeof part[0] !== "number") this.copied += part.length;
    this.lines = unpackLines(parts, this.lines);
    this.slice = slice;
    this.slices++;
    if (this.isTaking) this.clock.after(1, () => this.session.command({ kind: "taken" }));
  }
}

/** line 1, line 2 … */
export function numbered(count: number, from = 1): RawRecord[] {
  return Array.from({ length: count }, (_, i): RawRecord => [1_700_000_000_000 + i, "o", `line ${from + i}`]);
}

export const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);
