// @vitest-environment node
import { describe, expect, it, vi } from "vitest";
import { EXECUTION, KEY } from "./testing/fake-server";
import { numbered, range, Reader } from "./testing/reader";
import { seeded } from "./testing/random";
import { RECORDS_MAX } from "./store";

// Work, not time, is measured: a busy machine may take long.
vi.setConfig({ testTimeout: 60_000 });

async function following(lines: number, seed = 1): Promise<Reader> {
  const reader = new Reader(seed);
  reader.server.append(...numbered(lines));
  reader.want("end", 10, 0);
  reader.session.start();
  await reader.clock.run(200);
  return reader;
}

describe("following", () => {
  it("shows the last lines and then the new ones", async () => {
    const reader = await following(100);
    expect(reader.texts).toEqual(range(91, 100).map((n) => `line ${n}`));
    expect(reader.slice).toMatchObject({ atStart: false, atEnd: true, pending: false });
    expect(reader.extent).toEqual({ first: 1, last: 100 });
    expect(reader.links.map((link) => link.kind)).toContain("catching-up");
    expect(reader.link).toBe("live");
    reader.server.append(...numbered(2, 101));
    await reader.clock.run(100);
    expect(reader.seqs).toEqual(range(93, 102));
  });

  it("asks for nothing but the tail of a long log, and never tells the key", async () => {
    const reader = await following(30_000);
    expect(reader.seqs).toEqual(range(29_991, 30_000));
    expect(reader.server.requests).toEqual(["/api/v1/tickets"]);
    expect(reader.server.addresses.join()).not.toContain(KEY);
  });

  it("copies only new lines to the page", async () => {
    const reader = await following(1000);
    const before = reader.copied;
    for (let i = 0; i < 60; i++) {
      reader.server.append(...numbered(17, 1001 + 17 * i));
      await reader.clock.run(20);
    }
    expect(reader.copied - before).toBeLessThanOrEqual(17 * 60);
  });

  it("makes one slice a frame at most, and none that was not taken", async () => {
    const reader = await following(100);
    const before = reader.slices;
    for (let i = 0; i < 1000; i++) {
      reader.server.append(...numbered(1, 101 + i));
      await reader.clock.run(1);
    }
    expect(reader.slices - before).toBeLessThanOrEqual(1000 / 16 + 1);
    reader.isTaking = false;
    await reader.clock.run(50);
    const stalled = reader.slices;
    reader.server.append(...numbered(10, 1101));
    await reader.clock.run(500);
    expect(reader.slices - stalled).toBeLessThanOrEqual(1);
  });

  it("ends", async () => {
    const reader = await following(5);
    reader.server.append([1, "o", "half", 1]);
    await reader.clock.run(50);
    expect(reader.lines.at(-1)).toMatchObject({ seq: 6, open: true });
    reader.server.end();
    await reader.clock.run(100);
    expect(reader.link).toBe("ended");
    expect(reader.lines.at(-1)).toMatchObject({ seq: 6, open: false });
    expect(reader.statuses.at(-1)).toMatchObject({ status: "SUCCEEDED", exitCode: 0 });
    expect(reader.server.open).toHaveLength(0);
    expect(reader.clock.pending).toBe(0);
  });

  it("is over at once when the execution was", async () => {
    const reader = new Reader();
    reader.server.append(...numbered(3000));
    reader.server.end();
    reader.want("end", 3, 0);
    reader.session.start();
    await reader.clock.run(1000);
    expect(reader.links.map((link) => link.kind)).not.toContain("live");
    expect(reader.link).toBe("ended");
    expect(reader.seqs).toEqual([2998, 2999, 3000]);
    expect(reader.clock.pending).toBe(0);
  });

  it("shows nothing of an empty log, and says so", async () => {
    const reader = await following(0);
    expect(reader.slice).toMatchObject({ atStart: true, atEnd: true, pending: false });
    reader.server.append(...numbered(1));
    await reader.clock.run(50);
    expect(reader.texts).toEqual(["line 1"]);
  });
});

