/** Makes the element of one line, or of a gap. Text goes in as text nodes only: nothing a log says is markup. */
import type { Line, Run } from "../model";
import { lookOf } from "./colour";
import { layOutJson } from "./json";
import type { Matcher, Span } from "./matcher";
import { inRange, type LineRange } from "./permalink";
import { splitRuns, textOf } from "./segments";
import { countText, stampText, type Stamps } from "./time";

/** A line with the number that people see, where it is not its place in the view (several logs merged). */
export interface ViewLine extends Line {
  own?: { execution: string; label: string; index: number; seq: number };
}

export interface RowOptions {
  stamps: Stamps;
  /** When the execution began, for relative stamps. */
  start: number;
  range: LineRange | null;
  /** All JSON lines are laid out; `opposite` are those that stand the other way. */
  json: boolean;
  opposite: ReadonlySet<number>;
  matcher: Matcher | null;
  /** The match where search stands: the server's spans are shown even if the matcher here knows none. */
  current: { seq: number; spans: readonly Span[] } | null;
  /** Lines whose full length was asked for. */
  expanded: ReadonlySet<number>;
}

const STREAM_NAMES = { o: "", e: "standard error", s: "system" } as const;
const STREAM_SIGNS = { o: "", e: "!", s: "•" } as const;
const DEPTH_MAX = 8;

function make<K extends keyof HTMLElementTagNameMap>(tag: K, className: string, text = ""): HTMLElementTagNameMap[K] {
  const el = document.createElement(tag);
  if (className !== "") el.className = className;
  if (text !== "") el.textContent = text;
  return el;
}

