import { theme, themes } from "./settings";

const signs = { system: "◐", light: "☀", dark: "☾" } as const;

/** One button that goes round: system, light, dark. */
export function ThemeSwitch() {
  const next = themes[(themes.indexOf(theme.value) + 1) % themes.length] ?? "system";
  return (
    <button
      type="button"
      class="button button-quiet theme-switch"
      data-testid="theme-switch"
      title={`Theme: ${theme.value}. Change to ${next}`}
      aria-label={`Theme: ${theme.value}. Change to ${next}`}
      onClick={() => {
        theme.value = next;
      }}
    >
      <span aria-hidden="true">{signs[theme.value]}</span>
    </button>
  );
}
