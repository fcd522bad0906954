// @vitest-environment node
import { describe, expect, it } from "vitest";
import type { Match } from "../model";
import type { RawRecord } from "./page";
import { visibleSpans } from "./spans";
import { numbered, Reader } from "./testing/reader";

const T = 1_700_000_000_000;

describe("a match in what is seen", () => {
  const rows: [name: string, raw: string, spans: [number, number][], seen: [number, number][]][] = [
    ["plain", "an error here", [[3, 8]], [[3, 8]]],
    ["behind colours", "\x1b[31merror\x1b[m", [[5, 10]], [[0, 5]]],
    ["over colours", "er\x1b[1mror", [[0, 9]], [[0, 5]]],
    ["in a sequence alone", "\x1b[31mx", [[2, 4]], []],
    ["several", "a a a", [[0, 1], [2, 3], [4, 5]], [[0, 1], [2, 3], [4, 5]]],
    ["overwritten", "error\rfixed", [[0, 5]], []],
    ["what was overwritten by", "error\rfixed", [[6, 11]], [[0, 5]]],
    ["half overwritten", "error\rXX", [[0, 5]], [[2, 5]]],
    ["erased", "error\r\x1b[Kok", [[0, 5]], []],
    ["behind a picture", "\x00error", [[1, 6]], [[1, 6]]],
    ["behind a long picture", "\u202eerror", [[1, 6]], [[8, 13]]],
    ["a picture", "\u202e", [[0, 1]], [[0, 8]]],
    ["behind wide characters", "日本error", [[2, 7]], [[2, 7]]],
    ["behind emoji, in cells", "\r😀error", [[3, 8]], [[2, 7]]],
    ["in a group's title", "::group::error", [[9, 14]], [[0, 5]]],
    ["in its marker", "::group::error", [[2, 14]], [[0, 5]]],
    ["in a group's coloured title", "--- \x1b[31merror", [[9, 14]], [[0, 5]]],
    ["of nothing", "x", [], []],
  ];
  it.each(rows)("%s", (_name, raw, spans, seen) => {
    expect(visibleSpans(raw, spans)).toEqual(seen);
  });
});

const LOG: RawRecord[] = numbered(100).map((record, i) => ((i + 1) % 25 === 0 ? [T, "o", `an Error ${i + 1}`] : record));

async function searching(text: string, options: { regex?: boolean; ignoreCase?: boolean } = {}): Promise<{
  reader: Reader;
  find: (from: number, direction: "next" | "previous") => Promise<number | null | string>;
}> {
  const reader = new Reader();
  reader.server.append(...LOG);
  const query = { text, regex: options.regex ?? false, ignoreCase: options.ignoreCase ?? false };
  reader.session.command({ kind: "search", search: 1, query });
  let id = 0;
  return {
    reader,
    async find(from, direction) {
      reader.session.command({ kind: "find", id: ++id, search: 1, from, direction });
      await reader.clock.run(5000);
      const answer = reader.answers.get(id);
      if (answer?.error !== undefined) return answer.error;
      return (answer?.value as Match | null | undefined)?.seq ?? null;
    },
  };
}

describe("search", () => {
  it("goes from line to line, both ways", async () => {
    const { find } = await searching("Error");
    expect(await find(0, "next")).toBe(25);
    expect(await find(25, "next")).toBe(50);
    expect(await find(75, "next")).toBe(100);
    expect(await find(100, "next")).toBe(null);
    expect(await find(0, "previous")).toBe(100);
    expect(await find(100, "previous")).toBe(75);
    expect(await find(25, "previous")).toBe(null);
  });

  it("remembers what it found", async () => {
    const { reader, find } = await searching("line");
    expect(await find(0, "next")).toBe(1);
    const requests = reader.server.requests.length;
    expect(await find(1, "next")).toBe(2);
    expect(await find(5, "next")).toBe(6);
    expect(reader.server.requests).toHaveLength(requests);
  });

  it("hands on the text as it is", async () => {
    const { reader, find } = await searching("a&b=c d+%");
    await find(0, "next");
    const url = new URL(reader.server.requests.at(-1) ?? "", "http://a");
    expect(url.searchParams.get("q")).toBe("a&b=c d+%");
    const other = await searching("E.ror\\s", { regex: true, ignoreCase: true });
    expect(await other.find(0, "next")).toBe(25);
    expect(other.reader.server.requests.at(-1)).toContain("regex=E.ror%5Cs&ignore_case=1");
  });

  it("counts as it goes on", async () => {
    const { reader } = await searching("Error");
    reader.session.command({ kind: "count", search: 1 });
    await reader.clock.run(5000);
    expect(reader.counts.length).toBeGreaterThan(3);
    expect(reader.counts.slice(0, -1).every((count) => !count.done)).toBe(true);
    expect(reader.counts.at(-1)).toEqual({ lines: 4, matches: 4, searchedTo: 100, done: true });
  });

  it("waits while others search, and says what is wrong", async () => {
    const { reader, find } = await searching("Error");
    reader.server.failing = { status: 429, times: 2, headers: { "Retry-After": "1" } };
    expect(await find(0, "next")).toBe(25);
    reader.server.failing = { status: 400, times: 1 };
    expect(await find(25, "previous")).toBe("not now");
    reader.server.failing = { status: 400, times: 1 };
    reader.session.command({ kind: "count", search: 1 });
    await reader.clock.run(100);
    expect(reader.counts.at(-1)).toMatchObject({ done: true, error: "not now" });
  });

  it("is called off", async () => {
    const { reader } = await searching("Error");
    reader.session.command({ kind: "count", search: 1 });
    await reader.clock.run(30);
    reader.session.command({ kind: "cancel", search: 1 });
    await reader.clock.run(1000);
    const counts = reader.counts.length;
    const requests = reader.server.requests.length;
    await reader.clock.run(60_000);
    expect(reader.counts).toHaveLength(counts);
    expect(reader.server.requests).toHaveLength(requests);
    expect(reader.clock.pending).toBe(0);
  });
});
