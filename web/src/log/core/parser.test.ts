// @vitest-environment node
import { describe, expect, it, vi } from "vitest";
import { Attr, type Run } from "../model";
import { linkify } from "./links";
import { plainText } from "./line";
import { INPUT_MAX, LineParser, SHOWN_MAX } from "./parser";
import { seeded } from "./testing/random";

// Work, not time, is measured: a busy machine may take long.
vi.setConfig({ testTimeout: 60_000 });

const P = Attr.Picture;

function parse(...parts: string[]): Run[] {
  const parser = new LineParser();
  for (const part of parts) parser.feed(part);
  return parser.runs();
}

/** A run as short text: `text`, or `text{attr,fg,bg}` and `text<href>`. */
function show(runs: readonly Run[]): string {
  return runs
    .map(({ text, attr, fg, bg, href }) => {
      const style = attr || fg !== undefined || bg !== undefined ? `{${attr},${fg ?? ""},${bg ?? ""}}` : "";
      return text + style + (href === undefined ? "" : `<${href}>`);
    })
    .join("|");
}

const rgb = (n: number): number => 0x1000000 | n;

describe("what is seen of a line", () => {
  const rows: [name: string, raw: string, seen: string][] = [
    ["nothing", "", ""],
    ["plain text", "hello", "hello"],
    ["tabs", "a\tb", "a\tb"],
    ["markup stays text", "<script>alert(1)</script>&lt;", "<script>alert(1)</script>&lt;"],
    ["bold", "\x1b[1mx\x1b[0my", "x{1,,}|y"],
    ["reset without a parameter", "\x1b[31mx\x1b[my", "x{0,1,}|y"],
    ["each attribute", "\x1b[1;2;3;4;7;8;9mx", `x{${1 | 2 | 4 | 8 | 16 | 32 | 64},,}`],
    ["each attribute's end", "\x1b[1;2;3;4;7;8;9m\x1b[22;23;24;27;28;29mx", "x"],
    ["double underline", "\x1b[21mx", "x{8,,}"],
    ["16 colours", "\x1b[31;42mx\x1b[91;102my\x1b[39;49mz", "x{0,1,2}|y{0,9,10}|z"],
    ["256 colours", "\x1b[38;5;208;48;5;17mx", "x{0,208,17}"],
    ["256 colours with colons", "\x1b[38:5:208mx", "x{0,208,}"],
    ["truecolor", "\x1b[38;2;1;2;3mx", `x{0,${rgb(0x010203)},}`],
    ["truecolor with colons", "\x1b[48:2:1:2:3mx", `x{0,,${rgb(0x010203)}}`],
    ["truecolor with a colour space", "\x1b[38:2::1:2:3mx", `x{0,${rgb(0x010203)},}`],
    ["a colour, then an attribute", "\x1b[38;5;9;1mx", "x{1,9,}"],
    ["underline colour takes its numbers along", "\x1b[58;5;1;3mx", "x{4,,}"],
    ["curly underline and none", "\x1b[4:3mx\x1b[4:0my", "x{8,,}|y"],
    ["colours out of range", "\x1b[38;5;256mx\x1b[38;2;1;2;999my", "xy"],
    ["unknown parameters", "\x1b[666;77mx", "x"],
    ["private sequences", "\x1b[?25lx\x1b[>4;1my\x1b[!pz", "xyz"],
    ["carriage return", "12%\r34%", "34%"],
    ["carriage return over something longer", "hello\rHE", "HEllo"],
    ["carriage return at the end", "hello\r", "hello"],
    ["two of them", "hello\r\r", "hello"],
    ["erase to the end", "hello\r\x1b[Kx", "x"],
    ["erase to the end in the middle", "hello\x1b[3D\x1b[K", "he"],
    ["erase all keeps the column", "hello\x1b[2Kx", "     x"],
    ["erase all and go back", "hello\x1b[2K\rx", "x"],
    ["erase to the beginning", "hello\x1b[3D\x1b[1K", "   lo"],
    ["erase display from here", "hello\r\x1b[Jx", "x"],
    ["erase characters", "hello\r\x1b[2X", "  llo"],
    ["backspace", "ab\bc", "ac"],
    ["backspace at the beginning", "\b\bx", "x"],
    ["spinner", "|\b/\b-\b\\", "\\"],
    ["man's bold", "N\bNO\bO", "NO"],
    ["cursor right", "a\x1b[3Cb", "a   b"],
    ["cursor left", "abcd\x1b[2Dx", "abxd"],
    ["cursor to a column", "abcd\x1b[2Gx", "axcd"],
    ["cursor to row and column", "abcd\x1b[5;3Hx", "abxd"],
    ["cursor up shows nothing", "abc\x1b[1Ax", "abcx"],
    ["colour of what is written over", "\x1b[31mabc\r\x1b[32mx", "x{0,2,}|bc{0,1,}"],
    ["wide characters take two columns", "日本\rab", "ab本"],
    ["half of a wide character goes", "日本\ra", "a 本"],
    ["combining characters stay on theirs", "e\u0301x\rab", "ab"],
    ["combining character in cells", "\re\u0301", "e\u0301"],
    ["emoji", "\r😀x\b\b\bab", "abx"],
    ["tab in cells", "a\tb\r", "a\tb"],
    ["tab in cells moves only", "abcdefghij\r\tX", "abcdefghXj"],
    ["other sequences", "\x1b(Ba\x1b=b\x1b7c\x1bMd", "abcd"],
    ["shift in and out", "\x1b[m\x0fx\x0e", "x"],
    ["title", "\x1b]0;evil title\x07x", "x"],
    ["title ended by ST", "\x1b]2;t\x1b\\x", "x"],
    ["device control, privacy message", "\x1bPq#1\x1b\\x\x1b^p\x1b\\y", "xy"],
    ["Buildkite's times", "\x1b_bk;t=1700000000000\x07x", "x"],
    ["controls are pictures", "a\x00b\x01c\x7fd", `a|␀{${P},,}|b|␁{${P},,}|c|␡{${P},,}|d`],
    ["bell", "a\x07", `a|␇{${P},,}`],
    ["newline inside", "a\nb\x0bc", `a|␊{${P},,}|b|␋{${P},,}|c`],
    ["C1 controls", "a\x9b31mb", `a|<U+009B>{${P},,}|31mb`],
    ["bidi override", "a\u202eb", `a|<U+202E>{${P},,}|b`],
    ["bidi isolate", "\u2066x\u2069", `<U+2066>{${P},,}|x|<U+2069>{${P},,}`],
    ["line separator", "a\u2028b", `a|<U+2028>{${P},,}|b`],
    ["tag characters", "a\u{e0041}b", `a|<U+E0041>{${P},,}|b`],
    ["malformed sequence", "a\x1b[3\x01mb", `a|␛{${P},,}|[3|␁{${P},,}|mb`],
    ["sequence broken off by another", "\x1b[3\x1b[1mx", `␛{${P},,}|[3|x{1,,}`],
    ["sequence cut off at the end", "abc\x1b[3", "abc"],
    ["escape at the end", "abc\x1b", "abc"],
    ["string without an end", "x\x1b]0;title", "x"],
    ["string broken off", "\x1b]0;ti\x1b[1mtle", `␛{${P},,}|]0;ti|tle{1,,}`],
    ["link", "\x1b]8;;https://a.example/\x07here\x1b]8;;\x07 x", "here<https://a.example/>| x"],
    ["link with parameters", "\x1b]8;id=1;http://a.example\x1b\\h\x1b]8;;\x1b\\", "h<http://a.example>"],
    ["link survives a reset", "\x1b]8;;https://a.example/\x07\x1b[1ma\x1b[mb", "a{1,,}<https://a.example/>|b<https://a.example/>"],
    ["link to a script", "\x1b]8;;javascript:alert(1)\x07x", "x"],
    ["link to data", "\x1b]8;;data:text/html,x\x07x", "x"],
    ["link to a file", "\x1b]8;;file:///etc/passwd\x07x", "x"],
  ];
  it.each(rows)("%s", (_name, raw, seen) => {
    expect(show(parse(raw))).toBe(seen);
  });

  it("is the same for a huge cursor move as for the edge", () => {
    const runs = parse("a\x1b[999999999Cb");
    expect(plainText(runs).length).toBeLessThanOrEqual(SHOWN_MAX);
  });

  it("is bounded, and says how much more there is", () => {
    const parser = new LineParser();
    parser.feed("x".repeat(1 << 20));
    expect(plainText(parser.runs())).toHaveLength(SHOWN_MAX);
    expect(parser.rest).toBe((1 << 20) - SHOWN_MAX);
  });

  it("looks at no more of a line than it may", () => {
    const parser = new LineParser();
    for (let i = 0; i < 100; i++) parser.feed("\r" + "y".repeat(65_535));
    expect(parser.rest).toBeGreaterThanOrEqual(100 * 65_536 - INPUT_MAX);
    expect(plainText(parser.runs())).toHaveLength(SHOWN_MAX);
  });

  it("has no more runs than a page can take", () => {
    expect(parse("\x1b[31mx\x1b[32my".repeat(5000))).toHaveLength(2000);
  });

  // Work that grew with the square of the length would take minutes.
  it("takes 1 MiB of whatever there is", () => {
    const hostile = ["\x1b[38;5;1mx", "\r\x1b[2K", "\x1b]", "\x1b[", "\u202e", "a\bb", "\x1b]8;;http://a\x07"];
    for (const piece of hostile) {
      const parser = new LineParser();
      parser.feed(piece.repeat(Math.floor((1 << 20) / piece.length)));
      expect(plainText(linkify(parser.runs())).length, JSON.stringify(piece)).toBeLessThanOrEqual(SHOWN_MAX);
    }
  });
});

