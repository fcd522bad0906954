// @vitest-environment node
import { describe, expect, it, vi } from "vitest";
import { findRawMarker, MARKER_REGEX } from "./groups";
import type { RawRecord } from "./page";
import { numbered, Reader, seen } from "./testing/reader";

// Work, not time, is measured: a busy machine may take long.
vi.setConfig({ testTimeout: 60_000 });

const T = 1_700_000_000_000;
const out = (...texts: string[]): RawRecord[] => texts.map((text) => [T, "o", text]);

async function reading(records: RawRecord[], seq: number | "end", before: number, after: number): Promise<Reader> {
  const reader = new Reader();
  reader.server.searchLines = 5000;
  reader.server.append(...records);
  reader.want(seq, before, after);
  reader.session.start();
  await reader.clock.run(1000);
  return reader;
}

const show = (reader: Reader): string[] =>
  reader.lines.map((line) => {
    const { group } = line;
    const sign = group ? (group.kind === "end" ? "< " : group.open ? "v " : "> ") : "";
    return " ".repeat(line.depth) + sign + (group?.kind === "start" ? group.title : seen(line));
  });

describe("what begins or ends a group", () => {
  const rows: [raw: string, kind: string | undefined][] = [
    ["::group::title", "start"],
    ["::endgroup::", "end"],
    ["##[group]title", "start"],
    ["##[endgroup]", "end"],
    ["--- title", "start"],
    ["+++ title", "start"],
    ["~~~ title", "start"],
    ["^^^ +++", "open"],
    ["\x1b[33m--- title", "start"],
    ["\x1b_bk;t=1700000000000\x07--- title", "start"],
    ["--- a/file.c", undefined],
    ["+++ b/file.c", undefined],
    ["--- /dev/null", undefined],
    ["--- file.c\t2024-01-01", undefined],
    ["---title", undefined],
    ["--- ", "start"],
    ["---", undefined],
    [" --- title", undefined],
    ["x ::group::title", undefined],
    ["::group", undefined],
  ];
  it.each(rows)("%j: %s", (raw, kind) => {
    expect(findRawMarker(raw)?.kind).toBe(kind);
    if (kind !== "open") expect(new RegExp(MARKER_REGEX).test(raw)).toBe(kind !== undefined);
  });
});

