import { expect, it } from "vitest";
import { clickedRange, formatPermalink, inRange, parsePermalink } from "./permalink";

it.each([
  ["#L120", { from: 120, to: 120 }],
  ["#L120-L130", { from: 120, to: 130 }],
  ["#L130-L120", { from: 120, to: 130 }],
  ["#L5-9", { from: 5, to: 9 }],
  ["L7", { from: 7, to: 7 }],
])("reads %s", (hash, range) => expect(parsePermalink(hash)).toEqual(range));

it.each(["", "#", "#L", "#L0", "#L-3", "#L1.5", "#Lx", "#L1-L0", "#L99999999999999999", "#/claim/L1", "#L1-L2-L3"])("finds no line in %j", (hash) =>
  expect(parsePermalink(hash)).toBeNull(),
);

it("writes what it reads", () => {
  for (const text of ["#L1", "#L20-L30"]) expect(formatPermalink(parsePermalink(text) ?? { from: 0, to: 0 })).toBe(text);
});

it.each([
  [null, 5, 5, true, { from: 5, to: 5 }],
  [3, 5, 6, true, { from: 3, to: 6 }],
  [9, 5, 6, true, { from: 5, to: 9 }],
  [9, 5, 6, false, { from: 5, to: 5 }],
])("click: from %j to line %d–%d, shift %j", (origin, seq, last, shift, range) => expect(clickedRange(origin, seq, last, shift)).toEqual(range));

it("holds a line that spans several numbers", () => {
  expect(inRange({ from: 10, to: 12 }, 8, 10)).toBe(true);
  expect(inRange({ from: 10, to: 12 }, 13, 14)).toBe(false);
  expect(inRange(null, 1, 1)).toBe(false);
});
