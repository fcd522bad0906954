// @vitest-environment node
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LogClient, type WorkerLike } from "../client";
import type { Line, LogEvents, Slice } from "../model";
import { seeded } from "./testing/random";
import { type Command, packLines, type Report, unpackLines } from "./wire";

const line = (seq: number): Line => ({
  seq,
  lastSeq: seq,
  time: 0,
  stream: "o",
  runs: [{ text: `line ${seq}`, attr: 0 }],
  open: false,
  depth: 0,
  isJson: false,
});

describe("a slice in terms of the one before", () => {
  const [a, b, c, d, e] = [1, 2, 3, 4, 5].map(line) as [Line, Line, Line, Line, Line];
  const rows: [name: string, before: Line[], lines: Line[], parts: unknown][] = [
    ["nothing", [], [], []],
    ["all new", [], [a, b], [[a, b]]],
    ["the same", [a, b], [a, b], [[0, 2]]],
    ["moved on", [a, b, c], [b, c, d], [[1, 2], [d]]],
    ["moved back", [c, d], [a, b, c], [[a, b], [0, 1]]],
    ["one changed", [a, b, c], [a, d, c], [[0, 1], [d], [2, 1]]],
    ["one folded away", [a, b, c, d], [a, d], [[0, 1], [3, 1]]],
    ["elsewhere", [a, b], [d, e], [[d, e]]],
  ];
  it.each(rows)("%s", (_name, before, lines, parts) => {
    const packed = packLines(lines, before);
    expect(packed).toEqual(parts);
    expect(unpackLines(packed, before)).toEqual(lines);
  });

  it("is the slice, whatever it is", () => {
    const random = seeded(5);
    const all = Array.from({ length: 50 }, (_, i) => line(i + 1));
    let before: Line[] = [];
    for (let round = 0; round < 500; round++) {
      const lines = all.filter(() => random.below(3) > 0).map((item) => (random.below(20) === 0 ? line(item.seq) : item));
      expect(unpackLines(packLines(lines, before), before)).toEqual(lines);
      before = lines;
    }
  });
});

class FakeWorker implements WorkerLike {
  onmessage: ((event: MessageEvent<Report>) => void) | null = null;
  onerror: ((event: ErrorEvent) => void) | null = null;
  commands: Command[] = [];
  isTerminated = false;
  postMessage(command: Command): void {
    this.commands.push(command);
  }
  terminate(): void {
    this.isTerminated = true;
  }
  say(report: Report): void {
    this.onmessage?.({ data: report } as MessageEvent<Report>);
  }
}

