// The log view: what a line looks like, where it is linked, and all that its user can do with it.
import assert from "node:assert/strict";
import { numbered, paced, printed } from "./support/commands.mjs";
import { scenario, suite } from "./support/suite.mjs";
import { waitFor } from "./support/wait.mjs";

const shared = suite();
const ESC = "\u001b";

const clipboard = (page) => page.evaluate(() => navigator.clipboard.readText());

scenario(shared, "a permalink to a range loads its window alone", {}, async ({ daemon, guard, log }) => {
  const run = await daemon.finish(numbered(50_000));
  await log.open(run, "#L20000-L20010");
  await log.waitVisible(20_000);
  await log.waitVisible(20_010);
  log.assertInOrder(await log.lines(), (seq) => `line ${seq}`);
  const pages = guard.asked(/\/logs\?/);
  const lines = pages.map((url) => Number(new URL(url).searchParams.get("limit") ?? 0)).reduce((sum, n) => sum + n, 0);
  assert.ok(lines <= 12_000, `${lines} of 50,000 lines were asked for: ${pages}`);
  for (const seq of [20_000, 20_010]) {
    const marked = await log.line(seq).evaluate((element) => getComputedStyle(element).backgroundColor);
    const plain = await log.line(20_011).evaluate((element) => getComputedStyle(element).backgroundColor);
    assert.notEqual(marked, plain, `line ${seq} of the range is not marked`);
  }
});

scenario(shared, "a click on a number makes the permalink, shift makes a range", {}, async ({ page, daemon, log }) => {
  const run = await daemon.finish(numbered(100));
  await log.open(run, "#L10");
  await log.waitVisible(10);
  await log.line(12).getByTestId("log-number").click();
  await waitFor(() => page.url().endsWith("#L12"), "the address to be #L12");
  await log.line(15).getByTestId("log-number").click({ modifiers: ["Shift"] });
  await waitFor(() => page.url().endsWith("#L12-L15"), "the address to be #L12-L15");
});

scenario(shared, "copied text has neither numbers nor colours", {}, async ({ page, daemon, id, log }) => {
  const run = await daemon.finish(printed(`${ESC}[31mred${ESC}[0m and plain`, "\tindented", "third"));
  await log.open(run, "#L1-L3");
  await log.waitText(3, "third");
  await id("copy").click();
  await waitFor(async () => (await clipboard(page)).trimEnd() === "red and plain\n\tindented\nthird", async () => `the range on the clipboard, not ${JSON.stringify(await clipboard(page))}`);

  await id("timestamps").click();
  await page.evaluate(() => {
    const text = (seq) => document.querySelector(`[data-seq="${seq}"] [data-testid="log-text"]`);
    getSelection().setBaseAndExtent(text(1), 0, text(3), text(3).childNodes.length);
  });
  await page.keyboard.press("ControlOrMeta+c");
  await waitFor(async () => (await clipboard(page)).trimEnd() === "red and plain\n\tindented\nthird", "the selection on the clipboard");
});

scenario(shared, "colours, attributes, links and progress bars are shown, not printed", {}, async ({ page, daemon, log }) => {
  const run = await daemon.finish(printed(
    `${ESC}[1;31mbold red${ESC}[0m ${ESC}[38;5;208morange${ESC}[0m ${ESC}[38;2;1;2;3mexact${ESC}[0m ${ESC}[3;4mslanted${ESC}[0m`,
    "10 %\r50 %\r100 %",
    `working${ESC}[2K\rdone`,
    "see https://example.org/a?b=c&d, (http://example.org/x).",
    "wide 漢字 e\u0301 end",
  ));
  await log.open(run);
  await log.waitText(1, "bold red orange exact slanted");
  await log.waitText(2, "100 %");
  await log.waitText(3, "done");
  await log.waitText(5, "wide 漢字 e\u0301 end");
  const style = (words) => log.text(1).getByText(words, { exact: true }).evaluate((element) => {
    const { fontWeight, color, fontStyle, textDecorationLine } = getComputedStyle(element);
    return { fontWeight, color, fontStyle, textDecorationLine };
  });
  assert.ok(Number((await style("bold red")).fontWeight) >= 600);
  assert.equal((await style("exact")).color, "rgb(1, 2, 3)");
  const slanted = await style("slanted");
  assert.equal(slanted.fontStyle, "italic");
  assert.match(slanted.textDecorationLine, /underline/);
  const anchors = await log.text(4).locator("a").evaluateAll((found) => found.map((a) => [a.href, a.rel, a.textContent]));
  assert.deepEqual(anchors.map(([href]) => href), ["https://example.org/a?b=c&d", "http://example.org/x"]);
  for (const [, rel] of anchors) for (const word of ["noopener", "noreferrer", "nofollow"]) assert.ok(rel.includes(word));
});

