/**
 * Instant search: where a text or an expression is found in a line that is at hand. The server has the last word
 * (its expressions are PCRE2's); what JavaScript cannot compile is marked only where the server found it.
 */
export interface Query {
  text: string;
  regex: boolean;
  ignoreCase: boolean;
}

export type Span = [number, number];
export type Matcher = (text: string) => Span[];

/** Spans of one line, at most: a line of a megabyte may match everywhere. */
export const SPANS_MAX = 1000;
/** Characters of a line that are looked at: an expression runs on the UI thread. */
const TEXT_MAX = 20_000;

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");

function compile(query: Query): RegExp | null {
  const flags = `gu${query.ignoreCase ? "i" : ""}`;
  try {
    return new RegExp(query.regex ? query.text : escape(query.text).replace(/\\-/g, "-").replace(/\\\//g, "/"), flags);
  } catch {
    return null;
  }
}

/** A repeated group that itself repeats can take exponential time: it is left to the server, which is bounded. */
export function isRisky(expression: string): boolean {
  return /[*+}][^()]*\)[*+{]|\\[1-9]/.test(expression) || /\([^()]*\|[^()]*\)[*+{]/.test(expression);
}

/** A matcher for what is typed; null when there is nothing to match or it cannot be matched here. */
export function matcherOf(query: Query): Matcher | null {
  if (query.text === "" || (query.regex && isRisky(query.text))) return null;
  const expression = compile(query);
  if (!expression) return null;
  return (text) => {
    const spans: Span[] = [];
    for (const found of text.slice(0, TEXT_MAX).matchAll(expression)) {
      if (found[0].length > 0) spans.push([found.index, found.index + found[0].length]);
      if (spans.length >= SPANS_MAX) break;
    }
    return spans;
  };
}

/** `?q=…&regex=1&case=1`: case is kept unless asked otherwise only with case=1, as people type in small letters. */
export function queryOfUrl(search: string): Query {
  const params = new URLSearchParams(search);
  return { text: params.get("q") ?? "", regex: params.get("regex") === "1", ignoreCase: params.get("case") !== "1" };
}

/** The address's query with the search in it, other parameters kept. */
export function urlOfQuery(search: string, query: Query): string {
  const params = new URLSearchParams(search);
  for (const name of ["q", "regex", "case"]) params.delete(name);
  if (query.text !== "") {
    params.set("q", query.text);
    if (query.regex) params.set("regex", "1");
    if (!query.ignoreCase) params.set("case", "1");
  }
  const text = params.toString();
  return text === "" ? "" : `?${text}`;
}
