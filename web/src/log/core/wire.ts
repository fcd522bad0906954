/**
 * What goes between the page and its worker. A slice names the lines that the page has already by
 * their place in the slice before: with 1,000 lines a second only new ones are copied.
 */
import type { Count, Extent, Line, LinkState, Match, SearchQuery, Slice, Status } from "../model";

export type Command =
  | { kind: "open"; execution: string }
  | { kind: "want"; seq: number | "end"; before: number; after: number }
  | { kind: "fold"; seq: number; folded: boolean }
  | { kind: "fold-all"; folded: boolean }
  | { kind: "pause"; on: boolean }
  | { kind: "visible"; on: boolean }
  | { kind: "expand"; seq: number; on: boolean }
  /** The slice was taken: the next may come. */
  | { kind: "taken" }
  | { kind: "key"; id: number; key: string | null }
  | { kind: "text"; id: number; from: number; to: number }
  | { kind: "search"; search: number; query: SearchQuery }
  | { kind: "find"; id: number; search: number; from: number; direction: "next" | "previous" }
  | { kind: "count"; search: number }
  | { kind: "cancel"; search: number }
  | { kind: "close" };

/** Lines of the slice before, [from, count], or new ones. */
export type SlicePart = readonly [number, number] | Line[];

export type WireSlice = Omit<Slice, "lines"> & { parts: SlicePart[] };

export type Report =
  | { kind: "slice"; slice: WireSlice }
  | { kind: "extent"; extent: Extent }
  | { kind: "link"; link: LinkState }
  | { kind: "status"; status: Status }
  | { kind: "gap"; from: number; to: number }
  | { kind: "error"; message: string }
  | { kind: "key"; id: number }
  | { kind: "answer"; id: number; value?: string | Match | null; error?: string }
  | { kind: "count"; search: number; count: Count };

const isRange = (part: SlicePart): part is readonly [number, number] => typeof part[0] === "number";

/** `lines` in terms of `before`, which the other side has. Lines are compared by identity. */
export function packLines(lines: readonly Line[], before: readonly Line[]): SlicePart[] {
  const placeOf = new Map<Line, number>();
  before.forEach((line, i) => placeOf.set(line, i));
  const parts: SlicePart[] = [];
  let fresh: Line[] | undefined;
  let range: [number, number] | undefined;
  for (const line of lines) {
    const place = placeOf.get(line);
    if (place === undefined) {
      if (!fresh) parts.push((fresh = []));
      fresh.push(line);
      range = undefined;
    } else {
      if (range && range[0] + range[1] === place) range[1]++;
      else parts.push((range = [place, 1]));
      fresh = undefined;
    }
  }
  return parts;
}

export function unpackLines(parts: readonly SlicePart[], before: readonly Line[]): Line[] {
  const lines: Line[] = [];
  for (const part of parts) {
    if (isRange(part)) lines.push(...before.slice(part[0], part[0] + part[1]));
    else lines.push(...part);
  }
  return lines;
}
