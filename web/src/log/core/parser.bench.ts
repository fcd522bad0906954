// How many lines a second are parsed: `npm run bench`. A frame asks for a few hundred at most.
import { bench, describe } from "vitest";
import { plainText } from "./line";
import { linkify } from "./links";
import { LineParser } from "./parser";
import { numbered } from "./testing/reader";
import { Store } from "./store";

const LINES = 1000;
const kinds: Readonly<Record<string, (i: number) => string>> = {
  plain: (i) => `2026-01-01T00:00:00Z worker ${i} handled a request of 1234 bytes in 5 ms without any trouble`,
  coloured: (i) =>
    `\x1b[2m2026-01-01\x1b[0m \x1b[1;32mINFO\x1b[0m \x1b[38;5;208mworker ${i}\x1b[0m handled \x1b[4ma request\x1b[24m`,
  "progress bars": (i) => `${i}: ` + [10, 20, 30, 40, 50].map((n) => `\r\x1b[K[${"#".repeat(n / 5)}] ${n} %`).join(""),
  links: (i) => `GET https://example.org/path/${i}?query=1 -> (see https://example.org/help).`,
};

describe(`${LINES} lines`, () => {
  for (const [name, make] of Object.entries(kinds)) {
    const lines = Array.from({ length: LINES }, (_, i) => make(i));
    bench(name, () => {
      for (const text of lines) {
        const parser = new LineParser();
        parser.feed(text);
        plainText(linkify(parser.runs()));
      }
    });
  }

  const records = numbered(LINES);
  let store = new Store();
  let next = 1;
  bench("taken into the window", () => {
    if (next > 1_000_000) {
      store = new Store();
      next = 1;
    }
    store.add(next, records);
    next += LINES;
  });
});
