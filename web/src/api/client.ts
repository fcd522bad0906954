// The API as functions: typed answers, one kind of error, the key from this browser's storage.
import { signal } from "@preact/signals";
import { readStored, writeStored } from "../app/settings";

const KEY = "tailgate.key";
export const SESSION = "/session";

/** The key as it is stored in this browser; null: signed out. */
export const apiKey = signal<string | null>(readStored(KEY));

/** False: the browser stores nothing, the key lasts as long as the tab. */
export function setApiKey(key: string | null): boolean {
  const stored = writeStored(KEY, key);
  apiKey.value = key;
  return stored;
}

/** Counts answers that say that the stored key is good no more; api/session.ts looks again. */
export const refusals = signal(0);

// Another tab signed in or out.
if (typeof addEventListener === "function") {
  addEventListener("storage", (event) => {
    if (event.key === KEY || event.key === null) apiKey.value = readStored(KEY);
  });
}

/** An answer that is an error, or no answer at all (status 0, code NETWORK). */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly error: string;
  readonly details: string;
  readonly requestId: string | null;
  /** Seconds after which the server wants to be asked again; null: it said nothing. */
  readonly retryAfter: number | null;

  constructor(status: number, body: { code: string; error: string; details: string }, headers?: Headers) {
    super(body.details ? `${body.error}: ${body.details}` : body.error);
    this.name = "ApiError";
    this.status = status;
    this.code = body.code;
    this.error = body.error;
    this.details = body.details;
    this.requestId = headers?.get("X-Request-ID") ?? null;
    const after = Number(headers?.get("Retry-After") ?? NaN);
    this.retryAfter = Number.isFinite(after) ? after : null;
  }
}

export type QueryValue = string | number | boolean | null | undefined;

export interface RequestOptions {
  query?: Record<string, QueryValue>;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
  /** Another key than the stored one; null: none (public routes). */
  key?: string | null;
}

export interface Answer<T> {
  body: T;
  status: number;
  headers: Headers;
  /** The path of the next page (Link: rel="next"), for `getPage` again. */
  next: string | null;
}

export function apiUrl(path: string, query: Record<string, QueryValue> = {}): string {
  const base = path.startsWith("/api/") ? path : `/api/v1${path}`;
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return text ? `${base}${base.includes("?") ? "&" : "?"}${text}` : base;
}

/** The path and query of the `next` link, whatever host the server thinks it is reached by. */
export function nextLink(header: string | null): string | null {
  for (const part of (header ?? "").split(/,\s*(?=<)/)) {
    const match = /^<([^>]*)>(.*)$/.exec(part.trim());
    if (!match?.[1] || !/;\s*rel="?next"?(?:\s*;|\s*$)/i.test(match[2] ?? "")) continue;
    try {
      const url = new URL(match[1], location.origin);
      return url.pathname + url.search;
    } catch {
      return null;
    }
  }
  return null;
}

function errorOf(status: number, text: string, headers: Headers): ApiError {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === "object" && body !== null && "code" in body) {
      const { code, error, details } = body as Record<string, unknown>;
      return new ApiError(
        status,
        { code: String(code), error: String(error ?? `HTTP ${status}`), details: String(details ?? "") },
        headers,
      );
    }
  } catch {
    // A proxy's page, not the API's answer: its status is all that is known.
  }
  return new ApiError(status, { code: "HTTP", error: `the server answered ${status}`, details: "" }, headers);
}

/** Any call, its answer not read yet; throws ApiError when it is none or an error. */
export async function raw(method: string, path: string, body: unknown, options: RequestOptions = {}): Promise<Response> {
  const headers = new Headers(options.headers);
  const key = options.key === undefined ? apiKey.peek() : options.key;
  if (key) headers.set("X-API-Key", key);
  if (body !== undefined) headers.set("Content-Type", "application/json");
  let response: Response;
  try {
    response = await fetch(apiUrl(path, options.query), {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      signal: options.signal ?? null,
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
    });
  } catch (cause) {
    if (options.signal?.aborted) throw cause;
    throw new ApiError(0, { code: "NETWORK", error: "the server cannot be reached", details: "" });
  }
  if (response.status === 401 && key !== null && key === apiKey.peek() && path !== SESSION) refusals.value++;
  if (!response.ok) throw errorOf(response.status, await response.text().catch(() => ""), response.headers);
  return response;
}

export async function request<T>(method: string, path: string, body?: unknown, options: RequestOptions = {}): Promise<Answer<T>> {
  const response = await raw(method, path, body, options);
  const text = await response.text();
  let parsed: unknown = null;
  if (text) {
    try {
      parsed = JSON.parse(text);
    } catch {
      throw new ApiError(response.status, { code: "HTTP", error: "the answer is not JSON", details: "" }, response.headers);
    }
  }
  return { body: parsed as T, status: response.status, headers: response.headers, next: nextLink(response.headers.get("Link")) };
}

export const get = async <T>(path: string, options?: RequestOptions): Promise<T> =>
  (await request<T>("GET", path, undefined, options)).body;
export const getPage = <T>(path: string, options?: RequestOptions): Promise<Answer<T>> =>
  request<T>("GET", path, undefined, options);
export const post = async <T>(path: string, body?: unknown, options?: RequestOptions): Promise<T> =>
  (await request<T>("POST", path, body, options)).body;
export const put = async <T>(path: string, body: unknown, options?: RequestOptions): Promise<T> =>
  (await request<T>("PUT", path, body, options)).body;
export const del = async <T>(path: string, options?: RequestOptions): Promise<T> =>
  (await request<T>("DELETE", path, undefined, options)).body;

/** A ticket for `?ticket=` of /api/v1/ws: good once, for 30 s. */
export const takeTicket = async (options?: RequestOptions): Promise<string> =>
  (await post<{ ticket: string; expires_at: string }>("/tickets", undefined, options)).ticket;

/** The URL of tailgate.v1 with a ticket. */
export function socketUrl(ticket: string): string {
  const url = new URL("/api/v1/ws", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.search = `?ticket=${encodeURIComponent(ticket)}`;
  return url.href;
}
