import { beforeEach, describe, expect, it, vi } from "vitest";
import { FakeClient } from "./fake-client";
import { SearchControl, searchText, type SearchHost } from "./search-control";

describe("SearchControl", () => {
  const client = new FakeClient({});
  client.add(Array.from({ length: 100 }, (_, i) => FakeClient.line(i + 1, (i + 1) % 10 === 0 ? "hit" : "miss")));
  let shown: number[] = [];
  let sight = { top: 90, bottom: 100 };
  let control: SearchControl;
  beforeEach(() => {
    shown = [];
    sight = { top: 90, bottom: 100 };
    const host: SearchHost = {
      source: () => client, sight: () => sight, lastSeq: () => 100, remember: vi.fn(), changed: () => undefined,
      show: (match) => {
        shown.push(match.seq);
        sight = { top: match.seq - 2, bottom: match.seq + 8 };
      },
    };
    control = new SearchControl(host);
    control.show({ text: "hit", regex: false, ignoreCase: true });
  });

  it("begins at what is in sight and goes on from the match", async () => {
    sight = { top: 45.5, bottom: 60 };
    await control.step(true);
    await control.step(true);
    await control.step(false);
    expect(shown).toEqual([50, 60, 50]);
  });

  it("begins anew from what is in sight when the match was scrolled away", async () => {
    await control.step(true);
    sight = { top: 1, bottom: 9 };
    await control.step(true);
    expect(shown).toEqual([90, 10]);
  });

  it("goes on at the other end, and says so", async () => {
    sight = { top: 1, bottom: 9 };
    await control.step(false);
    expect(shown).toEqual([100]);
    expect(control.note.value).toBe("from the end");
    await control.step(true);
    expect(shown).toEqual([100, 10]);
    expect(control.note.value).toBe("from the start");
  });

  it("says that there is none", async () => {
    control.show({ text: "nowhere", regex: false, ignoreCase: true });
    await control.step(true);
    expect(control.note.value).toBe("no match");
  });

  it("marks what is typed at once and asks the server when typing rests", () => {
    vi.useFakeTimers();
    const search = vi.spyOn(client, "search");
    control.type({ text: "mi" });
    control.type({ text: "miss" });
    expect(control.matcher.value?.("a miss")).toEqual([[2, 6]]);
    expect(search).not.toHaveBeenCalled();
    vi.runAllTimers();
    expect(search).toHaveBeenCalledTimes(1);
    expect(control.count.value?.lines).toBe(90);
    vi.useRealTimers();
  });

  it("marks nothing once it is closed", () => {
    control.hide();
    expect(control.matcher.value).toBeNull();
    expect(control.count.value).toBeNull();
  });
});

it.each([
  [null, ""],
  [{ lines: 1, matches: 1, searchedTo: 5, done: true }, "1 match in 1 line"],
  [{ lines: 1200, matches: 3400, searchedTo: 50, done: false }, "3,400 matches in 1,200 lines, 50 % searched …"],
  [{ lines: 0, matches: 0, searchedTo: 100, done: true }, "no match"],
  [{ lines: 0, matches: 0, searchedTo: 0, done: true, error: "missing ]" }, "missing ]"],
])("%j reads %j", (count, text) => expect(searchText(count, 100)).toBe(text));
