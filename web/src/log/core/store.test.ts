// @vitest-environment node
import { describe, expect, it } from "vitest";
import { BACKOFF_FIRST_MS, BACKOFF_MAX_MS, backoff } from "./backoff";
import { recordOf } from "./fetcher";
import { columns, picture } from "./chars";
import { Page, type RawRecord } from "./page";
import { RECORDS_MAX, Store } from "./store";
import { numbered } from "./testing/reader";
import { seeded } from "./testing/random";

describe("the window", () => {
  it("keeps what was looked at last, and the end", () => {
    const store = new Store();
    for (let at = 1; at < 200_000; at += 1000) {
      store.add(at, numbered(1000, at));
      store.page(3);
    }
    expect(store.pageCount).toBe(RECORDS_MAX / 1000);
    expect(store.peek(3)?.has(3001)).toBe(true);
    expect(store.peek(4)).toBeUndefined();
    expect(store.peek(199)?.has(200_000)).toBe(true);
    expect(store.missing(4)).toEqual([4001, 5000]);
  });

  it("keeps pinned pages, whatever comes", () => {
    const store = new Store();
    store.add(10_001, numbered(3000, 10_001));
    store.pin(10, 12);
    for (let at = 20_001; at < 150_000; at += 1000) store.add(at, numbered(1000, at));
    for (const page of [10, 11, 12]) expect(store.peek(page)?.isWhole).toBe(true);
  });

  it("is bounded in text", () => {
    const store = new Store();
    const text = "x".repeat(65_536);
    for (let at = 1; at <= 20_000; at += 100) {
      store.add(at, Array.from({ length: 100 }, (): RawRecord => [0, "o", text]));
    }
    expect(store.pageCount).toBeLessThanOrEqual(3);
  });

  it("knows what is missing, in whatever order it comes", () => {
    const random = seeded(9);
    const store = new Store();
    store.grow(5000);
    const blocks = Array.from({ length: 50 }, (_, i) => i * 100 + 1).sort(() => random.next() - 0.5);
    for (const first of blocks) {
      expect(store.isMissing(first)).toBe(true);
      store.add(first, numbered(100, first));
      store.add(first, [[1, "e", "again"]]);
      expect(store.isMissing(first)).toBe(false);
    }
    for (let page = 0; page < 5; page++) expect(store.missing(page)).toBeUndefined();
    expect(store.peek(0)?.text(1)).toBe("line 1");
    expect(store.isMissing(5001)).toBe(false);
  });

  it("takes note of what retention removed", () => {
    const store = new Store();
    store.grow(10_000);
    store.remove(1, 2500);
    expect(store.extent).toEqual({ first: 2501, last: 10_000 });
    expect(store.missing(2)).toEqual([2501, 3000]);
    expect(store.missing(1)).toBeUndefined();
    store.remove(2501, 2600);
    expect(store.extent.first).toBe(2601);
    store.remove(4000, 4001);
    expect(store.extent.first).toBe(2601);
    expect([3999, 4000, 4001, 4002].map((seq) => store.isMissing(seq))).toEqual([true, false, false, true]);
  });
});

describe("a page", () => {
  it("links records of a stream, also those that come late", () => {
    const page = new Page(0);
    page.set(1, [0, "o", "a"]);
    page.set(2, [0, "e", "b"]);
    page.set(5, [0, "o", "e"]);
    expect([1, 2, 5].map((seq) => page.previousOf(seq))).toEqual([0, 0, 1]);
    page.set(3, [0, "o", "c"]);
    page.set(4, [0, "e", "d"]);
    expect([3, 4, 5].map((seq) => page.previousOf(seq))).toEqual([1, 2, 3]);
    expect([page.lastOfStream("o"), page.lastOfStream("e"), page.lastOfStream("s")]).toEqual([5, 4, 0]);
    page.set(6, [0, "s", "f"]);
    expect(page.lastOfStream("s")).toBe(6);
    expect(page.set(6, [0, "o", "again"])).toBe(false);
  });
});

describe("a record of a page", () => {
  const id = `0123456789abcdef0123456789abcdef-${"42".padStart(20, "0")}`;
  const rows: [event: Record<string, unknown>, record: unknown][] = [
    [{ event_id: id, timestamp: 5, message: "x", stream: "stderr" }, { seq: 42, record: [5, "e", "x"] }],
    [{ event_id: id, timestamp: 5, message: "", stream: "stdout", part: true }, { seq: 42, record: [5, "o", "", 1] }],
    [{ event_id: id, timestamp: 5, message: "x" }, { seq: 42, record: [5, "o", "x"] }],
    [{ event_id: "", message: "x" }, undefined],
    [{}, undefined],
  ];
  it.each(rows)("%j", (event, record) => {
    expect(recordOf(event)).toEqual(record);
  });
});

describe("waits between attempts", () => {
  it("grow, are bounded, and begin anew", () => {
    const low = backoff(() => 0);
    expect([low.next(), low.next(), low.next()]).toEqual([BACKOFF_FIRST_MS / 2, BACKOFF_FIRST_MS, BACKOFF_FIRST_MS * 2]);
    for (let i = 0; i < 50; i++) low.next();
    expect(low.next()).toBe(BACKOFF_MAX_MS / 2);
    expect(low.attempt).toBe(54);
    low.reset();
    expect(low.attempt).toBe(0);
    expect(backoff(() => 0.999).next()).toBeLessThanOrEqual(BACKOFF_FIRST_MS * 1.5);
  });
});

describe("characters", () => {
  it.each([
    ["a", 1],
    ["é", 1],
    ["\u0301", 0],
    ["\u200d", 0],
    ["日", 2],
    ["한", 2],
    ["Ａ", 2],
    ["😀", 2],
    ["✓", 1],
    ["─", 1],
    ["█", 1],
  ] as const)("%s takes %i columns", (character, count) => {
    expect(columns(character)).toBe(count);
  });

  it("are shown as pictures", () => {
    expect([0, 0x1b, 0x7f, 0x85, 0x202e].map(picture)).toEqual(["␀", "␛", "␡", "<U+0085>", "<U+202E>"]);
  });
});
