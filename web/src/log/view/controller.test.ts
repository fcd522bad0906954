import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LogController } from "./controller";
import { FakeClient } from "./fake-client";

const numbered = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => FakeClient.line(from + i, `line ${from + i}`));

describe("LogController", () => {
  let client: FakeClient;
  let ranges: unknown[];
  const open = (anchor: { from: number; to: number } | null = null): LogController => {
    const log = new LogController({
      makeSource: (_anchor, on) => (client = new FakeClient(on)), anchor, onRange: (range) => ranges.push(range), onQuery: () => undefined,
    });
    const [scroller, sizer, block] = [document.createElement("div"), document.createElement("div"), document.createElement("div")];
    sizer.append(block);
    scroller.append(sizer);
    document.body.replaceChildren(scroller);
    log.attach({ scroller, sizer, block });
    return log;
  };
  beforeEach(() => { ranges = []; });
  afterEach(() => vi.useRealTimers());
  const rows = () => [...document.querySelectorAll('[data-testid="log-line"]')].map((row) => Number((row as HTMLElement).dataset["seq"]));

  it("follows the end with a bounded number of rows", () => {
    const log = open();
    client.add(numbered(1, 5000));
    expect(rows().at(-1)).toBe(5000);
    expect(rows().length).toBeLessThan(400);
    client.add(numbered(5001, 5010));
    expect(rows().at(-1)).toBe(5010);
    expect(log.fresh.value).toBe(0);
    log.close();
    expect(client.asked.at(-1)).toBe("close");
  });

  it("counts what comes once one has gone up", () => {
    const log = open();
    client.add(numbered(1, 3000));
    log.goTo(100);
    client.add(numbered(3001, 3040));
    expect(log.fresh.value).toBe(40);
    expect(rows()).toContain(100);
    log.goTo("end");
    expect(log.fresh.value).toBe(0);
  });

  it("opens a permalink where it points and marks its range", () => {
    const log = open({ from: 2000, to: 2002 });
    client.add(numbered(1, 5000));
    expect(log.following.value).toBe(false);
    expect(rows()).toContain(2000);
    expect([...document.querySelectorAll<HTMLElement>(".row-selected")].map((row) => row.dataset["seq"])).toEqual(["2000", "2001", "2002"]);
  });

  it("makes a range by clicks, and copies it from what is at hand", () => {
    const log = open();
    client.add(numbered(1, 50));
    log.clickNumber(10, 10, false);
    log.clickNumber(12, 12, true);
    expect(ranges).toEqual([{ from: 10, to: 10 }, { from: 10, to: 12 }]);
    expect(log.textHere({ from: 10, to: 12 })).toBe("line 10\nline 11\nline 12");
    expect(log.textHere({ from: 10, to: 99 })).toBeNull();
    log.clearRange();
    expect(document.querySelector(".row-selected")).toBeNull();
  });

  it("tells screen readers how much came, not every line", () => {
    vi.useFakeTimers();
    const log = open();
    client.add(numbered(1, 10));
    for (let n = 11; n <= 100; n++) client.add(numbered(n, n));
    expect(log.summary.value).toBe("");
    vi.advanceTimersByTime(15_000);
    expect(log.summary.value).toBe("90 new lines, 100 in all");
    log.close();
  });

  it("says when there is nothing", () => {
    const log = open();
    client.add([]);
    expect(log.empty.value).toBe(true);
    expect(log.loaded.value).toBe(false);
  });
});