const ALPHABET = [
  "a", "bc", "12%", " ", "\t", "\r", "\b", "日", "e\u0301", "😀", "\x1b[", "\x1b[3", "1m", "\x1b[1;31m", "\x1b[0m",
  "\x1b[K", "\x1b[2K", "\x1b[5G", "\x1b[2C", "\x1b[3D", "\x1b]8;;https://a.example/\x07", "\x1b]8;;\x1b\\", "\x1b]0;t",
  "\x07", "\x1b\\", "\x1b", "\x00", "\u202e", "\x1b[38;2;1;2;3m", "\x1b[38:5:7m", "\x1b(B", "http://x.example/", "\x9b",
];

describe("any cut of the text into parts", () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])("gives the same line (seed %i)", (seed) => {
    const random = seeded(seed);
    for (let round = 0; round < 300; round++) {
      let raw = "";
      for (let i = random.below(30); i >= 0; i--) raw += random.pick(ALPHABET);
      const parts: string[] = [];
      for (let at = 0; at < raw.length; ) {
        const size = 1 + random.below(6);
        parts.push(raw.slice(at, at + size));
        at += size;
      }
      expect(parse(...parts), JSON.stringify(parts)).toEqual(parse(raw));
    }
  });

  it("keeps pairs whole", () => {
    expect(parse("a\ud83d", "\ude00b")).toEqual(parse("a😀b"));
  });
});

