/**
 * One row of a terminal: what a line becomes once the cursor moves in it. A wide character takes two
 * cells (the second is empty), a combining one joins the cell before.
 */
import { columns } from "./chars";
import { PLAIN, type Style } from "./sgr";

const TAB = 8;

export class Cells {
  /** "" = second half of a wide character; undefined = nothing was written or it was erased. */
  private readonly text: (string | undefined)[] = [];
  private readonly styles: Style[] = [];
  /** Index in the raw text that each cell comes from. */
  private readonly source: number[] = [];
  private column = 0;
  /** Columns written to beyond `max`: since the cursor was last set, and at most. */
  private beyond = 0;
  private widest = 0;

  constructor(private readonly max: number) {}

  get rest(): number {
    return this.widest;
  }

  /** `from`: index of the text in the raw one; a picture (atOnce) comes from one character. */
  write(text: string, style: Style, from: number, atOnce: boolean): void {
    let index = from;
    for (const character of text) {
      if (character === "\t") this.tab(style, index);
      else this.put(character, style, index);
      if (!atOnce) index += character.length;
    }
  }

  moveTo(column: number): void {
    this.column = Math.max(0, Math.min(column, this.max));
    this.beyond = 0;
  }

  moveBy(columnsRight: number): void {
    this.moveTo(this.column + columnsRight);
  }

  /** EL: 0 from the cursor to the end, 1 up to and with the cursor, 2 all. */
  erase(mode: number): void {
    const from = mode === 0 ? this.column : 0;
    const to = mode === 1 ? Math.min(this.column + 1, this.text.length) : this.text.length;
    if (mode !== 1) this.widest = this.beyond = 0;
    this.blank(from, to);
    if (mode !== 1) this.text.length = Math.min(this.text.length, from);
  }

  /** ECH: cells from the cursor on, which stays. */
  eraseCells(count: number): void {
    this.blank(this.column, Math.min(this.column + count, this.text.length));
  }

  /** Calls back for every cell that is seen, spaces for those that were skipped. */
  each(callback: (text: string, style: Style, source: number) => void): void {
    let end = this.text.length;
    while (end > 0 && this.text[end - 1] === undefined) end--;
    for (let i = 0; i < end; i++) {
      const text = this.text[i];
      if (text === undefined) callback(" ", PLAIN, -1);
      else if (text !== "") callback(text, this.styles[i] ?? PLAIN, this.source[i] ?? -1);
    }
  }

  private put(character: string, style: Style, from: number): void {
    const width = columns(character);
    const at = this.column;
    if (width === 0 && at > 0) {
      this.combine(at - 1, character);
      return;
    }
    const taken = Math.max(1, width);
    this.column = Math.min(at + taken, this.max);
    if (at + taken > this.max) {
      this.beyond += taken;
      this.widest = Math.max(this.widest, this.beyond);
      return;
    }
    this.blank(at, at + taken);
    this.set(at, character, style, from);
    if (taken === 2) this.set(at + 1, "", style, from);
  }

  private set(at: number, text: string, style: Style, from: number): void {
    while (this.text.length < at) this.text.push(undefined);
    this.text[at] = text;
    this.styles[at] = style;
    this.source[at] = from;
  }

  /** A character has a few marks; more of them are a joke on the reader. */
  private combine(at: number, mark: string): void {
    const base = this.text[at] === "" ? at - 1 : at;
    const text = this.text[base];
    if (text !== undefined && text.length < 32) this.text[base] = text + mark;
  }

  private tab(style: Style, from: number): void {
    const stop = Math.min(this.max, (Math.floor(this.column / TAB) + 1) * TAB);
    for (; this.column < stop; this.column++) {
      if (this.text[this.column] === undefined) this.set(this.column, " ", style, from);
    }
  }

  /** Erases [from, to), and the other half of a wide character that is cut. */
  private blank(from: number, to: number): void {
    if (this.text[from] === "" && from > 0) this.text[from - 1] = " ";
    if (this.text[to] === "") this.text[to] = " ";
    for (let i = from; i < to && i < this.text.length; i++) this.text[i] = undefined;
  }
}
