/** Makes the line that is shown from what was parsed of it. */
import type { Line, Run } from "../model";
import { findMarker, type Marker } from "./groups";
import { linkify } from "./links";
import type { LineParser } from "./parser";

/** What is looked at for JSON. */
const JSON_MAX = 65_536;

export function plainText(runs: readonly Run[]): string {
  return runs.length === 1 ? (runs[0]?.text ?? "") : runs.map((run) => run.text).join("");
}

/** An object or a list of them, as programs log them. */
export function isJsonText(text: string): boolean {
  const trimmed = text.length <= JSON_MAX ? text.trim() : "";
  const ends = trimmed.charAt(0) + trimmed.charAt(trimmed.length - 1);
  if (trimmed.length < 2 || (ends !== "{}" && ends !== "[]")) return false;
  try {
    const value: unknown = JSON.parse(trimmed);
    const item: unknown = Array.isArray(value) ? value[0] : value;
    return typeof item === "object" && item !== null;
  } catch {
    return false;
  }
}

/** Without its first `count` characters. */
export function dropText(runs: readonly Run[], count: number): Run[] {
  let left = count;
  const out: Run[] = [];
  for (const run of runs) {
    const text = run.text.slice(Math.min(left, run.text.length));
    left -= run.text.length - text.length;
    if (text !== "") out.push({ ...run, text });
  }
  return out;
}

export interface Parsed {
  runs: Run[];
  isJson: boolean;
  rest: number;
  marker: Marker | undefined;
}

/** What does not depend on where the line stands. mayMark: what was written begins with a marker. */
export function parsedOf(parser: LineParser, mayMark: boolean): Parsed {
  const runs = linkify(parser.runs());
  const text = plainText(runs);
  const marker = mayMark ? findMarker(text) : undefined;
  const rest = parser.rest;
  return {
    runs: marker ? dropText(runs, marker.prefix) : runs,
    isJson: rest === 0 && isJsonText(text),
    rest,
    marker,
  };
}

export interface Place {
  seq: number;
  lastSeq: number;
  time: number;
  stream: Line["stream"];
  open: boolean;
  depth: number;
  /** Of a group's start. */
  isGroupOpen: boolean;
}

export function makeLine(parsed: Parsed, place: Place): Line {
  const { isGroupOpen, ...rest } = place;
  const line: Line = { ...rest, runs: parsed.runs, isJson: parsed.isJson && !place.open };
  if (parsed.rest > 0) line.rest = parsed.rest;
  const kind = parsed.marker?.kind;
  if (kind === "start" || kind === "end") {
    const title = plainText(parsed.runs);
    line.group = { kind, title, open: kind === "start" && isGroupOpen };
  }
  return line;
}
