import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { refusals, setApiKey } from "./client";
import { may, mayOwned, session, sessionError, startSession } from "./session";

const developer = {
  email: "dev@example.org",
  role: "developer",
  version: "1.0",
  may: { executions: { list: "own", create: "all" }, images: { delete: "own" } },
};

let answers: Record<string, () => Response>;
let asked: string[];
let stop: () => void;

const settled = () => new Promise((resolve) => setTimeout(resolve, 0));
const refused = () => new Response(JSON.stringify({ error: "no", code: "API_KEY_REVOKED", details: "" }), { status: 401 });

beforeEach(() => {
  asked = [];
  answers = { tg_dev: () => new Response(JSON.stringify(developer)) };
  vi.stubGlobal("fetch", (_url: string, init: RequestInit) => {
    const key = new Headers(init.headers).get("X-API-Key") ?? "";
    asked.push(key);
    return Promise.resolve().then(() => (answers[key] ?? refused)());
  });
  setApiKey(null);
  stop = startSession();
});

afterEach(() => {
  stop();
  setApiKey(null);
  vi.unstubAllGlobals();
});

test("signed out, nothing is asked and nothing is allowed", async () => {
  await settled();
  expect(asked).toEqual([]);
  expect(session.value).toBeNull();
  expect(may("executions", "list")).toBeNull();
});

test("a key makes a session, forgetting it ends it", async () => {
  setApiKey("tg_dev");
  await settled();
  expect(session.value?.email).toBe("dev@example.org");
  expect(may("executions", "create")).toBe("all");
  expect(may("executions", "list")).toBe("own");
  expect(may("users", "list")).toBeNull();
  setApiKey(null);
  expect(session.value).toBeNull();
});

test("own is what one made oneself", async () => {
  setApiKey("tg_dev");
  await settled();
  expect(mayOwned("images", "delete", "dev@example.org")).toBe(true);
  expect(mayOwned("images", "delete", "other@example.org")).toBe(false);
  expect(mayOwned("images", "delete", null)).toBe(false);
  expect(mayOwned("executions", "create", "other@example.org")).toBe(true);
  expect(mayOwned("users", "list", "dev@example.org")).toBe(false);
});

test("an unknown key is an error, not a session", async () => {
  setApiKey("tg_bad");
  await settled();
  expect(session.value).toBeNull();
  expect(sessionError.value?.status).toBe(401);
});

test("an answer for the key before comes too late", async () => {
  setApiKey("tg_dev");
  setApiKey("tg_bad");
  await settled();
  expect(session.value).toBeNull();
  expect(asked).toEqual(["tg_dev", "tg_bad"]);
});

test("a key that is refused later ends the session", async () => {
  setApiKey("tg_dev");
  await settled();
  answers = {};
  refusals.value++;
  await settled();
  expect(session.value).toBeNull();
  expect(sessionError.value?.code).toBe("API_KEY_REVOKED");
});

test("a server that is away for a moment does not end it", async () => {
  setApiKey("tg_dev");
  await settled();
  answers = { tg_dev: () => new Response("", { status: 503 }) };
  refusals.value++;
  await settled();
  expect(session.value?.email).toBe("dev@example.org");
  expect(sessionError.value?.status).toBe(503);
});