describe("addresses in a line", () => {
  const rows: [raw: string, seen: string][] = [
    ["see https://a.example/x.", "see |https://a.example/x<https://a.example/x>|."],
    ["(http://a.example/x)", "(|http://a.example/x<http://a.example/x>|)"],
    ["http://a.example/x_(y)", "http://a.example/x_(y)<http://a.example/x_(y)>"],
    ['<a href="https://a.example">', '<a href="|https://a.example<https://a.example>|">'],
    ["javascript://a.example", "javascript://a.example"],
    ["ftp://a.example", "ftp://a.example"],
    ["http://", "http://"],
    ["HTTPS://A.example", "HTTPS://A.example<HTTPS://A.example>"],
    ["http://a.example, http://b.example!", "http://a.example<http://a.example>|, |http://b.example<http://b.example>|!"],
    ["http://a.\x1b[1mexample/y\x1b[m z", "http://a.<http://a.example/y>|example/y{1,,}<http://a.example/y>| z"],
    ["http://a.example/\u202egnp", `http://a.example/<http://a.example/>|<U+202E>{${P},,}|gnp`],
  ];
  it.each(rows)("%s", (raw, seen) => {
    expect(show(linkify(parse(raw)))).toBe(seen);
  });

  it("stay within bounds", () => {
    const many = linkify(parse("http://a.example ".repeat(900)));
    expect(many.filter((run) => run.href !== undefined)).toHaveLength(100);
    expect(linkify(parse("http://a.example/" + ")".repeat(10_000)))).toHaveLength(1);
  });
});
