import { describe, expect, it } from "vitest";
import { ENDED_MAX, Rows } from "./rows";
import { change, execution, snapshot } from "./fixtures";

const shown = (rows: Rows): string[] => rows.list().map((row) => `${row.execution_id}:${row.version}`);

describe("Rows", () => {
  it("shows a snapshot when it is whole", () => {
    const rows = new Rows();
    expect(rows.apply(snapshot([execution("a")], { begin: true, more: true }))).toBe(false);
    expect(rows.list()).toEqual([]);
    expect(rows.complete).toBe(false);
    expect(rows.apply(snapshot([execution("b")], { cursor: "c1" }))).toBe(true);
    expect(shown(rows)).toEqual(["b:1", "a:1"]);
    expect(rows.cursor).toBe("c1");
    expect(rows.complete).toBe(true);
  });

  it("keeps the highest version, in whatever order rows are told", () => {
    const rows = new Rows();
    rows.apply(snapshot([execution("a", { version: 3 })], { begin: true, cursor: "c1" }));
    expect(rows.apply(change([execution("a", { version: 2 })]))).toBe(false);
    expect(rows.apply(change([execution("a", { version: 3 })]))).toBe(false);
    expect(rows.apply(change([execution("a", { version: 5 }), execution("a", { version: 4 })], "c2"))).toBe(true);
    expect(shown(rows)).toEqual(["a:5"]);
    expect(rows.cursor).toBe("c2");
  });

  it("keeps the cursor when a part of the changes has none", () => {
    const rows = new Rows();
    rows.apply(snapshot([], { begin: true, cursor: "c1" }));
    rows.apply(change([execution("a")]));
    expect(rows.cursor).toBe("c1");
  });

  it("forgets what it had when a new snapshot is whole", () => {
    const rows = new Rows();
    rows.apply(snapshot([execution("a", { version: 9 })], { begin: true, cursor: "c1" }));
    rows.apply(snapshot([execution("b")], { begin: true, more: true }));
    expect(shown(rows)).toEqual(["a:9"]);
    rows.apply(snapshot([execution("a", { version: 2 })], { cursor: "c2" }));
    expect(shown(rows)).toEqual(["b:1", "a:2"]);
  });

  it("forgets a snapshot whose connection was lost", () => {
    const rows = new Rows();
    rows.apply(snapshot([execution("a")], { begin: true, cursor: "c1" }));
    rows.apply(snapshot([execution("b")], { begin: true, more: true }));
    rows.interrupt();
    rows.apply(change([execution("c")], "c2"));
    expect(shown(rows)).toEqual(["c:1", "a:1"]);
  });

  it("lists the newest first, equal times by ID", () => {
    const rows = new Rows();
    const at = "2026-01-01T00:00:00.000Z";
    rows.apply(snapshot([execution("a", { started_at: at }), execution("c", { started_at: at }), execution("b")], { begin: true, cursor: "1" }));
    expect(rows.list().map((row) => row.execution_id)).toEqual(["b", "c", "a"]);
  });

  it("bounds what has ended and keeps all that lives", () => {
    const rows = new Rows();
    const many = Array.from({ length: ENDED_MAX + 10 }, (_, i) =>
      execution(`e${i}`, { started_at: new Date(1e12 + i).toISOString(), completed_at: new Date(1e12 + i + 1).toISOString() }),
    );
    rows.apply(snapshot([execution("old", { started_at: "2001-01-01T00:00:00.000Z" })], { begin: true, cursor: "1" }));
    rows.apply(change(many, "2"));
    const ids = rows.list().map((row) => row.execution_id);
    expect(ids.length).toBe(ENDED_MAX + 1);
    expect(ids).toContain("old");
    expect(ids).not.toContain("e9");
    expect(ids).toContain("e10");
  });
});
