// Light or dark: the system's, or the one chosen here. The choice is an attribute of <html>, which
// style/tokens.css reads.
import { effect } from "@preact/signals";
import { theme } from "./settings";

export function applyTheme(): () => void {
  return effect(() => {
    if (theme.value === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = theme.value;
  });
}