describe("groups", () => {
  const log = out("a", "::group::one", "b", "c", "::endgroup::", "d", "--- two", "e", "+++ three", "f", "--- four", "g");

  it("are folded as those who wrote them meant; the last one is open", async () => {
    const reader = await reading(log, "end", 100, 0);
    expect(show(reader)).toEqual(["a", "> one", "d", "> two", "v three", " f", "v four", " g"]);
  });

  it("are folded and opened by hand, both ways", async () => {
    const reader = await reading(log, 1, 0, 100);
    reader.session.command({ kind: "fold", seq: 2, folded: false });
    reader.session.command({ kind: "fold", seq: 9, folded: true });
    await reader.clock.run(100);
    expect(show(reader)).toEqual(["a", "v one", " b", " c", "< ", "d", "> two", "> three", "v four", " g"]);
    reader.session.command({ kind: "fold-all", folded: true });
    await reader.clock.run(100);
    expect(show(reader)).toEqual(["a", "> one", "d", "> two", "> three", "> four"]);
    reader.want("end", 100, 0);
    await reader.clock.run(100);
    expect(show(reader)).toEqual(["a", "> one", "d", "> two", "> three", "> four"]);
    reader.session.command({ kind: "fold-all", folded: false });
    await reader.clock.run(100);
    expect(reader.lines).toHaveLength(log.length);
  });

  it("stand for their lines when they are folded", async () => {
    const reader = await reading(log, 4, 2, 2);
    expect(show(reader)).toEqual(["a", "> one", "d"]);
    reader.session.command({ kind: "fold", seq: 2, folded: false });
    await reader.clock.run(100);
    expect(show(reader)).toEqual(["v one", " b", " c", "< "]);
    reader.session.command({ kind: "fold", seq: 2, folded: true });
    await reader.clock.run(100);
    expect(show(reader)).toEqual(["a", "> one", "d"]);
  });

  it("are opened by ^^^ +++", async () => {
    const reader = await reading(out("--- one", "a", "^^^ +++", "--- two", "b", "--- three"), "end", 100, 0);
    expect(show(reader)).toEqual(["v one", " a", " ^^^ +++", "> two", "v three"]);
  });

  it("that begin while one watches stay open", async () => {
    const reader = await reading(numbered(3), "end", 100, 0);
    reader.server.append(...out("::group::one", "a"));
    await reader.clock.run(50);
    reader.server.append(...out("::endgroup::", "b"));
    await reader.clock.run(50);
    expect(show(reader).slice(3)).toEqual(["v one", " a", "< ", "b"]);
  });

  it("stay open when their lines were shown before their start was known", async () => {
    const records = [...numbered(1500), ...out("::group::one"), ...numbered(1200, 1502), ...out("::endgroup::")];
    const reader = await reading([...records, ...numbered(10_000, 2704)], 2600, 5, 5);
    expect(show(reader)[0]).toBe("line 2595");
    reader.want(2600, 1200, 5);
    await reader.clock.run(1000);
    expect(show(reader).slice(100, 104)).toEqual(["line 1500", "v one", " line 1502", " line 1503"]);
  });

  it("stay open when they end while one watches", async () => {
    const reader = await reading(out("--- one", "a"), "end", 100, 0);
    reader.server.append(...out("--- two", "b"));
    await reader.clock.run(50);
    expect(show(reader)).toEqual(["v one", " a", "v two", " b"]);
  });

  it("have a title without colours, and keep theirs in the line", async () => {
    const reader = await reading(out("--- \x1b[33mBuild\x1b[m now", "x"), "end", 10, 0);
    expect(reader.lines[0]?.group?.title).toBe("Build now");
    expect(reader.lines[0]?.runs).toEqual([{ text: "Build", attr: 0, fg: 3 }, { text: " now", attr: 0 }]);
  });

  it("whose end is far away are skipped without fetching what is in them", async () => {
    const records = [...out("::group::long"), ...numbered(200, 2), ...out("::endgroup::"), ...numbered(100_000, 203)];
    const long = [...out("::group::long"), ...numbered(40_000, 2), ...out("::endgroup::"), ...numbered(60_000, 40_003)];
    const near = await reading(records, 1, 0, 3);
    expect(show(near)).toEqual(["> long", "line 203", "line 204"]);
    const far = await reading(long, 1, 0, 3);
    await far.clock.run(100_000);
    expect(show(far)).toEqual(["> long", "line 40003", "line 40004"]);
    expect(far.slice?.pending).toBe(false);
    expect(far.server.requests.filter((path) => path.includes("/logs?after")).length).toBeLessThan(6);
    far.want(40_004, 2, 1);
    await far.clock.run(1000);
    expect(show(far)).toEqual(["> long", "line 40003", "line 40004"]);
    far.want(20_000, 1, 1);
    await far.clock.run(1000);
    expect(show(far)).toEqual(["> long"]);
  });

  it("without an end go on to the end of the log", async () => {
    const reader = await reading([...out("::group::long"), ...numbered(30_000, 2)], 1, 0, 3);
    await reader.clock.run(100_000);
    expect(show(reader)).toEqual(["v long", " line 2", " line 3"]);
    reader.session.command({ kind: "fold", seq: 1, folded: true });
    await reader.clock.run(1000);
    expect(show(reader)).toEqual(["> long"]);
    expect(reader.slice).toMatchObject({ atStart: true, atEnd: true });
  });

  it("whose end is not found at once are asked for again", async () => {
    const reader = new Reader();
    reader.server.searchLines = 50_000;
    reader.server.append(...out("::group::long"), ...numbered(30_000, 2), ...out("::endgroup::", "behind"));
    reader.server.failing = { status: 429, times: 2, of: "regex" };
    reader.session.start();
    reader.want(1, 0, 3);
    await reader.clock.run(1000);
    expect(reader.slice?.pending).toBe(true);
    await reader.clock.run(4000);
    expect(show(reader)).toEqual(["> long", "behind"]);
    expect(reader.slice?.pending).toBe(false);
  });

  it("whose end cannot be found are shown", async () => {
    const reader = new Reader();
    reader.server.append(...out("::group::long"), ...numbered(30_000, 2), ...out("::endgroup::"));
    reader.server.failing = { status: 400, times: 100, of: "regex" };
    reader.session.start();
    await reader.clock.run(500);
    reader.want(1, 0, 3);
    await reader.clock.run(5000);
    expect(show(reader)).toEqual(["v long", " line 2", " line 3"]);
  });
});
