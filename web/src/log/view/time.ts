/** Timestamps and counts of lines, as people read them. */

export const STAMPS = ["off", "relative", "local", "utc"] as const;
export type Stamps = (typeof STAMPS)[number];

export const STAMP_NAMES: Record<Stamps, string> = {
  off: "No times",
  relative: "Since the start",
  local: "Local time",
  utc: "UTC",
};

/** Characters that a stamp takes, for the gutter's width. */
export const STAMP_WIDTH: Record<Stamps, number> = { off: 0, relative: 13, local: 12, utc: 13 };

const two = (n: number): string => String(n).padStart(2, "0");
const three = (n: number): string => String(n).padStart(3, "0");

function sinceStart(ms: number): string {
  const sign = ms < 0 ? "-" : "+";
  const all = Math.abs(Math.round(ms));
  const hours = Math.floor(all / 3_600_000);
  const rest = all % 3_600_000;
  return `${sign}${two(hours)}:${two(Math.floor(rest / 60_000))}:${two(Math.floor((rest % 60_000) / 1000))}.${three(rest % 1000)}`;
}

/** A line's stamp; `start` is when the execution began, for relative ones. */
export function stampText(stamps: Stamps, time: number, start: number): string {
  if (stamps === "off") return "";
  if (stamps === "relative") return sinceStart(time - start);
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) return "";
  if (stamps === "utc") return at.toISOString().slice(11);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${three(at.getMilliseconds())}`;
}

export function nextStamps(stamps: Stamps): Stamps {
  return STAMPS[(STAMPS.indexOf(stamps) + 1) % STAMPS.length] ?? "off";
}

export function countText(n: number): string {
  return n.toLocaleString("en-US");
}

export function lines(n: number): string {
  return n === 1 ? "1 line" : `${countText(n)} lines`;
}
