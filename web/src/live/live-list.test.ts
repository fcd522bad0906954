import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "../api/client";
import type { Execution } from "../api/executions";
import { backoff } from "../log/core/backoff";
import { change, execution, snapshot } from "./fixtures";
import { LiveList, type LiveState, type Socket } from "./live-list";

class FakeSocket implements Socket {
  onopen: Socket["onopen"] = null;
  onmessage: Socket["onmessage"] = null;
  onclose: Socket["onclose"] = null;
  sent: unknown[] = [];
  closed = false;

  constructor(readonly url: string) {}

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.closed = true;
  }

  tell(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) } as MessageEvent);
  }

  lose(code = 1006, reason = ""): void {
    this.onclose?.({ code, reason } as CloseEvent);
  }
}

let sockets: FakeSocket[];
let states: LiveState[];
let rows: Execution[];
let tickets: number;
let ticketError: unknown;

function make(): LiveList {
  return new LiveList({
    onRows: (list) => {
      rows = list;
    },
    onState: (state) => states.push(state),
    ticket: () => {
      tickets++;
      return ticketError ? Promise.reject(ticketError as Error) : Promise.resolve(`t${tickets}`);
    },
    open: (url) => {
      const socket = new FakeSocket(url);
      sockets.push(socket);
      return socket;
    },
    retry: backoff(() => 0.5),
  });
}

const last = (): FakeSocket => sockets[sockets.length - 1] as FakeSocket;
const state = (): LiveState | undefined => states[states.length - 1];
const settle = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const ids = (): string[] => rows.map((row) => `${row.execution_id}:${row.version}`);

async function started(list: LiveList): Promise<void> {
  list.start();
  await settle();
  last().tell({ type: "hello", version: "1", user: "u", session: "s" });
  last().tell(snapshot([execution("a"), execution("b")], { begin: true, cursor: "c1" }));
  await settle(60);
}

beforeEach(() => {
  vi.useFakeTimers();
  sockets = [];
  states = [];
  rows = [];
  tickets = 0;
  ticketError = undefined;
});
afterEach(() => {
  vi.useRealTimers();
});