scenario(shared, "stdout, stderr and system lines differ, also without colour", {}, async ({ daemon, log }) => {
  const run = await daemon.finish("echo out; sleep 0.4; echo err >&2");
  await log.open(run);
  await log.waitText(2, "err");
  const look = (seq) => log.line(seq).evaluate((line) => {
    const box = (element, pseudo) => {
      const { borderLeftStyle, borderLeftWidth, content, backgroundImage, fontStyle } = getComputedStyle(element, pseudo);
      return [borderLeftStyle, borderLeftWidth, content, backgroundImage, fontStyle].join("|");
    };
    const parts = [line, ...line.querySelectorAll("*")].filter((part) => !part.matches('[data-testid="log-number"], [data-testid="log-time"]'));
    return parts.map((part) => `${part.className} ${box(part)} ${box(part, "::before")} ${part.getAttribute("aria-label") ?? ""}`).join("\n").replaceAll(/stream-\w+|log-\w+/g, "");
  });
  assert.notEqual(await look(1), await look(2));
});

scenario(shared, "groups fold and unfold, nested ones inside", {}, async ({ page, daemon, id, log }) => {
  const run = await daemon.finish(printed("before", "::group::Install", "in 1", "in 2", "::endgroup::", "between", "+++ Build", "compiling", "--- Test", "testing"));
  await log.open(run);
  await log.waitVisible(1);
  await waitFor(async () => (await log.lines()).some((line) => line.text?.includes("between")), "the lines");
  const texts = async () => (await log.lines()).map((line) => line.text);
  assert.ok((await texts()).some((text) => text?.includes("Install")), "a group's title is missing");
  const header = page.locator('[data-testid="log-line"]').filter({ hasText: "Install" }).getByTestId("fold-toggle");
  const had = (await texts()).includes("in 1");
  await header.click();
  await waitFor(async () => (await texts()).includes("in 1") !== had, "the group to change");
  await header.click();
  await waitFor(async () => (await texts()).includes("in 1") === had, "the group to change back");
  assert.equal(await id("fold-toggle").first().getAttribute("aria-expanded"), had ? "true" : "false");
});

scenario(shared, "following stops where one scrolls away, and the bar counts what came since", {}, async ({ page, daemon, id, log }) => {
  const gate = daemon.gate();
  const run = await daemon.run(`${numbered(300)}; ${gate.wait}; seq -f 'late %.0f' 40; exec sleep 300`);
  await log.open(run);
  await log.waitVisible(300);
  await log.focus();
  await page.mouse.move(600, 400);
  await page.mouse.wheel(0, -2000);
  await waitFor(async () => !(await log.visible()).includes(300), "the end to be scrolled away");
  const before = await log.settled();
  gate.open();
  await id("new-lines").waitFor();
  await waitFor(async () => /\b40\b/.test(await id("new-lines").innerText()), "the bar to count 40 lines");
  assert.deepEqual(await log.visible(), before, "the lines moved under the reader");
  await id("new-lines").click();
  await log.waitVisible(340);
  await id("new-lines").waitFor({ state: "hidden" });
  await daemon.request("DELETE", `/executions/${run}`);
});

scenario(shared, "pause holds the lines still and goes on without a hole", {}, async ({ page, daemon, id, log }) => {
  const run = await daemon.run(paced(100_000, 100));
  await log.open(run);
  await log.waitState("live");
  await waitFor(async () => (await log.lines()).length > 20, "lines");
  await id("pause").click();
  await log.waitState("paused");
  const held = await log.visible();
  const last = (await daemon.status(run)).last_seq;
  await waitFor(async () => (await daemon.status(run)).last_seq > last + 100, "more lines at the server");
  assert.deepEqual(await log.visible(), held, "a paused log moved");
  await id("pause").click();
  await log.waitState("live");
  await waitFor(async () => (await log.visible()).at(-1) > last + 100, "the end to be followed again");
  log.assertInOrder(await log.lines(), (seq) => `line ${seq}`);
  await daemon.request("DELETE", `/executions/${run}`);
  void page;
});

