import { expect, it } from "vitest";
import { firstLine } from "./row";

it.each([
  ["echo a", "echo a"],
  ["  echo a  \n", "echo a"],
  ["echo a\necho b", "echo a …"],
  ["#!/bin/sh\n# why\n\nmake\n", "make"],
  ["#!/bin/sh\nmake\nmake check", "make …"],
  ["# nothing but this", "# nothing but this"],
])("firstLine %j", (command, line) => {
  expect(firstLine(command)).toBe(line);
});
