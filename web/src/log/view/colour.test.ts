import { describe, expect, it } from "vitest";
import { Attr } from "../model";
import css from "./log-colours.css?raw";
import { contrast, CONTRAST, GROUNDS, lookOf, readable, rgbOf, type Rgb } from "./colour";


const hex = (text: string): Rgb => [1, 3, 5].map((i) => parseInt(text.slice(i, i + 2), 16)) as unknown as Rgb;
const palettes = [...css.matchAll(/(:root[^{]*)\{([^}]*--a-0:[^}]*)\}/g)].map(([, selector, body]) => ({
  ground: selector?.includes("dark") || selector?.includes("not(") ? GROUNDS.dark : GROUNDS.light,
  colours: [...(body ?? "").matchAll(/--a-(\d+): (#[0-9a-f]{6})/g)].map(([, n, value]) => [Number(n), value ?? ""] as const),
}));

describe("the 16 colours", () => {
  it("are there for light, dark by the system and dark by choice", () => {
    expect(palettes).toHaveLength(3);
    for (const { colours } of palettes) expect(colours.map(([n]) => n)).toEqual([...Array(16).keys()]);
  });

  it("can be read on the least favourable ground", () => {
    for (const { ground, colours } of palettes) {
      for (const [n, value] of colours) expect(contrast(hex(value), ground), `colour ${n} ${value}`).toBeGreaterThanOrEqual(CONTRAST);
    }
  });
});

it("makes every one of the 256 colours readable in both themes", () => {
  for (let n = 0; n < 256; n++) {
    for (const ground of [GROUNDS.light, GROUNDS.dark]) expect(contrast(readable(rgbOf(n), ground), ground)).toBeGreaterThanOrEqual(CONTRAST);
  }
});

it("leaves alone what is readable", () => {
  expect(readable([1, 2, 3], GROUNDS.light)).toEqual([1, 2, 3]);
});

it("knows the cube, the greys and true colours", () => {
  expect(rgbOf(16)).toEqual([0, 0, 0]);
  expect(rgbOf(208)).toEqual([255, 135, 0]);
  expect(rgbOf(232)).toEqual([8, 8, 8]);
  expect(rgbOf(255)).toEqual([238, 238, 238]);
  expect(rgbOf(0x1000000 | 0x010203)).toEqual([1, 2, 3]);
});

const colourOf = (style: readonly (readonly [string, string])[], name: string): Rgb =>
  (/\d+/g[Symbol.match](style.find(([key]) => key === name)?.[1] ?? "") ?? []).map(Number) as unknown as Rgb;

describe("lookOf", () => {
  it("is nothing for plain text, classes for palette colours", () => {
    expect(lookOf({ text: "", attr: 0 })).toBeNull();
    expect(lookOf({ text: "", attr: Attr.Bold | Attr.Underline, fg: 1 })).toEqual({ className: "a-b a-u a-1", style: [] });
    expect(lookOf({ text: "", attr: Attr.Inverse })?.className).toBe("a-n");
  });

  it("keeps text readable on any background, swapped or not", () => {
    for (const attr of [0, Attr.Inverse]) {
      for (const fg of [undefined, 0, 7, 11, 208]) {
        for (let bg = 0; bg < 256; bg++) {
          const look = lookOf({ text: "", attr, bg, ...(fg === undefined ? {} : { fg }) });
          expect(contrast(colourOf(look?.style ?? [], "color"), colourOf(look?.style ?? [], "background-color"))).toBeGreaterThanOrEqual(CONTRAST);
        }
      }
    }
  });
});
