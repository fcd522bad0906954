/**
 * Colours of a log's runs. The 16 colours are classes whose values log-colours.css gives for each theme; 256 and
 * true colours are set through the CSSOM, moved towards white or black until they can be read (WCAG AA, 4.5:1).
 */
import { Attr, type Run } from "../model";

export type Rgb = readonly [number, number, number];

export const CONTRAST = 4.5;

/** The least favourable ground of each theme that text stands on: that of a selected line. */
export const GROUNDS = { light: [226, 241, 248] as Rgb, dark: [26, 52, 64] as Rgb };

/** The 16 colours as a terminal has them: for backgrounds, which look the same in both themes. */
const TERMINAL: readonly Rgb[] = [
  [36, 41, 47], [197, 40, 28], [35, 134, 54], [191, 135, 0], [31, 90, 200], [150, 60, 180], [20, 130, 145], [200, 208, 212],
  [101, 112, 119], [230, 80, 70], [63, 185, 80], [227, 179, 65], [88, 150, 255], [200, 130, 240], [86, 200, 210], [255, 255, 255],
];

const STEPS = [0, 95, 135, 175, 215, 255] as const;

/** A colour of a run as red, green, blue. */
export function rgbOf(colour: number): Rgb {
  if (colour >= 0x1000000) return [(colour >> 16) & 255, (colour >> 8) & 255, colour & 255];
  if (colour < 16) return TERMINAL[colour] ?? [0, 0, 0];
  if (colour >= 232) {
    const grey = 8 + (Math.min(colour, 255) - 232) * 10;
    return [grey, grey, grey];
  }
  const cube = colour - 16;
  return [STEPS[Math.floor(cube / 36)] ?? 0, STEPS[Math.floor(cube / 6) % 6] ?? 0, STEPS[cube % 6] ?? 0];
}

function luminance([r, g, b]: Rgb): number {
  const part = (c: number): number => (c <= 10.31475 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
}

export function contrast(a: Rgb, b: Rgb): number {
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

const WHITE: Rgb = [255, 255, 255];
const BLACK: Rgb = [0, 0, 0];

/** White or black, whichever is read better on it. */
const opposite = (ground: Rgb): Rgb => (contrast(WHITE, ground) >= contrast(BLACK, ground) ? WHITE : BLACK);

/** `colour`, moved as little as it takes to be read on `ground`. */
export function readable(colour: Rgb, ground: Rgb): Rgb {
  const target = opposite(ground);
  for (let step = 0; step <= 20; step++) {
    const share = step / 20;
    const mix = (i: 0 | 1 | 2): number => Math.round(colour[i] + (target[i] - colour[i]) * share);
    const mixed: Rgb = [mix(0), mix(1), mix(2)];
    if (contrast(mixed, ground) >= CONTRAST) return mixed;
  }
  return target;
}

export const cssOf = ([r, g, b]: Rgb): string => `rgb(${r} ${g} ${b})`;

export interface Look {
  className: string;
  /** Custom properties and colours to set through the CSSOM. */
  style: readonly (readonly [string, string])[];
}

function coloursOf(run: Run): { fg?: number | undefined; bg?: number | undefined; inverse: boolean } {
  const inverse = (run.attr & Attr.Inverse) !== 0;
  if (!inverse || (run.fg === undefined && run.bg === undefined)) return { fg: run.fg, bg: run.bg, inverse };
  // A terminal's default colours are not known here: what is swapped with one becomes dark on light, or light on dark.
  return { fg: run.bg, bg: run.fg ?? 7, inverse: false };
}

const ATTRIBUTES: readonly (readonly [number, string])[] = [
  [Attr.Bold, "a-b"], [Attr.Italic, "a-i"], [Attr.Strike, "a-s"], [Attr.Underline, "a-u"], [Attr.Conceal, "a-c"],
  [Attr.Picture, "a-p"], [Attr.Faint, "a-f"],
];

function makeLook(run: Run): Look {
  const { fg, bg, inverse } = coloursOf(run);
  const classes = ATTRIBUTES.filter(([bit]) => run.attr & bit).map(([, name]) => name);
  const style: [string, string][] = [];
  if (inverse) classes.push("a-n");
  if (bg !== undefined) {
    const ground = rgbOf(bg);
    style.push(["background-color", cssOf(ground)], ["color", cssOf(fg === undefined ? opposite(ground) : readable(rgbOf(fg), ground))]);
  } else if (fg !== undefined && fg < 16) {
    classes.push(`a-${fg}`);
  } else if (fg !== undefined) {
    classes.push("a-x");
    style.push(["--l", cssOf(readable(rgbOf(fg), GROUNDS.light))], ["--d", cssOf(readable(rgbOf(fg), GROUNDS.dark))]);
  }
  return { className: classes.join(" "), style };
}

const LOOKS_MAX = 4096;
const looks = new Map<string, Look>();

/** How a run looks; null: like any text. Remembered, as logs use few looks. */
export function lookOf(run: Run): Look | null {
  if (run.attr === 0 && run.fg === undefined && run.bg === undefined) return null;
  const key = `${run.attr},${run.fg ?? ""},${run.bg ?? ""}`;
  let look = looks.get(key);
  if (!look) {
    if (looks.size >= LOOKS_MAX) looks.clear();
    look = makeLook(run);
    looks.set(key, look);
  }
  return look;
}