scenario(shared, "long lines wrap on demand and never widen the page", {}, async ({ page, daemon, id, log }) => {
  const run = await daemon.finish(printed("x".repeat(3000), "short"));
  await log.open(run);
  await log.waitText(2, "short");
  const height = () => log.line(1).evaluate((line) => line.getBoundingClientRect().height);
  const before = await height();
  await id("wrap").click();
  await waitFor(async () => (await height()) !== before, "the line's height to change");
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
  assert.ok(!wide, "the page itself scrolls sideways");
});

scenario(shared, "timestamps go round: off, relative, local, UTC", {}, async ({ page, daemon, id, log }) => {
  const run = await daemon.finish(printed("timed"));
  await log.open(run);
  await log.waitText(1, "timed");
  const shown = async () => {
    const time = log.line(1).getByTestId("log-time");
    return (await time.count()) && (await time.isVisible()) ? (await time.innerText()).trim() : "";
  };
  const seen = new Set();
  for (let i = 0; i < 4; i += 1) {
    seen.add(await shown());
    await id("timestamps").click();
    await page.waitForTimeout(50);
  }
  assert.equal(seen.size, 4, `the ways to show a time: ${[...seen].join(" · ")}`);
  assert.ok(seen.has(""), "times cannot be switched off");
});

scenario(shared, "a JSON line is laid out on demand", {}, async ({ page, daemon, id, log }) => {
  const run = await daemon.finish(printed('{"level":"warn","nested":{"user":"ann"},"list":[1,2]}', "no json"));
  await log.open(run);
  await log.waitText(2, "no json");
  assert.equal(await log.line(2).getByTestId("json-toggle").count(), 0);
  await id("json-toggle").first().click();
  await page.getByText(/"?user"?/).first().waitFor();
  await waitFor(async () => (await log.line(1).evaluate((line) => line.getBoundingClientRect().height)) > 40, "the line to open");
});

const raw = [`${ESC}[32mgreen${ESC}[0m`, "plain"];

scenario(shared, "the raw log is downloaded as it was printed", {}, async ({ page, daemon, id, log }) => {
  await page.addInitScript(() => delete Window.prototype.showSaveFilePicker && delete window.showSaveFilePicker);
  const run = await daemon.finish(printed(...raw));
  await log.open(run);
  await log.waitText(2, "plain");
  const download = page.waitForEvent("download");
  await id("download").click();
  const stream = await (await download).createReadStream();
  const parts = [];
  for await (const part of stream) parts.push(part);
  assert.equal(Buffer.concat(parts).toString(), `${raw.join("\n")}\n`);
});

scenario(shared, "keys: g G w f ? and Escape", {}, async ({ page, daemon, id, log }) => {
  const run = await daemon.finish(numbered(5000));
  await log.open(run);
  await log.waitVisible(5000);
  await log.focus();
  await log.press("g");
  await log.waitVisible(1);
  await log.press("G");
  await log.waitVisible(5000);
  const pressed = () => id("wrap").getAttribute("aria-pressed");
  const before = await pressed();
  await log.press("w");
  await waitFor(async () => (await pressed()) !== before, "w to switch wrapping");
  await log.press("?");
  await id("help-sheet").waitFor();
  await log.press("Escape");
  await id("help-sheet").waitFor({ state: "hidden" });
  await page.waitForTimeout(0);
});

scenario(shared, "the way up is whole: every line once, in order", {}, async ({ daemon, log }) => {
  const run = await daemon.finish(numbered(3000));
  await log.open(run);
  await log.waitVisible(3000);
  const seen = await log.walk(3000);
  for (let seq = 1; seq <= 3000; seq += 1) assert.equal(seen.get(seq), `line ${seq}`);
});

scenario(shared, "a command that printed nothing is said to have printed nothing", {}, async ({ page, daemon, log }) => {
  const run = await daemon.finish("exit 0");
  await page.goto(`/executions/${run}`);
  await page.getByText(/no (output|lines)|printed nothing|nothing was printed|wrote nothing/i).first().waitFor();
  assert.equal((await log.lines()).length, 0);
});
