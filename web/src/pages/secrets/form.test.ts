import { describe, expect, it } from "vitest";
import { changesOf, suggestedKeyName, validateSecret } from "./form";

const secret = { name: "db", key_name: "DB", description: "", value: "x" };

describe("validateSecret", () => {
  it.each<[string, Partial<typeof secret>, boolean, string[]]>([
    ["a new one", {}, true, []],
    ["a name with a space", { name: "d b" }, true, ["name"]],
    ["a name that begins with a dot", { name: ".db" }, true, ["name"]],
    ["a variable with a dash", { key_name: "D-B" }, true, ["key_name"]],
    ["no value", { value: "" }, true, ["value"]],
    ["no value of an old one", { value: "" }, false, []],
    ["the longest value", { value: "x".repeat(65_536) }, true, []],
    ["a value of too many bytes", { value: "ü".repeat(32_769) }, true, ["value"]],
  ])("%s", (_, change, isNew, fields) => {
    expect(Object.keys(validateSecret({ ...secret, ...change }, isNew))).toEqual(fields);
  });
});

it("changesOf leaves out what stays", () => {
  expect(changesOf({ key_name: "DB" }, { ...secret, value: "" })).toEqual({});
  expect(changesOf({ key_name: "DB", description: "old" }, { ...secret, key_name: "PG", value: "new" })).toEqual({ key_name: "PG", description: "", value: "new" });
});

it.each([
  ["db-password", "DB_PASSWORD"],
  ["api.token", "API_TOKEN"],
  ["2fa", "_2FA"],
])("suggestedKeyName %s", (name, key) => {
  expect(suggestedKeyName(name)).toBe(key);
});
