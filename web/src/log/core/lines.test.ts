// @vitest-environment node
import { describe, expect, it, vi } from "vitest";
import type { StreamCode } from "../model";
import { JOIN_BLOCK } from "./layout";
import { isJsonText } from "./line";
import { EXPANDED_MAX } from "./lines";
import type { RawRecord } from "./page";
import { SHOWN_MAX } from "./parser";
import { numbered, range, Reader, seen } from "./testing/reader";
import { seeded } from "./testing/random";

// Work, not time, is measured: a busy machine may take long.
vi.setConfig({ testTimeout: 60_000 });

const T = 1_700_000_000_000;

async function reading(records: RawRecord[], seq: number | "end" = "end", before = 100, after = 0): Promise<Reader> {
  const reader = new Reader();
  reader.server.append(...records);
  reader.want(seq, before, after);
  reader.session.start();
  await reader.clock.run(500);
  return reader;
}

describe("parts of lines", () => {
  it("are joined within their stream, in the order of their beginnings", async () => {
    const reader = await reading([
      [T, "o", "a", 1],
      [T, "e", "x"],
      [T, "e", "y", 1],
      [T, "o", "b", 1],
      [T, "s", "system"],
      [T, "o", "c"],
      [T, "o", "next"],
      [T, "e", "z"],
    ]);
    expect(reader.lines.map((line) => [line.seq, line.lastSeq, line.stream, seen(line), line.open])).toEqual([
      [1, 6, "o", "abc", false],
      [2, 2, "e", "x", false],
      [3, 8, "e", "yz", false],
      [5, 5, "s", "system", false],
      [7, 7, "o", "next", false],
    ]);
  });

  it("are one open line that changes", async () => {
    const reader = await reading([[T, "e", "10%", 1]]);
    expect(reader.lines).toMatchObject([{ seq: 1, lastSeq: 1, open: true, runs: [{ text: "10%" }] }]);
    reader.server.append([T, "e", "\r20%", 1], [T, "o", "other"]);
    await reader.clock.run(50);
    expect(reader.texts).toEqual(["20%", "other"]);
    expect(reader.lines[0]).toMatchObject({ open: true, lastSeq: 2 });
    reader.server.append([T, "e", "\rdone"]);
    await reader.clock.run(50);
    expect(reader.texts).toEqual(["done", "other"]);
    expect(reader.lines[0]).toMatchObject({ open: false, lastSeq: 4 });
  });

  it("are one line over pages, wherever one begins to look", async () => {
    const bar = range(1, 2500).map((n): RawRecord => [T, "e", `\r${n}`, 1]);
    const records: RawRecord[] = [...numbered(990), ...bar, [T, "e", ""], ...numbered(20_000, 991)];
    for (const seq of [991, 1500, 3400]) {
      const reader = await reading(records, seq, 2, 3);
      expect(reader.texts).toEqual(["line 989", "line 990", "2500", "line 991", "line 992"]);
      expect(reader.lines[2]).toMatchObject({ seq: 991, lastSeq: 3491, open: false });
    }
  });

  it("are cut at the same places when there are very many", async () => {
    const records: RawRecord[] = [
      ...numbered(100),
      ...range(1, 3 * JOIN_BLOCK).map((n): RawRecord => [T, "o", `\r${n}`, 1]),
      ...numbered(10_000),
    ];
    const whole = await reading(records, 101, 1, 6);
    const seqs = whole.seqs;
    expect(seqs.slice(0, 4)).toEqual([100, 101, 2 * JOIN_BLOCK + 1, 3 * JOIN_BLOCK + 1]);
    const middle = await reading(records, 2 * JOIN_BLOCK + 700, 0, 3);
    expect(middle.seqs).toEqual(seqs.slice(2, 5));
    expect(middle.texts).toEqual(whole.texts.slice(2, 5));
  });

  it.each([21, 22])("look the same from wherever one comes (seed %i)", async (seed) => {
    const random = seeded(seed);
    const streams: StreamCode[] = ["o", "o", "o", "e", "s"];
    const records = range(1, 6000).map((n): RawRecord => {
      const isPart = random.below(3) === 0;
      return isPart ? [T, random.pick(streams), `${n} `, 1] : [T, random.pick(streams), `${n}`];
    });
    const whole = await reading(records, 1, 0, 20_000);
    whole.server.end();
    await whole.clock.run(3000);
    expect(whole.slice).toMatchObject({ atStart: true, atEnd: true, pending: false });
    expect(whole.texts.join(" ").trim().split(/ +/).map(Number).sort((a, b) => a - b)).toEqual(range(1, 6000));
    const reader = await reading(records);
    reader.server.end();
    for (let i = 0; i < 15; i++) {
      reader.want(1 + random.below(6000), random.below(60), 1 + random.below(60));
      await reader.clock.run(500);
      expect(reader.slice?.pending).toBe(false);
      const at = whole.seqs.indexOf(reader.seqs[0] ?? 0);
      expect(reader.lines).toEqual(whole.lines.slice(at, at + reader.lines.length));
    }
  });
});

