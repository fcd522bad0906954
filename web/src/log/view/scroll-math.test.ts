import { describe, expect, it } from "vitest";
import { lineCount, markAt, seqAtThumb, seqBeyond, thumbOf, THUMB_MIN, type InSight } from "./scroll-math";

const million = { first: 1, last: 1_000_000 };
const at = (top: number, visible = 40): InSight => ({ top, bottom: top + visible, atStart: top <= 1, atEnd: top + visible > 1_000_000 });

describe("thumbOf", () => {
  it("is gone when everything is in sight", () => {
    expect(thumbOf({ first: 1, last: 10 }, { top: 1, bottom: 11, atStart: true, atEnd: true }, 500)).toBeNull();
    expect(thumbOf({ first: 1, last: 0 }, at(1), 500)).toBeNull();
  });

  it.each([
    [1, 0],
    [500_000, 0.5],
    [999_961, 1],
  ])("stands for line %d at %d of its way", (top, share) => {
    const thumb = thumbOf(million, at(top), 800);
    expect(thumb?.height).toBe(THUMB_MIN);
    expect((thumb?.top ?? 0) / (800 - THUMB_MIN)).toBeCloseTo(share, 3);
  });

  it("counts from the first line that retention left", () => {
    expect(thumbOf({ first: 900_001, last: 1_000_000 }, at(950_000), 800)?.top).toBeCloseTo(386, -1);
  });

  it("is as high as what is in sight", () => {
    expect(thumbOf({ first: 1, last: 100 }, { top: 1, bottom: 51, atStart: true, atEnd: false }, 400)?.height).toBe(200);
  });
});

describe("seqAtThumb", () => {
  it.each([1, 1000, 250_000, 777_777])("leads back to line %d", (seq) => {
    const thumb = thumbOf(million, at(seq), 100_000);
    expect(seqAtThumb(million, at(seq), 100_000, thumb?.top ?? 0)).toBeGreaterThan(seq - 11);
    expect(seqAtThumb(million, at(seq), 100_000, thumb?.top ?? 0)).toBeLessThan(seq + 11);
  });

  it("is the end at the end", () => {
    expect(seqAtThumb(million, at(5), 800, 800 - THUMB_MIN)).toBe("end");
  });
});

it("puts marks where their lines are", () => {
  expect(markAt(million, 1, 800)).toBe(0);
  expect(markAt(million, 500_001, 800)).toBe(400);
  expect(markAt({ first: 1, last: 1 }, 1, 800)).toBe(0);
});

it("guesses which line a fling has reached", () => {
  expect(seqBeyond(1000, 2000, 20, million)).toBe(1100);
  expect(seqBeyond(100, -20_000, 20, million)).toBe(1);
  expect(seqBeyond(999_990, 20_000, 20, million)).toBe(1_000_000);
});

it("counts no lines of an empty log", () => {
  expect(lineCount({ first: 1, last: 0 })).toBe(0);
});
