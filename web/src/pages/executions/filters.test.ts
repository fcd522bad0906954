import { describe, expect, it } from "vitest";
import { execution } from "../../live/fixtures";
import { filterRows, isFiltered, readFilters, sinceTime, writeFilters, type Filters } from "./filters";

const none: Filters = { status: [], createdBy: "", text: "", since: "" };
const NOW = Date.parse("2026-05-02T00:00:00Z");

describe("filters and the address", () => {
  it.each<[string, Filters]>([
    ["", none],
    ["status=FAILED,RUNNING", { ...none, status: ["RUNNING", "FAILED"] }],
    ["status=failed", { ...none, status: ["FAILED"] }],
    ["status=nonsense,,FAILED,FAILED", { ...none, status: ["FAILED"] }],
    ["created_by=a%40b.c&q=x+y&since=24h", { ...none, createdBy: "a@b.c", text: "x y", since: "24h" }],
    ["since=9y", none],
  ])("reads %s", (text, filters) => {
    expect(readFilters(new URLSearchParams(text))).toEqual(filters);
  });

  it("writes what it reads", () => {
    const filters: Filters = { status: ["RUNNING", "STOPPED"], createdBy: "a@b.c", text: "a,b&c=ü", since: "7d" };
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(writeFilters(filters))) if (value !== null) query.set(name, value);
    expect(readFilters(new URLSearchParams(query.toString()))).toEqual(filters);
  });

  it("writes nothing of what is not filtered", () => {
    expect(writeFilters(none)).toEqual({ status: null, created_by: null, q: null, since: null });
    expect(isFiltered(none)).toBe(false);
    expect(isFiltered({ ...none, since: "1h" })).toBe(true);
  });

  it("knows when a time began", () => {
    expect(sinceTime(none, NOW)).toBeNull();
    expect(sinceTime({ ...none, since: "1h" }, NOW)).toBe(NOW - 3_600_000);
  });
});

describe("filterRows", () => {
  const rows = [
    execution("aa", { command: "Make Check", created_by: "ada@example.com" }),
    execution("bb", { status: "FAILED", image_id: "debian:bookworm-1" }),
    execution("cc", { status: "STARTING", queued: true }),
    execution("dd", { status: "STARTING", started_at: "2026-05-01T23:30:00Z" }),
  ];
  it.each<[string, Partial<Filters>, string[]]>([
    ["nothing", {}, ["aa", "bb", "cc", "dd"]],
    ["a status", { status: ["FAILED"] }, ["bb"]],
    ["several", { status: ["FAILED", "RUNNING"] }, ["aa", "bb"]],
    ["what is queued", { status: ["PENDING"] }, ["cc"]],
    ["what starts, queued or not", { status: ["STARTING"] }, ["cc", "dd"]],
    ["an owner", { createdBy: "ada@example.com" }, ["aa"]],
    ["text of the command, in any case", { text: " make CHECK " }, ["aa"]],
    ["text of the ID", { text: "bb" }, ["bb"]],
    ["text of the image", { text: "bookworm" }, ["bb"]],
    ["a time", { since: "1h" }, ["dd"]],
    ["all of them", { status: ["STARTING"], since: "1h", text: "dd" }, ["dd"]],
  ])("by %s", (_, part, ids) => {
    expect(filterRows(rows, { ...none, ...part }, NOW).map((row) => row.execution_id)).toEqual(ids);
  });
});
