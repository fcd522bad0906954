// Who is signed in and what the role allows, as the server's policy says it: pages ask `may`, never a
// role's name.
import { effect, signal } from "@preact/signals";
import { ApiError, SESSION, apiKey, get, refusals } from "./client";

/** "own": only what one made oneself. */
export type Scope = "all" | "own";

export interface Session {
  email: string;
  role: string;
  version: string;
  may: Record<string, Record<string, Scope>>;
}

export const session = signal<Session | null>(null);
/** Why there is no session although there is a key. */
export const sessionError = signal<ApiError | null>(null);

/** What the caller may do: "all", "own", or null for nothing. */
export function may(resource: string, action: string): Scope | null {
  return session.value?.may[resource]?.[action] ?? null;
}

/** May the caller do it to what `owner` made? */
export function mayOwned(resource: string, action: string, owner: string | null | undefined): boolean {
  const scope = may(resource, action);
  return scope === "all" || (scope === "own" && owner === session.value?.email);
}

export const readSession = (key?: string, abort?: AbortSignal): Promise<Session> =>
  get<Session>(SESSION, { ...(key === undefined ? {} : { key }), signal: abort });

async function load(key: string): Promise<void> {
  try {
    const found = await readSession(key);
    if (apiKey.peek() !== key) return;
    sessionError.value = null;
    session.value = found;
  } catch (error) {
    if (apiKey.peek() !== key) return;
    if (error instanceof ApiError && error.status === 401) session.value = null;
    sessionError.value = error instanceof ApiError ? error : new ApiError(0, { code: "NETWORK", error: String(error), details: "" });
  }
}

/** Asks again, for instance after the server could not be reached. */
export function reloadSession(): void {
  const key = apiKey.peek();
  if (key) void load(key);
}

/** Follows the stored key: another key is another session, a refused one is looked at again. */
export function startSession(): () => void {
  const stopKey = effect(() => {
    const key = apiKey.value;
    session.value = null;
    sessionError.value = null;
    if (key) void load(key);
  });
  const stopRefusals = effect(() => {
    if (refusals.value > 0) reloadSession();
  });
  return () => {
    stopKey();
    stopRefusals();
  };
}
