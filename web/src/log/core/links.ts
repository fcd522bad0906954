/** Addresses in a line become links: http and https alone, nothing else ever. */
import type { Run } from "../model";

const URL_MAX = 2048;
/** Up to what ends an address in running text: blanks, quotes, angle brackets, pictures, box drawing. */
// eslint-disable-next-line no-control-regex
const BARE = /https?:\/\/[^\s<>"'`\u2400-\u2426\u2500-\u259f\u3000-\u303f]+/gi;

/** The address when it may be linked to. */
export function safeHref(text: string): string | undefined {
  if (text.length > URL_MAX || !/^https?:\/\//i.test(text)) return undefined;
  try {
    const url = new URL(text);
    return url.protocol === "http:" || url.protocol === "https:" ? text : undefined;
  } catch {
    return undefined;
  }
}

const PAIRS: Readonly<Record<string, string>> = { ")": "(", "]": "[", "}": "{" };

function count(text: string, character: string): number {
  let n = 0;
  for (const c of text) if (c === character) n++;
  return n;
}

/** Without the punctuation that ends the sentence; a bracket stays when it was opened inside. */
function trimEnd(url: string): string {
  let end = url.length;
  for (; end > 0; end--) {
    const last = url[end - 1] ?? "";
    const opener = PAIRS[last];
    if (opener !== undefined) {
      const inside = url.slice(0, end);
      if (count(inside, opener) >= count(inside, last)) break;
    } else if (!".,;:!?*_~".includes(last)) break;
  }
  return url.slice(0, end);
}

interface Found {
  start: number;
  end: number;
  href: string;
}

/** A line has a few; a bound keeps a hostile one cheap. */
const LINKS_MAX = 100;

function findLinks(text: string): Found[] {
  const found: Found[] = [];
  for (const hit of text.matchAll(BARE)) {
    // Brackets are counted at each step back: only what may be an address is looked at.
    const url = hit[0].length > URL_MAX ? "" : trimEnd(hit[0]);
    const href = safeHref(url);
    if (href !== undefined) found.push({ start: hit.index, end: hit.index + url.length, href });
    if (found.length >= LINKS_MAX) break;
  }
  return found;
}

/** The same text, with addresses as runs of their own. Runs that are links already stay. */
export function linkify(runs: Run[]): Run[] {
  const text = runs.length === 1 ? (runs[0]?.text ?? "") : runs.map((run) => run.text).join("");
  const links = text.includes("://") ? findLinks(text) : [];
  if (links.length === 0) return runs;
  const out: Run[] = [];
  let at = 0;
  let k = 0;
  for (const run of runs) {
    const end = at + run.text.length;
    let from = at;
    while (from < end) {
      while (k < links.length && (links[k]?.end ?? 0) <= from) k++;
      const link = links[k];
      const inside = link !== undefined && link.start <= from;
      const to = Math.min(end, link === undefined ? end : inside ? link.end : link.start);
      const piece: Run = { ...run, text: run.text.slice(from - at, to - at) };
      if (inside && run.href === undefined) piece.href = link.href;
      out.push(piece);
      from = to;
    }
    at = end;
  }
  return out;
}