describe("a long line", () => {
  it("is cut, says so, and is shown whole when it is asked for", async () => {
    const part = "0123456789abcdef".repeat(4096);
    const records: RawRecord[] = [...range(1, 15).map((): RawRecord => [T, "o", part, 1]), [T, "o", "end"]];
    const reader = await reading(records, 1, 0, 5);
    expect(reader.texts[0]).toHaveLength(SHOWN_MAX);
    expect(reader.lines[0]?.rest).toBe(15 * 65_536 + 3 - SHOWN_MAX);
    reader.session.command({ kind: "expand", seq: 1, on: true });
    await reader.clock.run(100);
    expect(reader.texts[0]).toHaveLength(15 * 65_536 + 3);
    expect(reader.texts[0]?.length).toBeLessThan(EXPANDED_MAX);
    reader.session.command({ kind: "expand", seq: 1, on: false });
    await reader.clock.run(100);
    expect(reader.texts[0]).toHaveLength(SHOWN_MAX);
  });
});

describe("JSON", () => {
  const rows: [text: string, is: boolean][] = [
    ['{"level":"info"}', true],
    [' {"a":[1,2]} ', true],
    ['[{"a":1}]', true],
    ["[INFO] started", false],
    ["[1]", false],
    ["{}", true],
    ["{not json}", false],
    ['"text"', false],
    ["12", false],
    ["", false],
  ];
  it.each(rows)("%s: %s", (text, is) => {
    expect(isJsonText(text)).toBe(is);
  });

  it("is told of finished lines alone", async () => {
    const reader = await reading([[T, "o", '{"a":1}', 1]]);
    expect(reader.lines[0]?.isJson).toBe(false);
    reader.server.append([T, "o", ""]);
    await reader.clock.run(50);
    expect(reader.lines[0]?.isJson).toBe(true);
  });
});

describe("text to copy", () => {
  async function copy(reader: Reader, from: number, to: number): Promise<string> {
    reader.session.command({ kind: "text", id: 1, from, to });
    await reader.clock.run(3000);
    const answer = reader.answers.get(1);
    if (answer?.error !== undefined) throw new Error(answer.error);
    return String(answer?.value);
  }

  it("has no colours, and what is erased is not in it", async () => {
    const reader = await reading([
      [T, "o", "\x1b[1mbold\x1b[m\tx"],
      [T, "e", "10%\r20%", 1],
      [T, "o", "::group::title"],
      [T, "e", "\rdone\x07"],
      [T, "o", "last"],
    ]);
    expect(await copy(reader, 1, 4)).toBe("bold\tx\ndone␇\n::group::title");
    expect(await copy(reader, 2, 2)).toBe("done␇");
  });

  it("comes from all over the log", async () => {
    const reader = await reading(numbered(30_000));
    expect((await copy(reader, 10, 25_000)).split("\n")).toEqual(range(10, 25_000).map((n) => `line ${n}`));
    expect(reader.session.store.pageCount).toBeLessThanOrEqual(4);
  });

  it("is bounded", async () => {
    const reader = await reading(range(1, 200).map((): RawRecord => [T, "o", "x".repeat(65_000)]));
    await expect(copy(reader, 1, 200)).rejects.toThrow("10 MB");
  });
});
