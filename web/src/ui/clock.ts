// One clock for everything that shows time going by: it ticks once a second, only while somebody
// shows it and the tab is seen.
import { computed, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

export const now = signal(Date.now());
/** For what is told in minutes. */
const minute = computed(() => Math.floor(now.value / 60_000));

let users = 0;
let timer: ReturnType<typeof setInterval> | undefined;

function update(): void {
  const wanted = users > 0 && document.visibilityState !== "hidden";
  if (wanted && timer === undefined) {
    now.value = Date.now();
    timer = setInterval(() => {
      now.value = Date.now();
    }, 1000);
  } else if (!wanted && timer !== undefined) {
    clearInterval(timer);
    timer = undefined;
  }
}

if (typeof document !== "undefined") document.addEventListener("visibilitychange", update);

/** The time now, again each second, or each minute, while `ticking`. */
export function useNow(ticking: boolean, every: "second" | "minute" = "second"): number {
  useEffect(() => {
    if (!ticking) return undefined;
    users++;
    update();
    return () => {
      users--;
      update();
    };
  }, [ticking]);
  if (ticking) void (every === "second" ? now.value : minute.value);
  return Date.now();
}