describe("a place in the log", () => {
  it("is fetched alone", async () => {
    const reader = await following(100_000);
    reader.want(50_500, 100, 100);
    await reader.clock.run(200);
    expect(reader.seqs).toEqual(range(50_400, 50_599));
    expect(reader.slice?.pending).toBe(false);
    expect(reader.server.requests.filter((path) => path.includes("/logs"))).toHaveLength(1);
  });

  it("is shown as far as it is there, without holes", async () => {
    const reader = await following(100_000);
    reader.want(50_999, 5, 10);
    for (let i = 0; i < 30; i++) {
      await reader.clock.run(10);
      const [first] = reader.seqs;
      if (first !== undefined) expect(reader.seqs).toEqual(range(first, first + reader.seqs.length - 1));
    }
    expect(reader.seqs).toEqual(range(50_994, 51_008));
  });

  it("calls off what nobody looks at any more", async () => {
    const reader = await following(200_000);
    for (let i = 1; i < 20; i++) {
      reader.want(i * 5000, 10, 10);
      await reader.clock.run(17);
    }
    await reader.clock.run(300);
    expect(reader.seqs).toEqual(range(94_990, 95_009));
    expect(reader.server.aborted).toBeGreaterThan(0);
  });

  it("reaches both ends", async () => {
    const reader = await following(5000);
    reader.want(1, 50, 3);
    await reader.clock.run(200);
    expect(reader.seqs).toEqual([1, 2, 3]);
    expect(reader.slice).toMatchObject({ atStart: true, atEnd: false });
    reader.want(99_999, 3, 50);
    await reader.clock.run(200);
    expect(reader.seqs).toEqual([4997, 4998, 4999, 5000]);
    expect(reader.slice).toMatchObject({ atStart: false, atEnd: true });
  });

  it("is tried again when the server cannot answer, as late as it asks", async () => {
    const reader = await following(20_000);
    reader.server.failing = { status: 429, times: 1, headers: { "Retry-After": "7" } };
    reader.want(100, 0, 5);
    await reader.clock.run(6000);
    expect(reader.seqs).not.toContain(100);
    expect(reader.errors.join()).toContain("not now");
    await reader.clock.run(2000);
    expect(reader.seqs).toEqual(range(100, 104));
  });

  it("is given up when it may not be read", async () => {
    const reader = await following(20_000);
    reader.server.failing = { status: 403, times: 1000 };
    reader.want(100, 0, 5);
    await reader.clock.run(60_000);
    expect(reader.server.requests.filter((path) => path.includes("/logs?")).length).toBeLessThanOrEqual(4);
  });

  it("begins behind what retention removed", async () => {
    const reader = new Reader();
    reader.server.append(...numbered(10_000));
    reader.server.removedTo = 4500;
    reader.want(1, 10, 5);
    reader.session.start();
    await reader.clock.run(500);
    expect(reader.seqs).toEqual(range(4501, 4505));
    expect(reader.extent).toEqual({ first: 4501, last: 10_000 });
  });

  it("tells of lines that were removed while they came", async () => {
    const reader = new Reader();
    reader.server.append(...numbered(100));
    reader.server.removedTo = 30;
    reader.want("end", 1000, 0);
    reader.session.start();
    await reader.clock.run(500);
    expect(reader.gaps).toEqual([[1, 30]]);
    expect(reader.seqs).toEqual(range(31, 100));
    expect(reader.slice?.atStart).toBe(true);
  });
});

