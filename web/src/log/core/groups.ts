/**
 * Lines that begin or end a group: GitHub's `::group::TITLE` and `::endgroup::` (also `##[group]`),
 * Buildkite's `--- TITLE`, `~~~ TITLE` (folded) and `+++ TITLE` (open). Groups do not nest: one ends
 * where the next begins. `^^^ +++` opens the group that it stands in.
 */
export type Marker =
  /** prefix: characters that are not shown. isOpen: shown open unless somebody folds it. */
  | { kind: "start"; prefix: number; isOpen: boolean }
  | { kind: "end"; prefix: number }
  | { kind: "open"; prefix: number };

const PREFIXES: readonly (readonly [string, (prefix: number) => Marker])[] = [
  ["::group::", (prefix) => ({ kind: "start", prefix, isOpen: false })],
  ["##[group]", (prefix) => ({ kind: "start", prefix, isOpen: false })],
  ["::endgroup::", (prefix) => ({ kind: "end", prefix })],
  ["##[endgroup]", (prefix) => ({ kind: "end", prefix })],
  ["--- ", (prefix) => ({ kind: "start", prefix, isOpen: false })],
  ["~~~ ", (prefix) => ({ kind: "start", prefix, isOpen: false })],
  ["+++ ", (prefix) => ({ kind: "start", prefix, isOpen: true })],
  ["^^^ +++", () => ({ kind: "open", prefix: 0 })],
];

/** The head of a difference between files looks like Buildkite's groups; it is none. */
const DIFF = /^(?:---|\+\+\+) (?:[ab]\/|"[ab]\/|\/dev\/null|.*\t)/;

/** Colours, and the times that Buildkite's agents write, may stand before a marker. */
// eslint-disable-next-line no-control-regex
const BEFORE = /^(?:\x1b\[[0-9;:]*m|\x1b_[^\x07\x1b]{0,256}\x07)+/;

/** The same for the server's search: what may begin or end a group. */
export const MARKER_REGEX =
  "^(?:\\x1b\\[[0-9;:]*m|\\x1b_[^\\x07\\x1b]*\\x07)*" +
  "(?:::(?:end)?group::|##\\[(?:end)?group\\]|(?:---|\\+\\+\\+) (?![ab]/|\"[ab]/|/dev/null|.*\\t)|~~~ )";

/** A marker stands at the very beginning of a line. */
export function findMarker(text: string): Marker | undefined {
  const first = text.charCodeAt(0);
  // : # - ~ + ^
  if (first !== 58 && first !== 35 && first !== 45 && first !== 126 && first !== 43 && first !== 94) return undefined;
  for (const [prefix, make] of PREFIXES) {
    if (text.startsWith(prefix)) return DIFF.test(text.slice(0, 512)) ? undefined : make(prefix.length);
  }
  return undefined;
}

/** The same of what a program wrote. */
export function findRawMarker(text: string): Marker | undefined {
  return findMarker(text.charCodeAt(0) === 0x1b ? text.slice(0, 1024).replace(BEFORE, "") : text);
}
