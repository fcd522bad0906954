import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ApiError, apiKey, apiUrl, del, get, getPage, nextLink, post, refusals, setApiKey, socketUrl, takeTicket } from "./client";

interface Call {
  url: string;
  init: RequestInit;
}

let calls: Call[];
let answer: () => Response | Promise<Response>;

const json = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  new Response(body === null ? null : JSON.stringify(body), { status, headers });

beforeEach(() => {
  calls = [];
  answer = () => json(200, {});
  vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
    calls.push({ url, init });
    return Promise.resolve().then(answer);
  });
  setApiKey("tg_key");
});

afterEach(() => {
  setApiKey(null);
  vi.unstubAllGlobals();
});

const header = (name: string): string | null => new Headers(calls[0]?.init.headers).get(name);

async function failure(promise: Promise<unknown>): Promise<ApiError> {
  const error: unknown = await promise.then(() => null, (reason: unknown) => reason);
  if (!(error instanceof ApiError)) throw new Error(`no ApiError: ${String(error)}`);
  return error;
}

test("the key is sent, kept in local storage, and never by itself", async () => {
  expect(localStorage.getItem("tailgate.key")).toBe("tg_key");
  await get("/executions");
  expect(calls[0]?.url).toBe("/api/v1/executions");
  expect(header("X-API-Key")).toBe("tg_key");
  expect(calls[0]?.init).toMatchObject({ method: "GET", credentials: "omit", cache: "no-store", redirect: "error", body: null });
});

test("a call may bring another key, or none", async () => {
  await get("/a", { key: "tg_other" });
  await get("/b", { key: null });
  expect(calls.map((call) => new Headers(call.init.headers).get("X-API-Key"))).toEqual(["tg_other", null]);
});

test("bodies go and come as JSON", async () => {
  answer = () => json(201, { execution_id: "x" });
  expect(await post("/run", { command: "true" })).toEqual({ execution_id: "x" });
  expect(header("Content-Type")).toBe("application/json");
  expect(calls[0]?.init.body).toBe('{"command":"true"}');
});

test("204 is null", async () => {
  answer = () => json(204, null);
  expect(await del("/executions/x")).toBeNull();
});

test("an error has what the server said", async () => {
  answer = () => json(429, { error: "too many", code: "LIMIT_EXCEEDED", details: "20 run" }, { "Retry-After": "3", "X-Request-ID": "r1" });
  const error = await failure(get("/x"));
  expect(error).toMatchObject({ status: 429, code: "LIMIT_EXCEEDED", error: "too many", details: "20 run", retryAfter: 3, requestId: "r1" });
  expect(error.message).toBe("too many: 20 run");
});

test.each([
  ["<html>Bad gateway</html>", 502],
  ["", 504],
  ["[]", 500],
])("an error that is not the API's (%j) has its status", async (text, status) => {
  answer = () => new Response(text, { status });
  expect(await failure(get("/x"))).toMatchObject({ status, code: "HTTP", retryAfter: null });
});

test("an answer that is not JSON is an error", async () => {
  answer = () => new Response("<html>", { status: 200 });
  expect(await failure(get("/x"))).toMatchObject({ status: 200, code: "HTTP" });
});

test("a server that cannot be reached is NETWORK", async () => {
  answer = () => Promise.reject(new TypeError("failed to fetch"));
  expect(await failure(get("/x"))).toMatchObject({ status: 0, code: "NETWORK" });
});

test("an aborted call throws what the browser throws", async () => {
  const controller = new AbortController();
  controller.abort();
  const reason = new DOMException("aborted", "AbortError");
  answer = () => Promise.reject(reason);
  await expect(get("/x", { signal: controller.signal })).rejects.toBe(reason);
});

test("a refused key is counted, that of a try or of the session is not", async () => {
  answer = () => json(401, { error: "no", code: "API_KEY_REVOKED", details: "" });
  const before = refusals.value;
  await failure(get("/x", { key: "tg_try" }));
  await failure(get("/session"));
  expect(refusals.value).toBe(before);
  await failure(get("/x"));
  expect(refusals.value).toBe(before + 1);
});

test("apiUrl leaves out what is empty", () => {
  expect(apiUrl("/executions", { status: "A,B", q: "", limit: 0, since: null, until: undefined })).toBe("/api/v1/executions?status=A%2CB&limit=0");
  expect(apiUrl("/api/v1/executions?cursor=1", { limit: 2 })).toBe("/api/v1/executions?cursor=1&limit=2");
});

test.each([
  ['</api/v1/executions?cursor=7>; rel="next"', "/api/v1/executions?cursor=7"],
  ['<https://other.example/api/v1/audit?x=1,2&cursor=7>; rel="next"', "/api/v1/audit?x=1,2&cursor=7"],
  ['</a>; rel="prev", </b>; rel="next"', "/b"],
  ["</a>; rel=next", "/a"],
  ['</a>; rel="prev"', null],
  ["", null],
  [null, null],
])("nextLink of %j is %j", (value, next) => {
  expect(nextLink(value)).toBe(next);
});

test("getPage tells where the next page is", async () => {
  answer = () => json(200, [1], { Link: '</api/v1/executions?cursor=7>; rel="next"' });
  expect(await getPage("/executions")).toMatchObject({ body: [1], next: "/api/v1/executions?cursor=7" });
});

test("a ticket is asked for with POST and goes into the socket's address", async () => {
  answer = () => json(201, { ticket: "a+b", expires_at: "2026-01-01T00:00:00Z" });
  const ticket = await takeTicket();
  expect(calls[0]).toMatchObject({ url: "/api/v1/tickets", init: { method: "POST" } });
  expect(socketUrl(ticket)).toMatch(/^ws:\/\/.*\/api\/v1\/ws\?ticket=a%2Bb$/);
});

test("another tab's key is taken over", () => {
  localStorage.setItem("tailgate.key", "tg_new");
  dispatchEvent(Object.assign(new Event("storage"), { key: "tailgate.key" }));
  expect(apiKey.value).toBe("tg_new");
});

test("a browser that keeps nothing has the key for the tab", () => {
  const denied = () => {
    throw new DOMException("denied", "SecurityError");
  };
  vi.stubGlobal("localStorage", { getItem: denied, setItem: denied, removeItem: denied });
  expect(setApiKey("tg_tab")).toBe(false);
  expect(apiKey.value).toBe("tg_tab");
});
