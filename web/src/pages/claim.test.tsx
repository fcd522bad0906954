import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { apiKey, setApiKey } from "../api/client";
import ClaimPage from "./claim";

let asked: string[];
let answer: () => Response;
const byId = (id: string) => document.querySelector<HTMLElement>(`[data-testid="${id}"]`);

async function show(): Promise<void> {
  await act(() => render(<ClaimPage params={{ token: "tok-_1" }} query={new URLSearchParams()} hash="#/claim/tok-_1" />, document.body));
}

async function press(): Promise<void> {
  await act(async () => {
    byId("claim-button")?.click();
    await new Promise((resolve) => setTimeout(resolve, 0));
  });
}

beforeEach(() => {
  asked = [];
  setApiKey(null);
  history.replaceState(null, "", "/#/claim/tok-_1");
  answer = () => new Response(JSON.stringify({ api_key: "tg_new", user_email: "me@example.org", message: "" }));
  vi.stubGlobal("fetch", (url: string) => {
    asked.push(url);
    return Promise.resolve().then(() => answer());
  });
});

afterEach(() => {
  render(null, document.body);
  setApiKey(null);
  vi.unstubAllGlobals();
});

test("opening the link asks for nothing", async () => {
  await show();
  expect(byId("claim-button")?.textContent).toBe("Claim the account");
  expect(asked).toEqual([]);
  expect(apiKey.value).toBeNull();
});

test("one click claims, keeps the key, and takes the token out of the address", async () => {
  await show();
  await press();
  expect(asked).toEqual(["/api/v1/claim/tok-_1"]);
  expect(byId("claim-key")?.textContent?.trim()).toBe("tg_new");
  expect(byId("claim-done")).not.toBeNull();
  expect(apiKey.value).toBe("tg_new");
  expect(location.hash).toBe("");
});

test.each([
  [409, "used already"],
  [404, "unknown or has expired"],
  [503, "away"],
])("an answer %d is told, and the token stays", async (status, text) => {
  answer = () => new Response(JSON.stringify({ error: "away", code: "X", details: "" }), { status });
  await show();
  await press();
  expect(document.querySelector('[role="alert"]')?.textContent).toContain(text);
  expect(apiKey.value).toBeNull();
  expect(location.hash).toBe("#/claim/tok-_1");
});
