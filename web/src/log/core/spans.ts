/** Where a match in what was written stands in what is seen of it. */
import { findMarker, findRawMarker } from "./groups";
import { LineParser } from "./parser";

/**
 * Spans of the line's visible text, in order; what was erased, overwritten or is a sequence has none.
 * A group's start is seen without its marker.
 */
export function visibleSpans(raw: string, spans: readonly (readonly [number, number])[]): [number, number][] {
  const parser = new LineParser();
  parser.feed(raw);
  const sources: number[] = [];
  let text = "";
  parser.each((piece, _style, source, length) => {
    for (let i = 0; i < piece.length; i++) sources.push(source < 0 || length > 0 ? source : source + i);
    text += piece;
  });
  const hidden = findRawMarker(raw) ? (findMarker(text)?.prefix ?? 0) : 0;
  // Nearly always what is seen has the order of what was written: then a place is found by halves.
  const isSorted = sources.every((source, i) => source >= (sources[i - 1] ?? 0));
  const out: [number, number][] = [];
  for (const [start, end] of spans) {
    const found = spanOf(sources, isSorted, start, end, hidden);
    if (found) out.push(found);
  }
  return out.sort((a, b) => a[0] - b[0]);
}

/** First and last place that comes from [start, end). */
function spanOf(
  sources: readonly number[],
  isSorted: boolean,
  start: number,
  end: number,
  hidden: number,
): [number, number] | undefined {
  let first = -1;
  let last = -1;
  for (let i = isSorted ? Math.max(hidden, lowerBound(sources, start)) : hidden; i < sources.length; i++) {
    const source = sources[i] ?? -1;
    if (isSorted && source >= end) break;
    if (source < start || source >= end) continue;
    if (first < 0) first = i;
    last = i;
  }
  return first < 0 ? undefined : [first - hidden, last + 1 - hidden];
}

function lowerBound(sources: readonly number[], value: number): number {
  let low = 0;
  let high = sources.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sources[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
