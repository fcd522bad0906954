import { describe, expect, it } from "vitest";
import { splitRuns } from "./segments";

const runs = [{ text: "abc", attr: 0 }, { text: "def", attr: 1 }, { text: "ghi", attr: 0 }];
const look = (spans: [number, number][]) => splitRuns(runs, spans).map((part) => (part.hit ? `[${part.text}]` : part.text)).join("|");

describe("splitRuns", () => {
  it.each([
    [[], "abc|def|ghi"],
    [[[0, 9]], "[abc]|[def]|[ghi]"],
    [[[1, 2]], "a|[b]|c|def|ghi"],
    [[[2, 4]], "ab|[c]|[d]|ef|ghi"],
    [[[0, 1], [1, 2]], "[a]|[b]|c|def|ghi"],
    [[[3, 6]], "abc|[def]|ghi"],
    [[[8, 20]], "abc|def|gh|[i]"],
    [[[30, 40]], "abc|def|ghi"],
  ] as [[number, number][], string][])("%j", (spans, text) => expect(look(spans)).toBe(text));

  it("loses nothing", () => {
    for (let from = 0; from < 9; from++) {
      for (let to = from + 1; to <= 9; to++) expect(splitRuns(runs, [[from, to]]).map((part) => part.text).join("")).toBe("abcdefghi");
    }
  });
});
