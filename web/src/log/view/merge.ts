/**
 * The lines of several logs in one order: by time, then by the order of the executions, then by sequence number.
 *
 * A merged line's number is its rank: how many lines of all the logs stand at or above it. It is the sum of the
 * sequence numbers that the logs have reached there, so a window anywhere knows its ranks without what lies above.
 */
import type { Extent, Line, LinkState } from "../model";
import type { ViewLine } from "./row";

/** What is at hand of one log: lines with no hole. */
export interface Part {
  execution: string;
  label: string;
  lines: readonly Line[];
  atStart: boolean;
  atEnd: boolean;
  extent: Extent;
}

export interface Merged {
  lines: ViewLine[];
  /** For each line the sequence number that each log has reached there. */
  reached: number[][];
  atStart: boolean;
  atEnd: boolean;
}

interface Key {
  time: number;
  index: number;
  seq: number;
}

const compare = (a: Key, b: Key): number => a.time - b.time || a.index - b.index || a.seq - b.seq;
const keyOf = (line: Line, index: number): Key => ({ time: line.time, index, seq: line.seq });

/** Where the merge is complete: below the latest beginning and above the earliest end of the parts that go on. */
function bounds(parts: readonly Part[]): { low: Key | null; high: Key | null } {
  let low: Key | null = null;
  let high: Key | null = null;
  parts.forEach((part, index) => {
    const [first, last] = [part.lines[0], part.lines[part.lines.length - 1]];
    if (first && !part.atStart && (!low || compare(keyOf(first, index), low) > 0)) low = keyOf(first, index);
    if (last && !part.atEnd && (!high || compare(keyOf(last, index), high) < 0)) high = keyOf(last, index);
  });
  return { low, high };
}

/** The sequence number that a log has reached before its first line at hand. */
function before(part: Part): number {
  const first = part.lines[0];
  if (!first) return part.atEnd && !part.atStart ? part.extent.last : part.extent.first - 1;
  return part.atStart ? part.extent.first - 1 : first.seq - 1;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, n) => all + n, 0);

export function mergeParts(parts: readonly Part[]): Merged {
  const { low, high } = bounds(parts);
  const reached = parts.map(before);
  const next = parts.map(() => 0);
  const merged: Merged = { lines: [], reached: [], atStart: low === null, atEnd: high === null };
  for (;;) {
    let best: { line: Line; index: number; key: Key } | null = null;
    for (const [index, part] of parts.entries()) {
      const line = part.lines[next[index] ?? 0];
      if (!line) continue;
      const key = keyOf(line, index);
      if (!best || compare(key, best.key) < 0) best = { line, index, key };
    }
    if (!best || (high && compare(best.key, high) > 0)) return merged;
    const { line, index, key } = best;
    next[index] = (next[index] ?? 0) + 1;
    reached[index] = line.seq;
    if (low && compare(key, low) < 0) continue;
    const part = parts[index];
    const rank = sum(reached);
    merged.reached.push([...reached]);
    merged.lines.push({ ...line, seq: rank, lastSeq: rank, own: { execution: part?.execution ?? "", label: part?.label ?? "", index, seq: line.seq } });
  }
}

/** Of all the logs; a rank is a sum, and so are the first and the last one. */
export function mergeExtents(extents: readonly Extent[]): Extent {
  return { first: sum(extents.map((extent) => extent.first - 1)) + 1, last: sum(extents.map((extent) => Math.max(extent.last, extent.first - 1))) };
}

const WORST = ["reconnecting", "connecting", "catching-up", "paused", "live", "ended", "refused"] as const;

/** One word for several links: the one that most needs to be told. */
export function mergeLinks(links: readonly LinkState[]): LinkState {
  const behind = sum(links.map((link) => (link.kind === "catching-up" || link.kind === "paused" ? link.behind : 0)));
  for (const kind of WORST) {
    const link = links.find((one) => one.kind === kind);
    if (link) return link.kind === "catching-up" || link.kind === "paused" ? { ...link, behind } : link;
  }
  return { kind: "connecting" };
}

/**
 * The last sequence number of a log at or before a time, by interpolation between lines whose times are known:
 * a handful of questions for a log that was printed at an even pace, a bisection at worst.
 */
export async function seqAtTime(extent: Extent, time: number, timeOf: (seq: number) => Promise<number | null>): Promise<number> {
  let [low, high] = [extent.first - 1, extent.last + 1];
  let [lowTime, highTime] = [NaN, NaN];
  for (let turn = 0; high - low > 1 && turn < 48; turn++) {
    const share = turn % 3 !== 2 && highTime > lowTime ? (time - lowTime) / (highTime - lowTime) : 0.5;
    const guess = turn === 0 ? high - 1 : turn === 1 ? low + 1 : Math.round(low + (high - low) * share);
    const seq = Math.min(Math.max(guess, low + 1), high - 1);
    const at = await timeOf(seq);
    if (at === null) return seq - 1;
    if (at <= time) [low, lowTime] = [seq, at];
    else [high, highTime] = [seq, at];
  }
  return low;
}
