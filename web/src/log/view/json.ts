/** JSON lines laid out: pieces with a kind, for the eye. The text in front of the object stays. */
export type JsonKind = "plain" | "key" | "string" | "number" | "word";

export interface JsonPiece {
  text: string;
  kind: JsonKind;
}

/** Longer lines stay as they are: laying them out would hold the page up. */
export const JSON_MAX = 200_000;

const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false|null)/g;

function pieces(text: string): JsonPiece[] {
  const out: JsonPiece[] = [];
  let at = 0;
  const plain = (to: number): void => {
    if (to > at) out.push({ text: text.slice(at, to), kind: "plain" });
  };
  for (const found of text.matchAll(TOKEN)) {
    plain(found.index);
    const [, string, colon, number] = found;
    const piece = string ?? found[0];
    out.push({ text: piece, kind: string !== undefined ? (colon === undefined ? "string" : "key") : number !== undefined ? "number" : "word" });
    at = found.index + piece.length;
  }
  plain(text.length);
  return out;
}

/** The line laid out; null when it is no JSON after all, or has nothing to lay out. */
export function layOutJson(text: string): JsonPiece[] | null {
  const start = text.search(/[{[]/);
  if (start < 0 || text.length > JSON_MAX) return null;
  try {
    const value: unknown = JSON.parse(text.slice(start));
    const laid = JSON.stringify(value, null, 2);
    if (!laid.includes("\n")) return null;
    const lead: JsonPiece[] = start > 0 ? [{ text: text.slice(0, start), kind: "plain" }] : [];
    return [...lead, ...pieces(laid)];
  } catch {
    return null;
  }
}
