import { describe, expect, it } from "vitest";
import { actionOf, isTyping, KEYS, pagesOf } from "./keys";

const press = (key: string, more: Partial<Parameters<typeof actionOf>[0]> = {}) =>
  actionOf({ key, ctrlKey: false, altKey: false, metaKey: false, typing: false, ...more });

describe("actionOf", () => {
  it.each([
    ["/", "search"], ["n", "next"], ["N", "previous"], ["g", "start"], ["G", "end"], ["Home", "start"], ["End", "end"], ["f", "follow"],
    ["w", "wrap"], ["p", "pause"], ["t", "stamps"], ["?", "help"], ["Escape", "close"],
  ])("%s asks for %s", (key, action) => expect(press(key)).toBe(action));

  it("leaves text that is typed alone, but not Escape", () => {
    for (const { keys, action } of KEYS) for (const key of keys) expect(press(key, { typing: true })).toBe(action === "close" ? "close" : null);
    expect(press("a", { ctrlKey: true, typing: true })).toBeNull();
  });

  it("leaves the browser its own keys", () => {
    expect(press("f", { ctrlKey: true })).toBeNull();
    expect(press("n", { metaKey: true })).toBeNull();
    expect(press("g", { altKey: true })).toBeNull();
    expect(press("ArrowDown")).toBeNull();
  });

  it("selects all of the log", () => {
    expect(press("a", { ctrlKey: true })).toBe("selectAll");
    expect(press("A", { metaKey: true })).toBe("selectAll");
  });

  it("gives each key one meaning", () => {
    const all = KEYS.flatMap((key) => key.keys);
    expect(new Set(all).size).toBe(all.length);
  });
});

it("knows where people type", () => {
  const input = (type: string): HTMLInputElement => Object.assign(document.createElement("input"), { type });
  expect(isTyping(input("text"))).toBe(true);
  expect(isTyping(input("checkbox"))).toBe(false);
  expect(isTyping(document.createElement("textarea"))).toBe(true);
  expect(isTyping(document.createElement("div"))).toBe(false);
  expect(isTyping(null)).toBe(false);
});

it.each([["PageDown", false, 1], ["PageUp", false, -1], [" ", false, 1], [" ", true, -1], ["x", false, 0], ["ArrowUp", false, 0]])(
  "%j with shift %j turns %d pages",
  (key, shiftKey, pages) => {
    expect(pagesOf({ key, shiftKey, ctrlKey: false, altKey: false, metaKey: false })).toBe(pages);
    expect(pagesOf({ key, shiftKey, ctrlKey: true, altKey: false, metaKey: false })).toBe(0);
  },
);
