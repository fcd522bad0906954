import { describe, expect, it } from "vitest";
import { isRisky, matcherOf, queryOfUrl, SPANS_MAX, urlOfQuery } from "./matcher";

const find = (text: string, query: string, more = {}) => matcherOf({ text: query, regex: false, ignoreCase: false, ...more })?.(text);

describe("matcherOf", () => {
  it.each([
    ["one two one", "one", {}, [[0, 3], [8, 11]]],
    ["One", "one", {}, []],
    ["One", "one", { ignoreCase: true }, [[0, 3]]],
    ["a.b a+b", "a.b", {}, [[0, 3]]],
    ["a-b/c {x} [y] $z ^ |", "a-b/c {x} [y] $z ^ |", {}, [[0, 20]]],
    ["漢字 e\u0301 😀!", "😀", {}, [[6, 8]]],
    ["error 17", "error [0-9]+", { regex: true }, [[0, 8]]],
    ["abc", "x*", { regex: true }, []],
  ])("%j has %j", (text, query, more, spans) => expect(find(text, query, more)).toEqual(spans));

  it("has nothing to say of what JavaScript cannot compile, of nothing, and of what may take for ever", () => {
    expect(matcherOf({ text: "(", regex: true, ignoreCase: false })).toBeNull();
    expect(matcherOf({ text: "", regex: false, ignoreCase: false })).toBeNull();
    expect(matcherOf({ text: "(a+)+$", regex: true, ignoreCase: false })).toBeNull();
  });

  it("stops at many matches and in long lines", () => {
    expect(find("a".repeat(5000), "a")).toHaveLength(SPANS_MAX);
    expect(find(`${"b".repeat(30_000)}a`, "a")).toEqual([]);
  });
});

it.each([["(a+)+", true], ["(a|aa)*", true], ["(.*,)+x", true], ["(a)\\1", true], ["error [0-9]+", false], ["(foo|bar) baz", false], ["a{2,5}b*", false]])(
  "%s may take exponential time: %j",
  (expression, risky) => expect(isRisky(expression)).toBe(risky),
);

it("stands in the address and comes back from it", () => {
  const query = { text: "a&b=c d+e", regex: true, ignoreCase: false };
  const search = urlOfQuery("?view=side", query);
  expect(search).toContain("view=side");
  expect(queryOfUrl(search)).toEqual(query);
  expect(urlOfQuery(search, { text: "", regex: true, ignoreCase: true })).toBe("?view=side");
  expect(urlOfQuery("?q=x", { text: "", regex: false, ignoreCase: true })).toBe("");
  expect(queryOfUrl("")).toEqual({ text: "", regex: false, ignoreCase: true });
});