describe("a lost connection", () => {
  it("goes on behind the last line", async () => {
    const reader = await following(100);
    reader.server.isDown = true;
    reader.server.cutAll(1006);
    await reader.clock.run(10);
    expect(reader.link).toBe("reconnecting");
    reader.server.append(...numbered(50, 101));
    await reader.clock.run(20_000);
    expect(reader.links.filter((link) => link.kind === "reconnecting").length).toBeGreaterThan(2);
    reader.server.isDown = false;
    await reader.clock.run(60_000);
    expect(reader.link).toBe("live");
    reader.want("end", 1000, 0);
    await reader.clock.run(100);
    expect(reader.seqs).toEqual(range(1, 150));
  });

  it("jumps to the end when very much came meanwhile; the rest is fetched where it is looked at", async () => {
    const reader = await following(100);
    reader.session.command({ kind: "visible", on: false });
    await reader.clock.run(1000);
    reader.server.append(...numbered(90_000, 101));
    reader.session.command({ kind: "visible", on: true });
    await reader.clock.run(2000);
    expect(reader.seqs).toEqual(range(90_091, 90_100));
    expect(reader.session.store.pageCount).toBeLessThan(10);
    reader.want(40_000, 2, 2);
    await reader.clock.run(2000);
    expect(reader.seqs).toEqual(range(39_998, 40_001));
  });

  it("comes back when the server leaves, and says why it waits", async () => {
    const reader = await following(10);
    reader.server.cutAll(1001);
    await reader.clock.run(1);
    expect(reader.links.at(-1)).toMatchObject({ kind: "reconnecting", attempt: 1, reason: "the server is leaving" });
    await reader.clock.run(2000);
    expect(reader.link).toBe("live");
  });

  it("takes a new ticket when the socket's was refused, and gives up on a bad key", async () => {
    const reader = await following(10);
    reader.server.cutAll(4401);
    await reader.clock.run(2000);
    expect(reader.link).toBe("live");
    reader.server.key = "tg_another";
    reader.server.cutAll(4401);
    await reader.clock.run(120_000);
    expect(reader.links.at(-1)).toEqual({ kind: "refused", reason: "unknown key" });
    expect(reader.keysAsked).toBe(2);
    expect(reader.clock.pending).toBe(0);
  });

  it("is given up when the server does not answer in time", async () => {
    const reader = await following(10);
    const { socket } = reader.server;
    reader.server.socket = () => ({ send() {}, close() {}, onopen: null, onmessage: null, onclose: null });
    reader.server.cutAll(1006);
    await reader.clock.run(25_000);
    const reasons = reader.links.flatMap((link) => (link.kind === "reconnecting" ? [link.reason] : []));
    expect(reasons).toContain("the server did not answer in time");
    reader.server.socket = socket;
    await reader.clock.run(60_000);
    expect(reader.link).toBe("live");
  });

  it("is noticed when it went quiet", async () => {
    const reader = await following(10);
    for (const socket of reader.server.open) socket.isSubscribed = false;
    reader.server.append(...numbered(5, 11));
    await reader.clock.run(70_000);
    expect(reader.link).toBe("live");
    expect(reader.texts.at(-1)).toBe("line 15");
    const sockets = reader.server.sockets.length;
    await reader.clock.run(300_000);
    expect(reader.server.sockets).toHaveLength(sockets);
  });

  it("refuses what may not be read", async () => {
    const reader = await following(10);
    reader.server.open[0]?.say({ type: "error", execution_id: EXECUTION, code: "FORBIDDEN", details: "not yours" });
    expect(reader.links.at(-1)).toEqual({ kind: "refused", reason: "not yours" });
    const other = await following(10);
    other.server.open[0]?.say({ type: "error", execution_id: EXECUTION, code: "DATABASE_ERROR", details: "away" });
    expect(other.link).toBe("reconnecting");
    await other.clock.run(5000);
    expect(other.link).toBe("live");
  });
});

