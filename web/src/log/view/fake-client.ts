/** A log held in memory, for tests of the view. */
import type { SearchHandle } from "../model";
import type { LogHandle } from "./source";
import type { Line, LogEvents } from "../model";

export class FakeClient implements LogHandle {
  lines: Line[] = [];
  folded = new Set<number>();
  first = 1;
  private anchor: number | "end" = "end";
  private before = 0;
  private after = 0;
  private generation = 0;
  readonly asked: string[] = [];

  constructor(private readonly on: Partial<LogEvents>, private readonly later: (work: () => void) => void = (work) => work()) {}

  static line(seq: number, text: string): Line {
    return { seq, lastSeq: seq, time: 1_700_000_000_000 + seq, stream: "o", runs: [{ text, attr: 0 }], open: false, depth: 0, isJson: false };
  }

  add(lines: Line[]): void {
    this.lines = [...this.lines, ...lines];
    this.on.extent?.({ first: this.first, last: this.lines.at(-1)?.lastSeq ?? 0 });
    this.give();
  }

  private give(): void {
    this.later(() => {
      const shown = this.lines.filter((line) => line.seq >= this.first);
      const at = this.anchor === "end" ? shown.length : Math.max(0, shown.findIndex((line) => line.lastSeq >= Number(this.anchor)));
      const from = Math.max(0, at - this.before);
      const to = Math.min(shown.length, at + this.after);
      this.on.slice?.({
        execution: "fake", lines: structuredClone(shown.slice(from, to)), atStart: from === 0, atEnd: to === shown.length,
        generation: ++this.generation, pending: false,
      });
    });
  }

  want(seq: number | "end", before: number, after: number): void {
    this.asked.push(`want ${seq}`);
    [this.anchor, this.before, this.after] = [seq, before, after];
    this.give();
  }

  setFold(startSeq: number, folded: boolean): void {
    this.asked.push(`fold ${startSeq} ${folded}`);
  }

  foldAll(folded: boolean): void {
    this.asked.push(`foldAll ${folded}`);
  }

  pause(on: boolean): void {
    this.asked.push(`pause ${on}`);
    this.on.link?.(on ? { kind: "paused", behind: 0 } : { kind: "live" });
  }

  visible(on: boolean): void {
    this.asked.push(`visible ${on}`);
  }

  expand(seq: number, on: boolean): void {
    this.asked.push(`expand ${seq} ${on}`);
  }

  text(from: number, to: number): Promise<string> {
    const lines = this.lines.filter((line) => line.seq >= from && line.seq <= to);
    return Promise.resolve(lines.map((line) => line.runs.map((run) => run.text).join("")).join("\n"));
  }

  search(query: { text: string }): SearchHandle {
    const has = (line: Line): boolean => line.runs.some((run) => run.text.includes(query.text));
    const match = (line: Line | undefined) => (line ? { seq: line.seq, lastSeq: line.lastSeq, spans: [] } : null);
    return {
      next: (from) => Promise.resolve(match(this.lines.find((line) => line.seq > from && has(line)))),
      previous: (from) => Promise.resolve(match(this.lines.findLast((line) => line.seq < from && has(line)))),
      onCount: (callback) => {
        const lines = this.lines.filter(has).length;
        callback({ lines, matches: lines, searchedTo: this.lines.length, done: true });
      },
      cancel: () => undefined,
    };
  }

  close(): void {
    this.asked.push("close");
  }
}
