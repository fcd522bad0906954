import { expect, test } from "vitest";
import { theme, timestamps } from "./settings";
import { applyTheme } from "./theme";

test("a choice is kept, the default is not", () => {
  timestamps.value = "utc";
  expect(localStorage.getItem("tailgate.timestamps")).toBe("utc");
  timestamps.value = "off";
  expect(localStorage.getItem("tailgate.timestamps")).toBeNull();
});

test("the theme is an attribute of the page, none for the system's", () => {
  const stop = applyTheme();
  theme.value = "dark";
  expect(document.documentElement.dataset["theme"]).toBe("dark");
  theme.value = "system";
  expect(document.documentElement.dataset["theme"]).toBeUndefined();
  stop();
});
