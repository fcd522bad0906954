/** Select Graphic Rendition (ECMA-48 8.3.117, ITU T.416 for colours) and what it leaves behind. */
import { Attr } from "../model";

/** Immutable. */
export interface Style {
  readonly attr: number;
  readonly fg?: number;
  readonly bg?: number;
  readonly href?: string;
}

export const PLAIN: Style = { attr: 0 };

export function sameStyle(a: Style, b: Style): boolean {
  return a === b || (a.attr === b.attr && a.fg === b.fg && a.bg === b.bg && a.href === b.href);
}

interface Pen {
  attr: number;
  fg: number | undefined;
  bg: number | undefined;
}

const SET: Readonly<Record<number, number>> = {
  1: Attr.Bold,
  2: Attr.Faint,
  3: Attr.Italic,
  4: Attr.Underline,
  7: Attr.Inverse,
  8: Attr.Conceal,
  9: Attr.Strike,
  21: Attr.Underline,
};
const CLEAR: Readonly<Record<number, number>> = {
  22: Attr.Bold | Attr.Faint,
  23: Attr.Italic,
  24: Attr.Underline,
  27: Attr.Inverse,
  28: Attr.Conceal,
  29: Attr.Strike,
};

const isByte = (n: number | undefined): n is number => n !== undefined && n >= 0 && n <= 255;

/** Palette index or rgb as in Run; undefined: not a colour. */
function colour(kind: number | undefined, values: readonly number[]): number | undefined {
  if (kind === 5) return isByte(values[0]) ? values[0] : undefined;
  const [r, g, b] = values;
  if (kind !== 2 || !isByte(r) || !isByte(g) || !isByte(b)) return undefined;
  return 0x1000000 | (r << 16) | (g << 8) | b;
}

/** 38:5:N, 38:2:R:G:B, and with the colour space that T.416 has there: 38:2:SPACE:R:G:B. */
function colonColour(sub: readonly number[]): number | undefined {
  const values = sub.slice(2);
  return colour(sub[1], sub[1] === 2 && values.length >= 4 ? values.slice(1) : values);
}

function setColour(pen: Pen, target: number, value: number | undefined): void {
  if (value === undefined) return;
  if (target === 38) pen.fg = value;
  else if (target === 48) pen.bg = value;
}

/** One parameter without subparameters, colours by 38, 48, 58 aside. */
function applyPlain(pen: Pen, p: number): void {
  const set = SET[p];
  const clear = CLEAR[p];
  if (p === 0) {
    pen.attr = 0;
    pen.fg = pen.bg = undefined;
  } else if (set !== undefined) pen.attr |= set;
  else if (clear !== undefined) pen.attr &= ~clear;
  else if (p >= 30 && p <= 37) pen.fg = p - 30;
  else if (p >= 40 && p <= 47) pen.bg = p - 40;
  else if (p >= 90 && p <= 97) pen.fg = p - 90 + 8;
  else if (p >= 100 && p <= 107) pen.bg = p - 100 + 8;
  else if (p === 39) pen.fg = undefined;
  else if (p === 49) pen.bg = undefined;
}

function applyColon(pen: Pen, sub: readonly number[]): void {
  const [p, first] = sub;
  if (p === 4) {
    if (first === 0) pen.attr &= ~Attr.Underline;
    else pen.attr |= Attr.Underline;
  } else if (p === 38 || p === 48) setColour(pen, p, colonColour(sub));
}

/** Digits, an empty parameter being 0. */
const toNumber = (text: string): number => (text === "" ? 0 : Number(text));

/** What follows from no style at all, which is what programs nearly always start from. */
const fromPlain = new Map<string, Style>();
const FROM_PLAIN_MAX = 1000;

/** The style behind `CSI params m`. A link stays: it has an end of its own. */
export function applySgr(style: Style, params: string): Style {
  if (style.href === undefined && (params === "" || params === "0")) return PLAIN;
  if (style !== PLAIN) return compute(style, params);
  let found = fromPlain.get(params);
  if (!found) {
    found = compute(style, params);
    if (fromPlain.size < FROM_PLAIN_MAX) fromPlain.set(params, found);
  }
  return found;
}

function compute(style: Style, params: string): Style {
  const pen: Pen = { attr: style.attr, fg: style.fg, bg: style.bg };
  const list = params.split(";");
  for (let i = 0; i < list.length; i++) {
    const text = list[i] ?? "";
    if (text.includes(":")) {
      applyColon(pen, text.split(":").map(toNumber));
      continue;
    }
    const p = toNumber(text);
    if (p !== 38 && p !== 48 && p !== 58) {
      applyPlain(pen, p);
      continue;
    }
    const kind = toNumber(list[i + 1] ?? "");
    const count = kind === 5 ? 1 : kind === 2 ? 3 : 0;
    setColour(pen, p, colour(kind, list.slice(i + 2, i + 2 + count).map(toNumber)));
    i += count === 0 ? 0 : 1 + count;
  }
  return makeStyle(pen.attr, pen.fg, pen.bg, style.href);
}

export function withLink(style: Style, href: string | undefined): Style {
  return makeStyle(style.attr, style.fg, style.bg, href);
}

function makeStyle(attr: number, fg?: number, bg?: number, href?: string): Style {
  if (attr === 0 && fg === undefined && bg === undefined && href === undefined) return PLAIN;
  return {
    attr,
    ...(fg === undefined ? {} : { fg }),
    ...(bg === undefined ? {} : { bg }),
    ...(href === undefined ? {} : { href }),
  };
}
