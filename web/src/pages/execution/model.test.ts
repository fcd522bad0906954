import { describe, expect, it } from "vitest";
import type { Status } from "../../log/model";
import { exitText, pageTitle, reasonText, withStatus, type Execution } from "./model";

const row: Execution = { execution_id: "x", status: "STARTING", command: "make all", started_at: "2026-01-01T00:00:00Z", exit_code: null, last_seq: 0, version: 2 };
const status = (more: Partial<Status>): Status => ({ status: "RUNNING", exitCode: null, reason: null, startedAt: null, completedAt: null, version: 3, ...more });

describe("withStatus", () => {
  it("takes what came later, with its exit code, reason and times", () => {
    const next = withStatus({ ...row, queued: true }, status({ status: "FAILED", exitCode: 124, reason: "timeout", completedAt: "2026-01-01T00:01:00Z" }));
    expect(next).toMatchObject({ status: "FAILED", exit_code: 124, reason: "timeout", completed_at: "2026-01-01T00:01:00Z", version: 3 });
    expect(next.queued).toBeUndefined();
  });

  it("leaves a newer row as it is", () => {
    expect(withStatus(row, null)).toBe(row);
    expect(withStatus({ ...row, version: 4 }, status({})).status).toBe("STARTING");
  });

  it.each([
    ["STARTING", "RUNNING", "RUNNING"],
    ["TERMINATING", "RUNNING", "TERMINATING"],
    ["SUCCEEDED", "RUNNING", "SUCCEEDED"],
    ["RUNNING", "FAILED", "FAILED"],
  ])("%s and a %s without a version make %s", (before, said, after) =>
    expect(withStatus({ ...row, status: before }, status({ status: said, version: -1 })).status).toBe(after),
  );
});

it("puts a sign before the command in the tab's title", () => {
  expect(pageTitle({ status: "RUNNING", command: "make" })).toBe("● make · Tailgate");
  expect(pageTitle({ status: "SUCCEEDED", command: "a\nb" })).toBe("✓ a · Tailgate");
  expect(pageTitle({ status: "FAILED", command: "x".repeat(100) })).toHaveLength(73);
});

it("says why in words", () => {
  expect(reasonText("timeout")).toBe("its time was up");
  expect(reasonText("some_new_reason")).toBe("some new reason");
  expect(reasonText(null)).toBe("");
  expect(exitText({ exit_code: 137, signal: 9 })).toBe("exit code 137 (signal 9)");
  expect(exitText({ exit_code: null })).toBe("");
});
