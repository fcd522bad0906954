import { describe, expect, it } from "vitest";
import { envRow } from "./env";
import { IdempotencyKeys, addNames, emptyForm, parseSeconds, toRequest, validateRun, type RunForm } from "./form";

const form = (change: Partial<RunForm>): RunForm => ({ ...emptyForm, command: "make", ...change });

describe("parseSeconds", () => {
  it.each<[string, number | null]>([
    ["90", 90],
    ["90s", 90],
    [" 15 m ", 900],
    ["15min", 900],
    ["1h30m", 5400],
    ["2d", 172_800],
    ["0", 0],
    ["", null],
    ["abc", null],
    ["-1", null],
    ["1.5h", null],
    ["1h30", null],
    ["99999999999999999999", null],
  ])("%j is %s", (text, seconds) => {
    expect(parseSeconds(text)).toBe(seconds);
  });
});

describe("validateRun", () => {
  it.each<[string, Partial<RunForm>, string[]]>([
    ["the least", {}, []],
    ["no command", { command: " \n " }, ["command"]],
    ["a bad name", { env: [envRow("1A", "x")] }, ["env"]],
    ["a value without a name", { env: [envRow("", "x")] }, ["env"]],
    ["an empty row", { env: [envRow()] }, []],
    ["a name twice", { env: [envRow("A"), envRow("A")] }, ["env"]],
    ["a reference without a repository", { gitRef: "main", gitPath: "x" }, ["git_ref", "git_path"]],
    ["a reference with one", { gitRepo: "https://x/y", gitRef: "main" }, []],
    ["times that are none", { timeout: "soon", grace: "x" }, ["timeout", "grace"]],
    ["times too long", { timeout: "400d", grace: "2d" }, ["timeout", "grace"]],
  ])("%s", (_, change, fields) => {
    expect(Object.keys(validateRun(form(change)))).toEqual(fields);
  });
});

describe("toRequest", () => {
  it("sends nothing that is not filled in", () => {
    expect(toRequest(form({ env: [envRow()] }))).toEqual({ command: "make" });
  });
  it("sends all that is", () => {
    const full = form({
      command: " two\nlines ",
      image: "debian-1",
      env: [envRow("A", "1"), envRow(), envRow("B", "")],
      secrets: ["db"],
      secretsText: "token, db ",
      gitRepo: " https://x/y ",
      gitRef: "main",
      gitPath: "src",
      timeout: "1m",
      grace: "0",
      tty: true,
    });
    expect(toRequest(full)).toEqual({
      command: " two\nlines ",
      image: "debian-1",
      env: { A: "1", B: "" },
      secrets: ["db", "token"],
      git_repo: "https://x/y",
      git_ref: "main",
      git_path: "src",
      timeout: 60,
      grace: 0,
      tty: true,
    });
  });
});

it("addNames takes each name once", () => {
  expect(addNames(["a"], " b,a  c,,")).toEqual(["a", "b", "c"]);
});

describe("IdempotencyKeys", () => {
  it("keeps the key of what is sent again unchanged", () => {
    const keys = new IdempotencyKeys();
    const key = keys.keyFor({ command: "a" });
    expect(key).toMatch(/^[0-9a-f]{32}$/);
    expect(keys.keyFor({ command: "a" })).toBe(key);
    const other = keys.keyFor({ command: "b" });
    expect(other).not.toBe(key);
    keys.done();
    expect(keys.keyFor({ command: "b" })).not.toBe(other);
  });
});