describe("LiveList", () => {
  it("takes a ticket, subscribes after hello, shows the snapshot and the changes", async () => {
    const list = make();
    list.start();
    expect(state()).toEqual({ kind: "connecting" });
    await settle();
    expect(last().url).toContain("/api/v1/ws?ticket=t1");
    expect(last().sent).toEqual([]);
    last().tell({ type: "hello" });
    expect(last().sent).toEqual([{ type: "subscribe", executions: true }]);
    last().tell(snapshot([execution("a")], { begin: true, more: true }));
    expect(state()).toEqual({ kind: "connecting" });
    last().tell(snapshot([], { cursor: "c1" }));
    expect(state()).toEqual({ kind: "live" });
    last().tell(change([execution("a", { version: 2 })], "c2"));
    await settle(60);
    expect(ids()).toEqual(["a:2"]);
    list.stop();
    expect(last().closed).toBe(true);
  });

  it("resumes by the last cursor after a lost connection, with a new ticket", async () => {
    const list = make();
    await started(list);
    last().tell(change([execution("a", { version: 2 })], "c2"));
    last().lose();
    expect(state()).toMatchObject({ kind: "reconnecting", attempt: 1, at: Date.now() + 500 });
    await settle(499);
    expect(sockets.length).toBe(1);
    await settle(1);
    expect(last().url).toContain("ticket=t2");
    last().tell({ type: "hello" });
    expect(last().sent).toEqual([{ type: "subscribe", executions: true, since: "c2" }]);
    last().tell(change([execution("b", { version: 1 }), execution("c")], "c3"));
    expect(state()).toEqual({ kind: "live" });
    await settle(60);
    expect(ids()).toEqual(["c:1", "b:1", "a:2"]);
    list.stop();
  });

  it("keeps what it showed when the snapshot after a resume is cut", async () => {
    const list = make();
    await started(list);
    last().lose(1001);
    await settle(500);
    last().tell({ type: "hello" });
    last().tell(snapshot([execution("z")], { begin: true, more: true }));
    last().lose();
    await settle(5000);
    last().tell({ type: "hello" });
    expect(last().sent).toEqual([{ type: "subscribe", executions: true, since: "c1" }]);
    expect(ids()).toEqual(["b:1", "a:1"]);
    last().tell(snapshot([execution("z")], { begin: true, cursor: "c9" }));
    await settle(60);
    expect(ids()).toEqual(["z:1"]);
    list.stop();
  });

  it("waits longer each time until the list is there again", async () => {
    const list = make();
    ticketError = new ApiError(503, { code: "DATABASE_ERROR", error: "down", details: "" });
    const waits: number[] = [];
    list.start();
    for (let i = 0; i < 4; i++) {
      await settle();
      const now = state();
      if (now?.kind !== "reconnecting") throw new Error(`state ${String(now?.kind)}`);
      waits.push(now.at - Date.now());
      expect(now.reason).toBe("down");
      await settle(now.at - Date.now());
    }
    expect(waits).toEqual([500, 1000, 2000, 4000]);
    list.stop();
    await settle(60_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("does not fall back to short waits while subscriptions are answered with errors", async () => {
    const list = make();
    await started(list);
    const waits: number[] = [];
    for (let i = 0; i < 3; i++) {
      last().tell({ type: "error", code: "DATABASE_ERROR", details: "away" });
      const now = state();
      if (now?.kind !== "reconnecting") throw new Error(`state ${String(now?.kind)}`);
      waits.push(now.at - Date.now());
      await settle(now.at - Date.now());
      last().tell({ type: "hello" });
    }
    expect(waits).toEqual([500, 1000, 2000]);
    list.stop();
  });

  it("asks for the list anew when its cursor is not known", async () => {
    const list = make();
    await started(list);
    last().lose();
    await settle(500);
    last().tell({ type: "hello" });
    last().tell({ type: "error", code: "INVALID_REQUEST", details: "since must be a cursor of this list" });
    await settle(1000);
    last().tell({ type: "hello" });
    expect(last().sent).toEqual([{ type: "subscribe", executions: true }]);
    list.stop();
  });

  it("does not come back when it is refused, until it is asked to", async () => {
    const list = make();
    ticketError = new ApiError(401, { code: "API_KEY_REVOKED", error: "Unauthorized", details: "API key has been revoked" });
    list.start();
    await settle();
    expect(state()).toEqual({ kind: "refused", reason: "Unauthorized: API key has been revoked" });
    await settle(120_000);
    expect(tickets).toBe(1);
    ticketError = undefined;
    list.retryNow();
    await settle();
    expect(sockets.length).toBe(1);
    list.stop();
  });

  it("gives up on a connection that is not answered", async () => {
    const list = make();
    list.start();
    await settle(15_000);
    expect(last().closed).toBe(true);
    expect(state()).toMatchObject({ kind: "reconnecting", reason: "no answer" });
    list.stop();
  });

  it("costs nothing while hidden and goes on by the cursor", async () => {
    const list = make();
    await started(list);
    list.visible(false);
    expect(state()).toEqual({ kind: "paused" });
    expect(last().closed).toBe(true);
    await settle(600_000);
    expect(sockets.length).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
    list.visible(true);
    await settle();
    last().tell({ type: "hello" });
    expect(last().sent).toEqual([{ type: "subscribe", executions: true, since: "c1" }]);
    list.stop();
  });

  it("does not connect by an answer to a ticket that came too late", async () => {
    const list = make();
    list.start();
    list.visible(false);
    await settle(100);
    expect(sockets).toEqual([]);
    list.stop();
  });

  it("shows a burst of changes at once", async () => {
    const list = make();
    await started(list);
    let shows = 0;
    const before = rows;
    for (let i = 2; i < 500; i++) last().tell(change([execution("a", { version: i })], `c${i}`));
    expect(rows).toBe(before);
    await settle(60);
    if (rows !== before) shows++;
    expect(shows).toBe(1);
    expect(ids()).toContain("a:499");
    list.stop();
  });
});
