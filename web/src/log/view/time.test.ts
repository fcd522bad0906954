import { expect, it } from "vitest";
import { lines, nextStamps, stampText, STAMP_WIDTH, STAMPS } from "./time";

const start = Date.UTC(2026, 0, 2, 3, 4, 5, 6);

it.each([
  [0, "+00:00:00.000"],
  [3_723_004, "+01:02:03.004"],
  [-1500, "-00:00:01.500"],
  [360_000_000, "+100:00:00.000"],
])("%d ms since the start is %s", (ms, text) => expect(stampText("relative", start + ms, start)).toBe(text));

it("shows UTC, nothing, and nothing for no time", () => {
  expect(stampText("utc", start, 0)).toBe("03:04:05.006Z");
  expect(stampText("off", start, 0)).toBe("");
  expect(stampText("local", NaN, 0)).toBe("");
  expect(stampText("local", start, 0)).toMatch(/^\d\d:\d\d:05\.006$/);
});

it("has room for each stamp", () => {
  for (const stamps of STAMPS) expect(stampText(stamps, start, start - 1).length).toBeLessThanOrEqual(STAMP_WIDTH[stamps]);
});

it("goes round all ways to show times", () => {
  let stamps: (typeof STAMPS)[number] = "off";
  const seen = STAMPS.map(() => (stamps = nextStamps(stamps)));
  expect(seen).toEqual(["relative", "local", "utc", "off"]);
});

it("counts lines", () => {
  expect(lines(1)).toBe("1 line");
  expect(lines(1_234_567)).toBe("1,234,567 lines");
});
