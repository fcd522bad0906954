// What this browser remembers of how one likes to see things. Kept in localStorage; a browser that
// refuses it (private mode, quota) works with the defaults.
import { signal, type Signal } from "@preact/signals";

export function readStored(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

export function writeStored(name: string, value: string | null): boolean {
  try {
    if (value === null) localStorage.removeItem(name);
    else localStorage.setItem(name, value);
    return true;
  } catch {
    return false;
  }
}

function choice<T extends string>(name: string, values: readonly T[], fallback: T): Signal<T> {
  const stored = readStored(name);
  const kept = signal<T>(values.find((value) => value === stored) ?? fallback);
  kept.subscribe((value) => {
    if (value !== (readStored(name) ?? fallback)) writeStored(name, value === fallback ? null : value);
  });
  return kept;
}

export const themes = ["system", "light", "dark"] as const;
export type Theme = (typeof themes)[number];
export const theme = choice<Theme>("tailgate.theme", themes, "system");

export const timestampModes = ["off", "relative", "local", "utc"] as const;
export type TimestampMode = (typeof timestampModes)[number];
/** How the log view shows times unless it is told otherwise there. */
export const timestamps = choice<TimestampMode>("tailgate.timestamps", timestampModes, "off");

export const wrapModes = ["on", "off"] as const;
export const wrap = choice<(typeof wrapModes)[number]>("tailgate.wrap", wrapModes, "on");
