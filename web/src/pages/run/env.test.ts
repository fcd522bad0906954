import { describe, expect, it } from "vitest";
import { envRow, isVariableName, looksLikeEnv, parseEnv, pasteInto } from "./env";

const pairs = (text: string): string[] => parseEnv(text).pairs.map((pair) => `${pair.name}=${pair.value}`);

describe("parseEnv", () => {
  it.each<[string, string, string[]]>([
    ["a line", "A=1", ["A=1"]],
    ["lines of any system", "A=1\nB=2\r\nC=3\rD=4", ["A=1", "B=2", "C=3", "D=4"]],
    ["export and indentation", "  export A = 1", ["A=1"]],
    ["nothing and comments left out", "\n# A=1\n   \nB=2 # two", ["B=2"]],
    ["a value with = and #", "URL=https://x/?a=b#c", ["URL=https://x/?a=b#c"]],
    ["an empty value", "A=", ["A="]],
    ["single quotes as they are", "A='x \\n $B # y'", ["A=x \\n $B # y"]],
    ["double quotes with escapes", 'A="x\\n\\"y\\" \\\\ z" # end', ['A=x\n"y" \\ z']],
    ["a quote that does not end", "A='x", ["A='x"]],
    ["a quote inside", "A=it's", ["A=it's"]],
    ["spaces at the end left out", "A=x  ", ["A=x"]],
  ])("takes %s", (_, text, expected) => {
    expect(pairs(text)).toEqual(expected);
  });

  it("names the lines that it does not take", () => {
    expect(parseEnv("A=1\nrubbish\n1B=2\nC-D=3\n=4").bad).toEqual([2, 3, 4, 5]);
  });
});

it("looksLikeEnv tells assignments from other text", () => {
  expect(looksLikeEnv("A=1")).toBe(true);
  expect(looksLikeEnv("A=1\nB=2")).toBe(true);
  expect(looksLikeEnv("hello world")).toBe(false);
  expect(looksLikeEnv("https://x/?a=b")).toBe(false);
  expect(looksLikeEnv("two\nlines")).toBe(false);
});

describe("pasteInto", () => {
  const shown = (rows: ReturnType<typeof pasteInto>): string[] => rows.map((row) => `${row.name}=${row.value}`);
  it("replaces the empty row it is pasted into", () => {
    expect(shown(pasteInto([envRow("X", "1"), envRow()], 1, [{ name: "A", value: "1" }]))).toEqual(["X=1", "A=1"]);
  });
  it("keeps a row that holds something", () => {
    expect(shown(pasteInto([envRow("X", "1")], 0, [{ name: "A", value: "1" }]))).toEqual(["X=1", "A=1"]);
  });
  it("gives a name that is there its new value, where it is", () => {
    const rows = [envRow("A", "old"), envRow("B", "2"), envRow()];
    expect(shown(pasteInto(rows, 2, [{ name: "C", value: "3" }, { name: "A", value: "new" }]))).toEqual(["A=new", "B=2", "C=3"]);
  });
});

it.each([
  ["A", true],
  ["_a1", true],
  ["1A", false],
  ["A-B", false],
  ["", false],
])("isVariableName %j %s", (name, valid) => {
  expect(isVariableName(name)).toBe(valid);
});
