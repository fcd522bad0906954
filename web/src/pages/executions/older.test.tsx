import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { execution } from "../../live/fixtures";
import { newestFirst } from "../../live/rows";
import type { Filters } from "./filters";
import { mergeOlder, useOlder, type Older } from "./older";

const none: Filters = { status: [], createdBy: "", text: "", since: "" };
let place: HTMLElement;
let older: Older;

function Probe({ filters, until }: { filters: Filters; until: string | undefined }) {
  older = useOlder(filters, until);
  return null;
}

const show = (filters: Filters, until?: string) => act(() => render(<Probe filters={filters} until={until} />, place));
const load = () =>
  act(async () => {
    older.load();
    await new Promise((resolve) => setTimeout(resolve));
  });

function answers(...list: Response[]) {
  const calls: string[] = [];
  vi.stubGlobal("fetch", (url: string) => {
    calls.push(url);
    return Promise.resolve(list.shift() ?? new Response("[]"));
  });
  return calls;
}

const page = (ids: string[], next?: string): Response =>
  new Response(JSON.stringify(ids.map((id) => execution(id))), next ? { headers: { Link: `<http://else/api/v1/executions?cursor=${next}>; rel="next"` } } : {});

beforeEach(() => {
  place = document.createElement("div");
});
afterEach(() => {
  render(null, place);
  vi.unstubAllGlobals();
});

describe("useOlder", () => {
  it("goes from the oldest of the live list from page to page", async () => {
    const calls = answers(page(["a", "b"], "7"), page(["b", "c"]));
    await show({ ...none, status: ["FAILED", "STOPPED"], createdBy: "a@b.c" }, "2026-01-01T00:00:00Z");
    await load();
    expect(older.rows.map((row) => row.execution_id)).toEqual(["a", "b"]);
    expect(older.exhausted).toBe(false);
    await load();
    expect(older.rows.map((row) => row.execution_id)).toEqual(["a", "b", "c"]);
    expect(older.exhausted).toBe(true);
    const first = new URL(calls[0] ?? "", "http://x").searchParams;
    expect(Object.fromEntries(first)).toEqual({ status: "FAILED,STOPPED", created_by: "a@b.c", until: "2026-01-01T00:00:00Z", limit: "200" });
    expect(calls[1]).toBe("/api/v1/executions?cursor=7");
  });

  it("begins anew when the filters change, not when the text does", async () => {
    answers(page(["a"], "7"));
    await show(none);
    await load();
    await show({ ...none, text: "x" });
    expect(older.rows.length).toBe(1);
    await show({ ...none, status: ["FAILED"] });
    expect(older.rows).toEqual([]);
    expect(older.exhausted).toBe(false);
  });

  it("keeps what it has when a page fails and can try again", async () => {
    const failure = new Response(JSON.stringify({ error: "down", code: "DATABASE_ERROR", details: "" }), { status: 503 });
    const calls = answers(page(["a"], "7"), failure, page(["b"]));
    await show(none);
    await load();
    await load();
    expect(older.error).toMatchObject({ code: "DATABASE_ERROR" });
    expect(older.rows.length).toBe(1);
    await load();
    expect(older.error).toBeNull();
    expect(older.rows.length).toBe(2);
    expect(calls[2]).toBe(calls[1]);
  });
});

describe("mergeOlder", () => {
  it("shows each execution once, its newest version, newest first", () => {
    const live = [execution("c"), execution("b", { version: 3 })];
    const merged = mergeOlder(live, [execution("b", { version: 2 }), execution("a")], newestFirst);
    expect(merged.map((row) => `${row.execution_id}:${row.version}`)).toEqual(["c:1", "b:3", "a:1"]);
  });
});
