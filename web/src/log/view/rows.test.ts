import { beforeEach, describe, expect, it } from "vitest";
import { FakeClient } from "./fake-client";
import { itemsOf, Rows } from "./rows";

const slice = (from: number, to: number, more = {}) => ({
  lines: Array.from({ length: to - from + 1 }, (_, i) => FakeClient.line(from + i, `line ${from + i}`)), atStart: from === 1, atEnd: false, ...more,
});

describe("itemsOf", () => {
  it("puts gaps before, between and behind lines", () => {
    const keys = (part: ReturnType<typeof slice>, gaps: { first: number; last: number }[]) => itemsOf(part, gaps).map((item) => item.key);
    expect(keys({ ...slice(5, 6), atStart: true }, [{ first: 1, last: 4 }])).toEqual([-1, 5, 6]);
    expect(keys(slice(5, 6), [{ first: 1, last: 4 }])).toEqual([5, 6]);
    expect(keys({ ...slice(1, 2), lines: [...slice(1, 2).lines, ...slice(9, 9).lines] }, [{ first: 3, last: 8 }])).toEqual([1, 2, -3, 9]);
    expect(keys({ ...slice(1, 2), atEnd: true }, [{ first: 3, last: 8 }])).toEqual([1, 2, -3]);
  });
});

describe("Rows", () => {
  let block: HTMLElement;
  let rows: Rows;
  let made = 0;
  beforeEach(() => {
    block = document.createElement("div");
    made = 0;
    const el = (text: string): HTMLElement => {
      made++;
      return Object.assign(document.createElement("div"), { textContent: text });
    };
    rows = new Rows(block, { line: (line) => el(String(line.seq)), gap: (from, to) => el(`${from}-${to}`) });
  });
  const shown = () => [...block.children].map((child) => child.textContent).join(" ");

  it("keeps the elements of lines that stay", () => {
    rows.reconcile(itemsOf(slice(1, 5), []), false);
    const third = block.children[2];
    rows.reconcile(itemsOf(slice(3, 8), []), false);
    expect(shown()).toBe("3 4 5 6 7 8");
    expect(block.children[0]).toBe(third);
    expect(made).toBe(8);
    rows.reconcile(itemsOf(slice(1, 4), []), false);
    expect(shown()).toBe("1 2 3 4");
  });

  it("makes a line anew that changed, and only that", () => {
    rows.reconcile(itemsOf(slice(1, 3), []), false);
    const next = slice(1, 3);
    next.lines[1] = { ...FakeClient.line(2, "more"), open: false };
    rows.reconcile(itemsOf(next, []), false);
    expect(made).toBe(4);
    expect(shown()).toBe("1 2 3");
  });

  it("holds what went out of the window while somebody selects, up to a bound", () => {
    rows.reconcile(itemsOf(slice(1, 5), []), false);
    rows.reconcile(itemsOf(slice(4, 9), []), true);
    expect(shown()).toBe("1 2 3 4 5 6 7 8 9");
    rows.reconcile(itemsOf(slice(100, 103), []), true);
    expect(shown()).toBe("100 101 102 103");
    rows.reconcile(itemsOf(slice(101, 2200), []), true);
    expect(block.children).toHaveLength(2100);
  });

  it("finds the row of a number", () => {
    rows.reconcile(itemsOf({ lines: [{ ...FakeClient.line(4, "x"), lastSeq: 7 }], atStart: false, atEnd: false }, []), false);
    expect(rows.at(6)?.first).toBe(4);
    expect(rows.at(8)).toBeUndefined();
  });
});
