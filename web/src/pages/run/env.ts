// The variables of the run form: rows, and lines of NAME=VALUE pasted into them.
export interface EnvRow {
  /** Only for the page: rows come and go. */
  id: number;
  name: string;
  value: string;
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const ASSIGNMENT = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)$/;

export const isVariableName = (name: string): boolean => NAME.test(name);

export interface Parsed {
  pairs: { name: string; value: string }[];
  /** Lines that are no assignment, counted from 1. */
  bad: number[];
}

const escapes: Record<string, string> = { n: "\n", r: "\r", t: "\t" };

/** As in an .env file: '…' is taken as it is, in "…" a backslash escapes, outside of both ` #` begins a comment. */
function unquote(text: string): string {
  const trimmed = text.trim();
  const single = /^'([^']*)'\s*(?:#.*)?$/.exec(trimmed);
  if (single) return single[1] ?? "";
  const double = /^"((?:[^"\\]|\\.)*)"\s*(?:#.*)?$/.exec(trimmed);
  if (double) return (double[1] ?? "").replace(/\\(.)/g, (_, c: string) => escapes[c] ?? c);
  return trimmed.replace(/\s#.*$/, "").trimEnd();
}

export function parseEnv(text: string): Parsed {
  const parsed: Parsed = { pairs: [], bad: [] };
  text.split(/\r\n|\r|\n/).forEach((line, i) => {
    if (/^\s*(#.*)?$/.test(line)) return;
    const match = ASSIGNMENT.exec(line);
    if (match?.[1]) parsed.pairs.push({ name: match[1], value: unquote(match[2] ?? "") });
    else parsed.bad.push(i + 1);
  });
  return parsed;
}

/** What is pasted into a row stays there unless it is assignments. */
export const looksLikeEnv = (text: string): boolean => parseEnv(text).pairs.length > 0 && (text.includes("\n") || ASSIGNMENT.test(text));

let lastId = 0;
export const envRow = (name = "", value = ""): EnvRow => ({ id: ++lastId, name, value });

/** Puts pairs in place of the row they were pasted into; names that are there already get the new value. */
export function pasteInto(rows: readonly EnvRow[], at: number, pairs: Parsed["pairs"]): EnvRow[] {
  const fresh = new Map(pairs.map((pair) => [pair.name, pair.value]));
  const kept = rows
    .filter((row, i) => i !== at || row.name !== "" || row.value !== "")
    .map((row) => {
      const value = fresh.get(row.name);
      if (value === undefined) return row;
      fresh.delete(row.name);
      return { ...row, value };
    });
  return [...kept, ...[...fresh].map(([name, value]) => envRow(name, value))];
}
