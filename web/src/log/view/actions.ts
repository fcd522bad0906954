/** What keys, clicks and the clipboard do in a log view. */
import { toast, toastError } from "../../app/toast";
import { wrap } from "../../app/settings";
import { copyText } from "./clipboard";
import type { LogController } from "./controller";
import { actionOf, isTyping, pagesOf, type Action } from "./keys";
import { cutText } from "./selection";
import { lines } from "./time";

export interface Sheets {
  help(): void;
  goTo(): void;
  busy(text: string): void;
}

/** Shown only when it takes longer than this. */
const BUSY_MS = 300;

async function withBusy(sheets: Sheets, text: string, work: Promise<void>): Promise<void> {
  const timer = setTimeout(() => sheets.busy(text), BUSY_MS);
  try {
    await work;
  } catch (error) {
    toastError(error);
  } finally {
    clearTimeout(timer);
    sheets.busy("");
  }
}

/** What is to be copied: selected text, else the lines of the range, else all. */
function wanted(log: LogController): Promise<string> {
  const selected = log.selection?.current;
  if (selected) {
    const here = log.selection?.textInPage();
    if (typeof here === "string") return Promise.resolve(here);
    return log.source.text(selected.from.seq, selected.to.seq).then((text) => cutText(text, selected));
  }
  const { first, last } = log.extent.peek();
  const range = log.range.peek() ?? { from: first, to: last };
  const here = log.textHere(range);
  return here === null ? log.source.text(range.from, range.to) : Promise.resolve(here);
}

export function copy(log: LogController, sheets: Sheets): void {
  const work = copyText(wanted(log)).then((text) => {
    toast(`Copied ${lines(text === "" ? 0 : text.replace(/\n$/, "").split("\n").length)}`);
  });
  void withBusy(sheets, "copying …", work);
}

/** The browser's own copy command: it gets plain text without numbers, times and signs. */
export function onCopy(event: ClipboardEvent, log: LogController, sheets: Sheets): void {
  const selected = log.selection?.current;
  if (!selected || isTyping(event.target)) return;
  event.preventDefault();
  const here = log.selection?.textInPage();
  if (typeof here === "string") event.clipboardData?.setData("text/plain", here);
  else copy(log, sheets);
}

function letGo(log: LogController): void {
  if (log.search.open.peek()) log.search.hide();
  else if (log.selection?.current) document.getSelection()?.removeAllRanges();
  else if (log.range.peek()) log.clearRange();
}

type Doer = (log: LogController, sheets: Sheets) => void;

const DOERS: Record<Action, Doer> = {
  search: (log) => log.search.show(),
  next: (log) => void log.search.step(true),
  previous: (log) => void log.search.step(false),
  start: (log) => log.goTo(log.extent.peek().first),
  end: (log) => log.goTo("end"),
  follow: (log) => log.follow(!log.following.peek()),
  wrap: () => { wrap.value = wrap.peek() === "on" ? "off" : "on"; },
  pause: (log) => log.pause(!log.paused.peek()),
  stamps: (log) => log.cycleStamps(),
  foldAll: (log) => log.foldAll(!log.allFolded.peek()),
  json: (log) => log.setJson(!log.json.peek()),
  goTo: (_log, sheets) => sheets.goTo(),
  help: (_log, sheets) => sheets.help(),
  copy,
  close: letGo,
  selectAll: (log) => {
    const { first, last } = log.extent.peek();
    log.selection?.select(first, last);
  },
};

/** Arrows scroll the log also when nothing in particular has the focus; pages are turned at once, here. */
function scrollKey(event: KeyboardEvent, log: LogController, scroller: HTMLElement): void {
  const { target } = event;
  if (target !== document.body && target !== scroller) return;
  const pages = pagesOf(event);
  if (pages !== 0) {
    event.preventDefault();
    log.scrollPages(pages);
  } else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
    if (target !== scroller) scroller.focus({ preventScroll: true });
    if (event.key === "ArrowUp" && !log.sight.peek().atStart && log.following.peek()) log.follow(false);
  }
}

export function onKey(event: KeyboardEvent, log: LogController, scroller: HTMLElement, sheets: Sheets): void {
  if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
  const typing = isTyping(event.target);
  const action = actionOf({ key: event.key, ctrlKey: event.ctrlKey, altKey: event.altKey, metaKey: event.metaKey, typing });
  if (action) {
    event.preventDefault();
    DOERS[action](log, sheets);
  } else if (!typing) {
    scrollKey(event, log, scroller);
  }
}

function rowSeqs(target: Element): { seq: number; lastSeq: number } | null {
  const row = target.closest<HTMLElement>("[data-seq]");
  return row ? { seq: Number(row.dataset["seq"]), lastSeq: Number(row.dataset["lastSeq"]) } : null;
}

/** Clicks in the rows: numbers, folds, whole lines, JSON. */
export function onRowClick(event: MouseEvent, log: LogController): void {
  if (!(event.target instanceof Element) || event.button !== 0) return;
  const row = rowSeqs(event.target);
  if (!row) return;
  const { target } = event;
  const number = target.closest<HTMLAnchorElement>(".num");
  if (number) {
    if (event.ctrlKey || event.metaKey || event.altKey || number.pathname !== location.pathname) return;
    event.preventDefault();
    log.clickNumber(row.seq, row.lastSeq, event.shiftKey);
  } else if (target.closest(".fold") || (target.closest(".row-group-start .text") && !target.closest("a") && !log.selection?.current)) {
    const open = target.closest("[data-seq]")?.querySelector(".fold")?.getAttribute("aria-expanded") === "true";
    log.fold(row.seq, open);
  } else if (target.closest(".more")) {
    log.toggleWhole(row.seq);
  } else if (target.closest(".json-one")) {
    log.toggleJson(row.seq);
  }
}
