import { describe, expect, it } from "vitest";
import type { Line } from "../model";
import { mergeExtents, mergeLinks, mergeParts, seqAtTime, type Part } from "./merge";

const line = (seq: number, time: number): Line => ({ seq, lastSeq: seq, time, stream: "o", runs: [{ text: `${seq}`, attr: 0 }], open: false, depth: 0, isJson: false });
const part = (execution: string, lines: Line[], more: Partial<Part> = {}): Part => ({
  execution, label: execution, lines, atStart: true, atEnd: true, extent: { first: 1, last: lines.at(-1)?.seq ?? 0 }, ...more,
});
const shown = (parts: Part[]) => mergeParts(parts).lines.map((one) => `${one.own?.execution}${one.own?.seq}@${one.seq}`).join(" ");

describe("mergeParts", () => {
  it("orders by time, then by execution, then by number, and counts", () => {
    expect(shown([part("a", [line(1, 10), line(2, 30), line(3, 30)]), part("b", [line(1, 20), line(2, 30)])])).toBe("a1@1 b1@2 a2@3 a3@4 b2@5");
  });

  it("shows only where all windows reach, and knows the ranks without what lies above", () => {
    const a = part("a", [line(5, 50), line(6, 60), line(7, 70)], { atStart: false, extent: { first: 1, last: 7 } });
    const b = part("b", [1, 2, 3, 4].map((seq) => line(seq, seq * 17)), { extent: { first: 1, last: 4 } });
    expect(shown([a, b])).toBe("a5@7 b3@8 a6@9 b4@10 a7@11");
    expect(mergeParts([a, b]).atStart).toBe(false);
  });

  it("ends where the first window ends that goes on", () => {
    const a = part("a", [line(1, 10), line(2, 20)], { atEnd: false, extent: { first: 1, last: 9 } });
    expect(shown([a, part("b", [line(1, 15), line(2, 25)])])).toBe("a1@1 b1@2 a2@3");
  });

  it("takes a log without lines as it is", () => {
    expect(shown([part("a", []), part("b", [line(1, 1)])])).toBe("b1@1");
    expect(mergeParts([]).lines).toEqual([]);
  });
});

it("adds up extents", () => {
  expect(mergeExtents([{ first: 1, last: 10 }, { first: 5, last: 9 }, { first: 1, last: 0 }])).toEqual({ first: 5, last: 19 });
});

it("tells of the link that most needs it", () => {
  const lost = { kind: "reconnecting", at: 1, attempt: 2, reason: "x" } as const;
  expect(mergeLinks([{ kind: "live" }, lost, { kind: "ended" }])).toBe(lost);
  expect(mergeLinks([{ kind: "ended" }, { kind: "live" }])).toEqual({ kind: "live" });
  expect(mergeLinks([{ kind: "catching-up", behind: 3 }, { kind: "catching-up", behind: 4 }])).toEqual({ kind: "catching-up", behind: 7 });
  expect(mergeLinks([])).toEqual({ kind: "connecting" });
});

describe("seqAtTime", () => {
  const times = Array.from({ length: 10_000 }, (_, i) => (i < 5000 ? i : 5000 + (i - 5000) ** 2));
  const look = async (time: number) => {
    let asked = 0;
    const found = await seqAtTime({ first: 1, last: times.length }, time, (seq) => {
      asked++;
      return Promise.resolve(times[seq - 1] ?? null);
    });
    return { found, asked };
  };

  it.each([-1, 0, 1, 2500, 4999, 5000, 12_345, 20_000_000, 99_999_999])("finds the last line at %d", async (time) => {
    const { found, asked } = await look(time);
    expect(found).toBe(times.filter((one) => one <= time).length);
    expect(asked).toBeLessThan(40);
  });

  it("asks little of a log at an even pace", async () => {
    expect((await look(2500)).asked).toBeLessThan(25);
  });

  it("has nothing to find in an empty log", async () => {
    expect(await seqAtTime({ first: 1, last: 0 }, 5, () => Promise.resolve(null))).toBe(0);
  });
});