describe("the page's handle", () => {
  let frames: (() => void)[] = [];
  beforeEach(() => {
    vi.useFakeTimers();
    frames = [];
    vi.stubGlobal("requestAnimationFrame", (callback: () => void) => frames.push(callback));
    vi.stubGlobal("cancelAnimationFrame", () => (frames = []));
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  function open(on: Partial<LogEvents> = {}): { client: LogClient; worker: FakeWorker } {
    const worker = new FakeWorker();
    const options = { anchor: 7, credentials: () => Promise.resolve("tg_key") };
    return { client: new LogClient("e", options, on, () => worker), worker };
  }
  const slice = (generation: number, parts: ReturnType<typeof packLines>): Report => ({
    kind: "slice",
    slice: { execution: "e", parts, atStart: true, atEnd: true, generation, pending: false },
  });

  it("opens at the anchor, and hands the commands on", () => {
    const { client, worker } = open();
    client.want("end", 1, 2);
    client.setFold(3, true);
    client.foldAll(false);
    client.pause(true);
    client.visible(false);
    client.expand(4, true);
    expect(worker.commands).toEqual([
      { kind: "open", execution: "e" },
      { kind: "want", seq: 7, before: 200, after: 200 },
      { kind: "want", seq: "end", before: 1, after: 2 },
      { kind: "fold", seq: 3, folded: true },
      { kind: "fold-all", folded: false },
      { kind: "pause", on: true },
      { kind: "visible", on: false },
      { kind: "expand", seq: 4, on: true },
    ]);
  });

  it("gives a slice with the next frame, and asks for another only then", () => {
    const slices: Slice[] = [];
    const { worker } = open({ slice: (taken) => slices.push(taken) });
    const [a, b, c] = [line(1), line(2), line(3)];
    worker.say(slice(1, [[a, b]]));
    expect(slices).toHaveLength(0);
    expect(worker.commands.some((command) => command.kind === "taken")).toBe(false);
    frames.shift()?.();
    expect(slices[0]?.lines).toEqual([a, b]);
    expect(worker.commands.at(-1)).toEqual({ kind: "taken" });
    worker.say(slice(2, [[1, 1], [c]]));
    frames.shift()?.();
    expect(slices[1]?.lines).toEqual([b, c]);
    expect(slices[1]?.generation).toBe(2);
  });

  it("tells what the worker tells", () => {
    const said: unknown[] = [];
    const { worker } = open({
      extent: (extent) => said.push(extent),
      link: (link) => said.push(link),
      status: (status) => said.push(status),
      gap: (from, to) => said.push([from, to]),
      error: (message) => said.push(message),
    });
    const status = { status: "RUNNING", exitCode: null, reason: null, startedAt: null, completedAt: null, version: 1 };
    worker.say({ kind: "extent", extent: { first: 1, last: 2 } });
    worker.say({ kind: "link", link: { kind: "live" } });
    worker.say({ kind: "status", status });
    worker.say({ kind: "gap", from: 1, to: 2 });
    worker.say({ kind: "error", message: "wrong" });
    worker.onerror?.({ message: "broken" } as ErrorEvent);
    expect(said).toEqual([{ first: 1, last: 2 }, { kind: "live" }, status, [1, 2], "wrong", "broken"]);
  });

  it("gives the key when it is asked for", async () => {
    const { worker } = open();
    worker.say({ kind: "key", id: 3 });
    await Promise.resolve();
    await Promise.resolve();
    expect(worker.commands.at(-1)).toEqual({ kind: "key", id: 3, key: "tg_key" });
  });

  it("answers what is asked", async () => {
    const { client, worker } = open();
    const text = client.text(1, 2);
    const { id } = worker.commands.at(-1) as Extract<Command, { kind: "text" }>;
    worker.say({ kind: "answer", id, value: "copied" });
    expect(await text).toBe("copied");
    const search = client.search({ text: "x", regex: false, ignoreCase: true });
    const opened = worker.commands.at(-1) as Extract<Command, { kind: "search" }>;
    const found = search.next(5);
    const find = worker.commands.at(-1) as Extract<Command, { kind: "find" }>;
    expect(find).toMatchObject({ search: opened.search, from: 5, direction: "next" });
    worker.say({ kind: "answer", id: find.id, value: { seq: 6, lastSeq: 6, spans: [[0, 1]] } });
    expect(await found).toEqual({ seq: 6, lastSeq: 6, spans: [[0, 1]] });
    const failed = search.previous(5);
    const { id: failedId } = worker.commands.at(-1) as Extract<Command, { kind: "find" }>;
    worker.say({ kind: "answer", id: failedId, error: "a bad expression" });
    await expect(failed).rejects.toThrow("a bad expression");
    const counts: unknown[] = [];
    search.onCount((count) => counts.push(count));
    const count = { lines: 1, matches: 2, searchedTo: 3, done: true };
    worker.say({ kind: "count", search: opened.search, count });
    search.cancel();
    worker.say({ kind: "count", search: opened.search, count });
    expect(counts).toEqual([count]);
    expect(worker.commands.at(-1)).toEqual({ kind: "cancel", search: opened.search });
  });

  it("is closed for good", async () => {
    const slices: Slice[] = [];
    const { client, worker } = open({ slice: (taken) => slices.push(taken) });
    worker.say(slice(1, [[line(1)]]));
    const text = client.text(1, 2);
    client.close();
    client.close();
    frames.shift()?.();
    await expect(text).rejects.toThrow("closed");
    await expect(client.text(1, 2)).rejects.toThrow("closed");
    client.want("end", 1, 1);
    expect(worker.commands.at(-1)).toEqual({ kind: "close" });
    expect(slices).toHaveLength(0);
    vi.advanceTimersByTime(2000);
    expect(worker.isTerminated).toBe(true);
  });
});
