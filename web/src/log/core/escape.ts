/** Escape sequences (ECMA-48 5.4, 5.6): where one ends and what it is. */

export type Sequence =
  /** Parameters and final character of a control sequence; private or with intermediates: swallowed. */
  | { kind: "csi"; params: string; final: string; end: number }
  | { kind: "osc"; body: string; end: number }
  /** Nothing that concerns a line. */
  | { kind: "swallow"; end: number }
  /** The text ends inside it. */
  | { kind: "cut" }
  | { kind: "malformed" };

/** A control sequence is a few digits; a string such as a link or a title is bounded likewise. */
const CSI_MAX = 256;
const STRING_MAX = 8192;

// eslint-disable-next-line no-control-regex
const CSI = /\x1b\[([0-?]*)([ -/]*)([@-~])/y;
// eslint-disable-next-line no-control-regex
const CSI_CUT = /\x1b\[[0-?]*[ -/]*$/y;
// eslint-disable-next-line no-control-regex
const SHORT = /\x1b[ -/]*[0-~]/y;
// eslint-disable-next-line no-control-regex
const SHORT_CUT = /\x1b[ -/]*$/y;
/** Ends a string: BEL or ST. Another ESC, CAN and SUB break it off. */
// eslint-disable-next-line no-control-regex
const STRING_END = /\x07|\x1b\\|[\x18\x1a\x1b]/g;

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function readCsi(text: string, at: number): Sequence {
  const found = match(CSI, text, at);
  if (found) {
    const [whole, params = "", intermediates = "", final = ""] = found;
    if (whole.length > CSI_MAX) return { kind: "malformed" };
    const end = at + whole.length;
    const isPrivate = intermediates !== "" || /[<=>?]/.test(params);
    return isPrivate ? { kind: "swallow", end } : { kind: "csi", params, final, end };
  }
  return text.length - at < CSI_MAX && match(CSI_CUT, text, at) ? { kind: "cut" } : { kind: "malformed" };
}

/** OSC, DCS, SOS, PM, APC: all that has a string in it. */
function readString(text: string, at: number): Sequence {
  const window = text.slice(at + 2, at + 2 + STRING_MAX);
  const found = match(STRING_END, window, 0);
  if (!found) return window.length < STRING_MAX ? { kind: "cut" } : { kind: "malformed" };
  const isEscape = found[0] === "\x1b";
  // ESC as the last character may be the first half of ST.
  if (isEscape && at + 2 + found.index === text.length - 1) return { kind: "cut" };
  if (isEscape || found[0] === "\x18" || found[0] === "\x1a") return { kind: "malformed" };
  const end = at + 2 + found.index + found[0].length;
  return text[at + 1] === "]" ? { kind: "osc", body: window.slice(0, found.index), end } : { kind: "swallow", end };
}

/** The sequence that begins with the ESC at `at`. */
export function readSequence(text: string, at: number): Sequence {
  const next = text[at + 1];
  if (next === undefined) return { kind: "cut" };
  if (next === "[") return readCsi(text, at);
  if ("]PX^_".includes(next)) return readString(text, at);
  const short = match(SHORT, text, at);
  if (short) return { kind: "swallow", end: at + short[0].length };
  return text.length - at < CSI_MAX && match(SHORT_CUT, text, at) ? { kind: "cut" } : { kind: "malformed" };
}
