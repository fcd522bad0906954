import { expect, test } from "vitest";
import { formatDuration, formatRelative } from "./time";

test.each([
  [0, "0.0 s"],
  [449, "0.4 s"],
  [9_999, "9.9 s"],
  [10_000, "10 s"],
  [59_999, "59 s"],
  [184_000, "3 min 4 s"],
  [7_500_000, "2 h 5 min"],
  [273_600_000, "3 d 4 h"],
  [-1, "–"],
  [NaN, "–"],
])("formatDuration(%d) is %s", (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test.each([
  [0, "just now"],
  [12_000, "12 s ago"],
  [180_000, "3 min ago"],
  [7_200_000, "2 h ago"],
  [432_000_000, "5 d ago"],
  [-30_000, "in 30 s"],
])("formatRelative, %d ms ago, is %s", (ago, text) => {
  expect(formatRelative(1_700_000_000_000 - ago, 1_700_000_000_000)).toBe(text);
});
