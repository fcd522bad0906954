/**
 * Turns what a program wrote for one line into what is seen of it. Fed in parts, as they come; any
 * cut of the same text gives the same line, also one through an escape sequence.
 *
 *   feed … ─▶ runs, rest      (again after the next feed)
 *
 * Text is collected as it is until the cursor moves (\r, \b, CSI …): then it becomes cells. Colours
 * begin anew at each line: a line looks the same whichever lines were fetched around it.
 */
import { Attr, type Run } from "../model";
import { Cells } from "./cells";
import { findSpecial, picture } from "./chars";
import { readSequence, type Sequence } from "./escape";
import { safeHref } from "./links";
import { applySgr, PLAIN, sameStyle, type Style, withLink } from "./sgr";

/** UTF-16 code units of a line that are shown; what is more is told in `rest`. */
export const SHOWN_MAX = 16_384;
/** What is looked at of a line at all: a longer one is not shown behind this. */
export const INPUT_MAX = 4 << 20;

/** A line with more changes of style is made to fill the page with elements. */
const RUNS_MAX = 2000;

interface Segment {
  text: string;
  style: Style;
  /** Index in the raw text, and how much of it this stands for. */
  source: number;
  length: number;
}

export class LineParser {
  private style: Style = PLAIN;
  private pending = "";
  private fed = 0;
  private skipped = 0;
  private segments: Segment[] = [];
  private length = 0;
  private cells: Cells | undefined;
  /** \r at the end of a line moves nothing: only what follows does. */
  private isReturned = false;

  constructor(private readonly shownMax = SHOWN_MAX) {}

  /** Raw code units so far. */
  get size(): number {
    return this.fed + this.pending.length + this.skipped;
  }

  /** Characters that are not shown, at least. */
  get rest(): number {
    const beyond = this.cells ? this.cells.rest : Math.max(0, this.length - this.shownMax);
    return beyond + this.skipped;
  }

  feed(part: string): void {
    const room = INPUT_MAX - this.fed - this.pending.length;
    if (part.length > room) {
      this.skipped += part.length - Math.max(0, room);
      part = part.slice(0, Math.max(0, room));
    }
    const text = this.pending === "" ? part : this.pending + part;
    this.pending = "";
    // A pair that is cut in two is put together again with the next part.
    const end = this.scan(isHighSurrogate(text, text.length) ? text.slice(0, -1) : text);
    this.pending = text.slice(end);
    this.fed += end;
  }

  /** What is seen, neighbours of the same style joined. */
  runs(): Run[] {
    const runs: Run[] = [];
    let last: Style | undefined;
    this.each((text, style) => {
      const run = runs[runs.length - 1];
      if (run && last && (runs.length >= RUNS_MAX || sameStyle(last, style))) run.text += text;
      else runs.push({ text, ...style });
      last = style;
    });
    return runs;
  }

  /**
   * Calls back for each piece that is seen, with the raw text it stands for: `source` is -1 for what
   * nothing was written to; `length` 0 = each code unit for itself.
   */
  each(callback: (text: string, style: Style, source: number, length: number) => void): void {
    if (this.cells) {
      this.cells.each((text, style, source) => callback(text, style, source, 1));
      return;
    }
    let left = this.shownMax;
    for (const { text, style, source, length } of this.segments) {
      const shown = text.length <= left ? text : cutAt(text, left);
      if (shown !== "") callback(shown, style, source, length);
      left -= shown.length;
      if (shown.length < text.length) break;
    }
  }

  /** Takes as much as is whole; returns where the rest begins. */
  private scan(text: string): number {
    let at = 0;
    while (at < text.length) {
      const special = findSpecial(text, at);
      const end = special < 0 ? text.length : special;
      if (end > at) this.put(text.slice(at, end), at);
      if (special < 0) return end;
      const next = this.special(text, special);
      if (next < 0) return special;
      at = next;
    }
    return at;
  }

  /** Where to go on behind the character; negative: its sequence is cut off. */
  private special(text: string, at: number): number {
    const code = text.codePointAt(at) ?? 0;
    if (code === 0x1b) return this.escape(text, at);
    if (code === 0x0d) this.isReturned = true;
    else if (code === 0x08) this.screen().moveBy(-1);
    else if (code !== 0x0e && code !== 0x0f) {
      // Shift in and out (which `tput sgr0` prints) show nothing.
      const shown = { ...this.style, attr: this.style.attr | Attr.Picture };
      this.put(picture(code), at, shown);
    }
    return at + (code > 0xffff ? 2 : 1);
  }

  private escape(text: string, at: number): number {
    const sequence = readSequence(text, at);
    if (sequence.kind === "cut") return -1;
    if (sequence.kind === "malformed") {
      this.put(picture(0x1b), at, { ...this.style, attr: this.style.attr | Attr.Picture });
      return at + 1;
    }
    if (sequence.kind === "csi") this.control(sequence);
    else if (sequence.kind === "osc") this.command(sequence.body);
    return sequence.end;
  }

  private control({ params, final }: Extract<Sequence, { kind: "csi" }>): void {
    if (final === "m") {
      this.style = applySgr(this.style, params);
      return;
    }
    const [first = "", second = ""] = params.split(";");
    const value = Number.parseInt(first, 10) || 0;
    const count = Math.max(1, value);
    if (final === "K" || (final === "J" && value === 0)) this.screen().erase(value);
    else if (final === "C" || final === "a") this.screen().moveBy(count);
    else if (final === "D") this.screen().moveBy(-count);
    else if (final === "G" || final === "`") this.screen().moveTo(count - 1);
    else if (final === "H" || final === "f") this.screen().moveTo((Number.parseInt(second, 10) || 1) - 1);
    else if (final === "X") this.screen().eraseCells(count);
  }

  /** Hyperlinks: `8;PARAMS;ADDRESS`, ended by an empty address. Titles and the like show nothing. */
  private command(body: string): void {
    if (!body.startsWith("8;")) return;
    const second = body.indexOf(";", 2);
    if (second >= 0) this.style = withLink(this.style, safeHref(body.slice(second + 1)));
  }

  /** `shown`: a picture, which stands for one character at `at`. */
  private put(text: string, at: number, shown?: Style): void {
    const source = this.fed + at;
    if (this.cells || this.isReturned) {
      this.screen().write(text, shown ?? this.style, source, shown !== undefined);
      return;
    }
    if (this.length <= this.shownMax) {
      const style = shown ?? this.style;
      this.segments.push({ text: cutAt(text, this.shownMax), style, source, length: shown ? 1 : 0 });
    }
    this.length += text.length;
  }

  /** The row of cells, with the cursor where it was moved to. */
  private screen(): Cells {
    if (!this.cells) {
      this.cells = new Cells(this.shownMax);
      for (const { text, style, source, length } of this.segments) {
        this.cells.write(text, style, source, length > 0);
      }
      this.segments = [];
    }
    if (this.isReturned) {
      this.isReturned = false;
      this.cells.moveTo(0);
    }
    return this.cells;
  }
}

function isHighSurrogate(text: string, end: number): boolean {
  const code = text.charCodeAt(end - 1);
  return code >= 0xd800 && code <= 0xdbff;
}

/** At most `max` code units, no pair cut in two. */
function cutAt(text: string, max: number): string {
  if (text.length <= max) return text;
  return text.slice(0, max > 0 && isHighSurrogate(text, max) ? max - 1 : max);
}
