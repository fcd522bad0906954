/** Splits a line's runs where matches begin and end, so that each piece has one look. */
import type { Run } from "../model";
import type { Span } from "./matcher";

export interface Segment {
  run: Run;
  text: string;
  hit: boolean;
}

export function textOf(runs: readonly Run[]): string {
  if (runs.length === 1) return runs[0]?.text ?? "";
  return runs.map((run) => run.text).join("");
}

/** `spans` are sorted and do not overlap; those past the text are left out. */
export function splitRuns(runs: readonly Run[], spans: readonly Span[]): Segment[] {
  const out: Segment[] = [];
  let at = 0;
  let next = 0;
  for (const run of runs) {
    let from = 0;
    while (from < run.text.length) {
      while (next < spans.length && (spans[next]?.[1] ?? 0) <= at + from) next++;
      const span = spans[next];
      const start = span ? span[0] - at : Infinity;
      const hit = start <= from;
      const edge = hit && span ? span[1] - at : start;
      const to = Math.min(edge, run.text.length);
      out.push({ run, text: run.text.slice(from, to), hit });
      from = to;
    }
    at += run.text.length;
  }
  return out;
}
