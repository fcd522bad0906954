/** Which key does what. The help sheet is made of the same table, so that it cannot lie. */

export type Action =
  | "search" | "next" | "previous" | "start" | "end" | "follow" | "wrap" | "pause" | "stamps" | "help" | "close"
  | "foldAll" | "json" | "goTo" | "copy" | "selectAll";

interface Key {
  keys: string[];
  action: Action;
  what: string;
}

export const KEYS: readonly Key[] = [
  { keys: ["/"], action: "search", what: "Search the whole log" },
  { keys: ["n"], action: "next", what: "Next match" },
  { keys: ["N"], action: "previous", what: "Previous match" },
  { keys: ["g", "Home"], action: "start", what: "First line" },
  { keys: ["G", "End"], action: "end", what: "Last line, and follow" },
  { keys: [":"], action: "goTo", what: "Go to a line by its number" },
  { keys: ["f"], action: "follow", what: "Follow new lines, or stop following" },
  { keys: ["p"], action: "pause", what: "Pause: take no new lines until pressed again" },
  { keys: ["w"], action: "wrap", what: "Wrap long lines" },
  { keys: ["t"], action: "stamps", what: "Times: none, since the start, local, UTC" },
  { keys: ["z"], action: "foldAll", what: "Fold or unfold all groups" },
  { keys: ["j"], action: "json", what: "Lay JSON lines out" },
  { keys: ["c"], action: "copy", what: "Copy the selected lines" },
  { keys: ["?"], action: "help", what: "This sheet" },
  { keys: ["Escape"], action: "close", what: "Close search, the sheet, or let go of a selection" },
];

/** Keys the scroller takes itself, told in the sheet. */
export const SCROLL_KEYS = [
  { keys: ["↑", "↓"], what: "Scroll by lines" },
  { keys: ["PageUp", "PageDown", "Space"], what: "Scroll by pages" },
  { keys: ["Ctrl A"], what: "Select the whole log, to copy it" },
] as const;

export interface KeyPress {
  key: string;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
  /** In a field where people type. */
  typing: boolean;
}

/** Pages that a key scrolls by: what was the last line in sight stays in sight. */
export function pagesOf(press: Pick<KeyPress, "key" | "ctrlKey" | "altKey" | "metaKey"> & { shiftKey: boolean }): number {
  if (press.ctrlKey || press.altKey || press.metaKey) return 0;
  if (press.key === "PageDown" || (press.key === " " && !press.shiftKey)) return 1;
  return press.key === "PageUp" || press.key === " " ? -1 : 0;
}

/** What a key press asks for; null: nothing of ours. */
export function actionOf(press: KeyPress): Action | null {
  if (press.key === "Escape") return "close";
  if (press.typing) return null;
  if ((press.ctrlKey || press.metaKey) && !press.altKey && press.key.toLowerCase() === "a") return "selectAll";
  if (press.ctrlKey || press.altKey || press.metaKey) return null;
  return KEYS.find((key) => key.keys.includes(press.key))?.action ?? null;
}

const FIELDS = new Set(["INPUT", "TEXTAREA", "SELECT"]);
const NO_TEXT = new Set(["checkbox", "radio", "button", "submit"]);

/** Whether keys pressed here are text, not commands. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable) return true;
  if (target instanceof HTMLInputElement && NO_TEXT.has(target.type)) return false;
  return FIELDS.has(target.tagName);
}
