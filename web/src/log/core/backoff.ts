/**
 * When to try again: exponential with jitter, so that the readers of a server that went away do not
 * come back all at once.
 */
export interface Backoff {
  /** Attempts since the last success. */
  readonly attempt: number;
  /** ms to wait before the next attempt; counts it. */
  next(): number;
  /** It worked: the next wait is short again. */
  reset(): void;
}

export const BACKOFF_FIRST_MS = 500;
export const BACKOFF_MAX_MS = 30_000;

/** Waits are between half and one and a half of 0.5 s, 1 s, 2 s … 30 s. */
export function backoff(random: () => number = Math.random): Backoff {
  let attempt = 0;
  return {
    get attempt() {
      return attempt;
    },
    next() {
      const base = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(attempt, 16));
      attempt++;
      return Math.round(base * (0.5 + random()));
    },
    reset() {
      attempt = 0;
    },
  };
}