describe("not looking", () => {
  it("costs nothing in a hidden tab", async () => {
    const reader = await following(100);
    reader.session.command({ kind: "visible", on: false });
    await reader.clock.run(10);
    const requests = reader.server.requests.length;
    reader.server.append(...numbered(100, 101));
    await reader.clock.run(600_000);
    expect(reader.server.open).toHaveLength(0);
    expect(reader.clock.pending).toBe(0);
    expect(reader.server.requests).toHaveLength(requests);
    reader.session.command({ kind: "visible", on: true });
    await reader.clock.run(1000);
    expect(reader.seqs).toEqual(range(191, 200));
  });

  it("takes no lines while paused, and says how many wait", async () => {
    const reader = await following(100);
    reader.session.command({ kind: "pause", on: true });
    reader.server.append(...numbered(20, 101));
    await reader.clock.run(10_000);
    expect(reader.links.at(-1)).toEqual({ kind: "paused", behind: 20 });
    expect(reader.texts.at(-1)).toBe("line 100");
    expect(reader.server.open).toHaveLength(0);
    reader.session.command({ kind: "visible", on: false });
    await reader.clock.run(10);
    expect(reader.clock.pending).toBe(0);
    reader.session.command({ kind: "visible", on: true });
    reader.session.command({ kind: "pause", on: false });
    await reader.clock.run(5000);
    expect(reader.link).toBe("live");
    expect(reader.texts.at(-1)).toBe("line 120");
  });

  it("ends for good when it is closed", async () => {
    const reader = await following(100);
    reader.session.command({ kind: "close" });
    await reader.clock.run(10_000);
    expect(reader.clock.pending).toBe(0);
    expect(reader.server.open).toHaveLength(0);
  });
});

describe("whatever happens", () => {
  it.each([11, 12, 13, 14, 15, 16])("every line is shown once and in order (seed %i)", async (seed) => {
    const random = seeded(seed);
    const reader = new Reader(seed);
    reader.want("end", 30, 0);
    reader.session.start();
    for (let step = 0; step < 150; step++) {
      const kind = random.below(12);
      const last = reader.server.records.length;
      if (kind < 5) reader.server.append(...numbered(1 + random.below(120), last + 1));
      else if (kind === 5) reader.server.cutAll(random.pick([1001, 1006, 4401]));
      else if (kind === 6) reader.server.isDown = !reader.server.isDown;
      else if (kind === 7) reader.session.command({ kind: "visible", on: random.below(2) === 0 });
      else if (kind === 8) reader.session.command({ kind: "pause", on: random.below(2) === 0 });
      else if (kind === 9) reader.want(1 + random.below(last + 1), random.below(50), random.below(50));
      else if (kind === 10) reader.want("end", 30, 10);
      await reader.clock.run(random.below(800));
      const [first] = reader.seqs;
      if (first !== undefined) expect(reader.seqs).toEqual(range(first, first + reader.seqs.length - 1));
      expect(reader.texts).toEqual(reader.seqs.map((seq) => `line ${seq}`));
    }
    reader.server.isDown = false;
    reader.session.command({ kind: "visible", on: true });
    reader.session.command({ kind: "pause", on: false });
    reader.want("end", 100_000, 0);
    await reader.clock.run(120_000);
    expect(reader.seqs).toEqual(range(1, reader.server.records.length));
  });

  it("keeps no more than 50,000 lines of 1,000,000", async () => {
    const reader = new Reader(3, 1000);
    reader.want("end", 100, 0);
    reader.session.start();
    await reader.clock.run(100);
    for (let at = 0; at < 1_000_000; at += 20_000) {
      reader.server.append(...numbered(20_000, at + 1));
      await reader.clock.run(20);
      expect(reader.session.store.pageCount).toBeLessThanOrEqual(RECORDS_MAX / 1000);
    }
    await reader.clock.run(1000);
    expect(reader.seqs).toEqual(range(999_901, 1_000_000));
    reader.want(500_000, 50, 50);
    await reader.clock.run(1000);
    expect(reader.seqs).toEqual(range(499_950, 500_049));
    expect(reader.session.store.pageCount).toBeLessThanOrEqual(RECORDS_MAX / 1000);
  });
});