function safeLink(href: string): HTMLAnchorElement | null {
  if (!/^https?:\/\//i.test(href)) return null;
  const link = make("a", "a-l");
  link.href = href;
  link.rel = "noopener noreferrer nofollow";
  link.target = "_blank";
  return link;
}

function wear(el: HTMLElement, run: Run): void {
  const look = lookOf(run);
  if (!look) return;
  if (look.className !== "") el.classList.add(...look.className.split(" "));
  for (const [name, value] of look.style) el.style.setProperty(name, value);
}

function piece(run: Run, text: string, hit: boolean, current: boolean): Node {
  const plain = run.href === undefined && !hit && run.attr === 0 && run.fg === undefined && run.bg === undefined;
  if (plain) return document.createTextNode(text);
  const el = (run.href === undefined ? null : safeLink(run.href)) ?? make(hit ? "mark" : "span", "");
  wear(el, run);
  if (hit) el.classList.add(current ? "hit-current" : "hit");
  el.textContent = text;
  return el;
}

function fillJson(text: HTMLElement, laid: NonNullable<ReturnType<typeof layOutJson>>, matcher: Matcher | null): void {
  const runs = laid.map((part) => ({ text: part.text, attr: 0 }));
  const kinds = new Map(runs.map((run, i) => [run, laid[i]?.kind ?? "plain"]));
  for (const segment of splitRuns(runs, matcher ? matcher(textOf(runs)) : [])) {
    const el = make(segment.hit ? "mark" : "span", `j-${kinds.get(segment.run as (typeof runs)[number]) ?? "plain"}`, segment.text);
    if (segment.hit) el.classList.add("hit");
    text.append(el);
  }
}

function isLaidOut(line: ViewLine, options: RowOptions): boolean {
  return line.isJson && options.json !== options.opposite.has(line.seq);
}

function fillText(text: HTMLElement, line: ViewLine, options: RowOptions): void {
  const laid = isLaidOut(line, options) ? layOutJson(textOf(line.runs)) : null;
  if (laid) return fillJson(text, laid, options.matcher);
  const current = options.current?.seq === line.seq ? options.current : null;
  const spans = current ? current.spans : options.matcher ? options.matcher(textOf(line.runs)) : [];
  const parts = spans.length === 0 ? line.runs.map((run) => ({ run, text: run.text, hit: false })) : splitRuns(line.runs, spans);
  text.append(...parts.map((part) => piece(part.run, part.text, part.hit, current !== null)));
}

function numberOf(line: ViewLine): HTMLElement {
  const seq = line.own?.seq ?? line.seq;
  const number = make("a", "num", String(seq));
  number.dataset["testid"] = "log-number";
  number.tabIndex = -1;
  number.href = line.own ? `/executions/${line.own.execution}#L${seq}` : `#L${seq}`;
  number.setAttribute("aria-label", `Line ${seq}`);
  return number;
}

function gutterOf(line: ViewLine, options: RowOptions): HTMLElement {
  const gutter = make("span", "gutter");
  if (line.own) {
    const label = make("span", `label label-${line.own.index % 8}`, line.own.label);
    label.title = line.own.execution;
    gutter.append(label);
  }
  gutter.append(numberOf(line));
  if (options.stamps !== "off") {
    const stamp = make("span", "stamp", stampText(options.stamps, line.time, options.start));
    stamp.dataset["testid"] = "log-time";
    stamp.title = new Date(line.time).toISOString();
    gutter.append(stamp);
  }
  const sign = make("span", "sign", STREAM_SIGNS[line.stream]);
  sign.setAttribute("aria-hidden", "true");
  if (line.stream !== "o") sign.title = STREAM_NAMES[line.stream];
  gutter.append(sign);
  return gutter;
}

function button(className: string, text: string, label: string): HTMLButtonElement {
  const el = make("button", className, text);
  el.type = "button";
  el.title = label;
  el.setAttribute("aria-label", label);
  return el;
}

function foldButton(line: ViewLine): HTMLButtonElement {
  const open = line.group?.open === true;
  const el = button("fold", open ? "▾" : "▸", `${open ? "Fold" : "Unfold"} ${line.group?.title ?? "group"}`);
  el.dataset["testid"] = "fold-toggle";
  el.setAttribute("aria-expanded", String(open));
  return el;
}

function bodyOf(line: ViewLine, options: RowOptions): HTMLElement {
  const body = make("span", "body");
  if (STREAM_NAMES[line.stream] !== "") body.append(make("span", "sr-only", `${STREAM_NAMES[line.stream]}: `));
  if (line.group?.kind === "start") body.append(foldButton(line));
  const text = make("span", "text");
  text.dataset["testid"] = "log-text";
  fillText(text, line, options);
  body.append(text);
  if (line.rest !== undefined && line.rest > 0) body.append(button("more", `… ${countText(line.rest)} more`, "Show the whole line"));
  else if (options.expanded.has(line.seq)) body.append(button("more", "show less", "Show the line cut again"));
  if (line.isJson) {
    const on = isLaidOut(line, options);
    const toggle = button("json-one", "{ }", on ? "Show JSON as it was printed" : "Lay JSON out");
    toggle.setAttribute("aria-pressed", String(on));
    body.append(toggle);
  }
  return body;
}

function classOf(line: ViewLine, options: RowOptions): string {
  const classes = ["row", `row-${line.stream}`];
  if (line.group) classes.push(`row-group-${line.group.kind}`);
  if (line.depth > 0) classes.push(`depth-${Math.min(line.depth, DEPTH_MAX)}`);
  if (inRange(options.range, line.seq, line.lastSeq)) classes.push("row-selected");
  if (options.current?.seq === line.seq) classes.push("row-current");
  return classes.join(" ");
}

export function markRow(row: HTMLElement, line: ViewLine, options: RowOptions): void {
  row.className = classOf(line, options);
}

export function makeRow(line: ViewLine, options: RowOptions): HTMLElement {
  const row = make("div", classOf(line, options));
  row.dataset["testid"] = "log-line";
  row.dataset["seq"] = String(line.seq);
  row.dataset["lastSeq"] = String(line.lastSeq);
  row.dataset["stream"] = line.stream;
  if (line.own) row.dataset["execution"] = line.own.execution;
  row.append(gutterOf(line, options), bodyOf(line, options));
  return row;
}

export function makeGapRow(from: number, to: number): HTMLElement {
  const what = from === to ? `Line ${countText(from)} was` : `Lines ${countText(from)}–${countText(to)} were`;
  const row = make("div", "row row-gap", `${what} removed by retention`);
  row.dataset["testid"] = "log-gap";
  return row;
}
