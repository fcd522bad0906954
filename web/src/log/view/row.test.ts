import { describe, expect, it } from "vitest";
import { Attr, type Line } from "../model";
import { FakeClient } from "./fake-client";
import { matcherOf } from "./matcher";
import { makeGapRow, makeRow, type RowOptions } from "./row";

const options: RowOptions = { stamps: "off", start: 0, range: null, json: false, opposite: new Set(), matcher: null, current: null, expanded: new Set() };
const row = (line: Partial<Line>, more: Partial<RowOptions> = {}) => makeRow({ ...FakeClient.line(12, "text"), ...line }, { ...options, ...more });
const text = (el: HTMLElement) => el.querySelector('[data-testid="log-text"]');

describe("makeRow", () => {
  it("never takes what a log prints as markup", () => {
    const hostile = `<img src=x onerror=alert(1)><script>1</script>&lt;"'`;
    const el = row({ runs: [{ text: hostile, attr: Attr.Bold, fg: 1 }] }, { matcher: matcherOf({ text: "script", regex: false, ignoreCase: false }) });
    expect(text(el)?.textContent).toBe(hostile);
    expect(el.querySelector("img, script")).toBeNull();
  });

  it.each(["javascript:alert(1)", "data:text/html,x", " https://x", "//x"])("makes no link to %s", (href) => {
    expect(row({ runs: [{ text: "x", attr: 0, href }] }).querySelector(".body a")).toBeNull();
  });

  it("opens links elsewhere and tells them nothing", () => {
    const link = row({ runs: [{ text: "x", attr: 0, href: "https://example.org/" }] }).querySelector<HTMLAnchorElement>(".body a");
    expect([link?.rel, link?.target]).toEqual(["noopener noreferrer nofollow", "_blank"]);
  });

  it("names the stream, also for who sees no colour", () => {
    expect(row({ stream: "e" }).querySelector(".sr-only")?.textContent).toBe("standard error: ");
    expect(row({ stream: "e" }).querySelector(".sign")?.textContent).toBe("!");
    expect(row({ stream: "o" }).querySelector(".sr-only")).toBeNull();
  });

  it("marks what matches without changing the text", () => {
    const el = row({ runs: [{ text: "ab", attr: 0 }, { text: "cab", attr: 0, fg: 2 }] }, { matcher: matcherOf({ text: "bc", regex: false, ignoreCase: false }) });
    expect([...el.querySelectorAll("mark")].map((mark) => mark.textContent)).toEqual(["b", "c"]);
    expect(text(el)?.textContent).toBe("abcab");
  });

  it("shows where search stands by the server's spans", () => {
    const el = row({}, { current: { seq: 12, spans: [[1, 3]] } });
    expect(el.querySelector(".hit-current")?.textContent).toBe("ex");
    expect(el.classList.contains("row-current")).toBe(true);
  });

  it("lays JSON out on demand", () => {
    const json: Partial<Line> = { isJson: true, runs: [{ text: '{"a":[1,null]}', attr: 0 }] };
    expect(text(row(json))?.textContent).toBe('{"a":[1,null]}');
    expect(text(row(json, { json: true }))?.textContent).toBe('{\n  "a": [\n    1,\n    null\n  ]\n}');
    expect(text(row(json, { json: true, opposite: new Set([12]) }))?.textContent).toBe('{"a":[1,null]}');
  });

  it("has a button for a group, a long line, JSON", () => {
    const group = row({ group: { kind: "start", title: "Build", open: false } }).querySelector("button");
    expect([group?.getAttribute("aria-expanded"), group?.getAttribute("aria-label")]).toEqual(["false", "Unfold Build"]);
    expect(row({ rest: 1234 }).querySelector(".more")?.textContent).toContain("1,234 more");
  });

  it("shows a range as selected, a number of its own in merged views", () => {
    expect(row({}, { range: { from: 10, to: 12 } }).classList.contains("row-selected")).toBe(true);
    expect(row({}, { range: { from: 13, to: 14 } }).classList.contains("row-selected")).toBe(false);
  });
});

it("says what retention removed", () => {
  expect(makeGapRow(1, 500).textContent).toBe("Lines 1–500 were removed by retention");
  expect(makeGapRow(3, 3).textContent).toBe("Line 3 was removed by retention");
});
