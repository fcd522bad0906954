// A log that means harm: nothing it prints becomes an element, an address, a dialog or a request.
import assert from "node:assert/strict";
import { bytes } from "./support/commands.mjs";
import { scenario, suite } from "./support/suite.mjs";
import { waitFor } from "./support/wait.mjs";

const shared = suite();
const ESC = "\u001b";

const lines = [
  "<script>document.title = 'owned'; alert(1)</script>",
  "<img src=x onerror=alert(1)><svg onload=alert(1)><iframe src=javascript:alert(1)>",
  "</div></main><style>*{display:none}</style><base href=https://evil.example/>",
  "<a href='javascript:alert(1)'>x</a> javascript:alert(1) data:text/html,<b>x</b>",
  `${ESC}]8;;javascript:alert(1)${ESC}\\click me${ESC}]8;;${ESC}\\`,
  `${ESC}]8;;https://example.org/" onmouseover="alert(1)${ESC}\\attribute${ESC}]8;;${ESC}\\`,
  `${ESC}]8;;data:text/html,<script>alert(1)</script>${ESC}\\data link${ESC}]8;;${ESC}\\`,
  `${ESC}]0;a title${ESC}\\${ESC}[999999999;999999999m${ESC}[38;2;999;999;999m${ESC}[38;5mcut`,
  `${ESC}[31;${"1;".repeat(5000)}mlong sequence`,
  `${ESC}P${"q".repeat(5000)}${ESC}\\after a device control string`,
  `\u202Eevil\u202C \u2066isolated\u2069 \u200Fmarks`,
  "${alert(1)} {{constructor.constructor('alert(1)')()}} %s %c",
  "url(https://evil.example/x.png) http://evil.example/?\"><script>alert(1)</script>",
  `e${"\u0301".repeat(3000)}`,
  `${"\b".repeat(500)}${ESC}[500D${ESC}[1A${ESC}[2J${ESC}[Hmoved about`,
];

scenario(shared, "hostile lines stay text", {}, async ({ page, guard, daemon, log }) => {
  const raw = Buffer.concat([
    Buffer.from(`${lines.join("\n")}\n`),
    Buffer.from([0x6e, 0x75, 0x6c, 0, 0, 0, 0x6c, 0x0a]), // NUL bytes
    Buffer.from([0xff, 0xfe, 0xc0, 0xaf, 0xed, 0xa0, 0x80, 0x20, 0xf8, 0x88, 0x0a]), // no UTF-8
    Buffer.from("the last line\n"),
  ]);
  const run = await daemon.finish(bytes(raw));
  await log.open(run);
  await waitFor(async () => (await log.lines()).at(-1)?.text === "the last line", "the last line");
  const texts = (await log.lines()).map((line) => line.text);
  for (const [index, line] of lines.entries()) if (!/[\u0000-\u001f\u202e]/.test(line)) assert.equal(texts[index], line);
  assert.doesNotMatch(texts.join("\n"), /[\u0000-\u0008\u000b-\u001f\u202a-\u202e\u2066-\u2069]/, "a control character is in the document");
  assert.match(texts[10], /202E.*evil/i);
  assert.equal(texts[4], "click me");

  const inside = await page.getByTestId("log").evaluate((scroller) => ({
    elements: [...new Set([...scroller.querySelectorAll("*")].map((element) => element.localName))].filter((name) => !["div", "span", "a", "button", "mark", "ol", "li", "time", "code", "pre", "bdi", "svg", "path"].includes(name)),
    hrefs: [...scroller.querySelectorAll("a")].map((a) => a.getAttribute("href")),
    handlers: [...scroller.querySelectorAll("*")].flatMap((element) => element.getAttributeNames().filter((name) => name.startsWith("on") || name === "src" || name === "srcdoc")),
  }));
  assert.deepEqual(inside.elements, []);
  assert.deepEqual(inside.handlers, []);
  for (const href of inside.hrefs) assert.match(href, /^(https?:\/\/|#L\d+)/);
  assert.notEqual(await page.title(), "owned");
  assert.equal(await page.evaluate(() => document.baseURI.startsWith(location.origin)), true);
  assert.deepEqual(guard.found, []);
});

scenario(shared, "a line of right-to-left text does not turn its neighbours round", {}, async ({ daemon, log }) => {
  const run = await daemon.finish(bytes("\u202Eover\nplain\n"));
  await log.open(run);
  await log.waitText(2, "plain");
  const isolated = await log.text(1).evaluate((element) => /isolate|plaintext/.test(getComputedStyle(element).unicodeBidi) || element.closest("bdi") !== null || getComputedStyle(element).display !== "inline");
  assert.ok(isolated, "the text is not isolated from its row");
});

scenario(shared, "a line of 1 MiB is shown without a stall, in bounded parts", { timeout: 90_000 }, async ({ page, daemon, log }) => {
  const run = await daemon.finish(`head -c 1048576 /dev/zero | tr '\\0' 'z'; echo; echo after`);
  await log.open(run);
  await waitFor(async () => (await log.lines()).at(-1)?.text === "after", "the line after it");
  await log.focus();
  await log.press("g");
  await log.waitVisible(1);
  const begin = Date.now();
  await page.getByTestId("wrap").click();
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  assert.ok(Date.now() - begin < 2000, `wrapping it took ${Date.now() - begin} ms`);
});

scenario(shared, "a command's hostile name stays text on every page that shows it", {}, async ({ page, daemon, log }) => {
  const command = `echo named # <img src=x onerror=alert(1)> "><script>alert(2)</script>`;
  const run = await daemon.finish(command);
  await page.goto("/executions");
  await page.locator(`[data-execution-id="${run}"]`).getByText("<img src=x", { exact: false }).first().waitFor();
  await log.open(run);
  await log.waitText(1, "named");
  await page.goto(`/run?from=${run}`);
  await waitFor(async () => (await page.getByTestId("run-command").inputValue()) === command, "the command to be filled in");
});
