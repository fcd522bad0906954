// Search over the whole execution at the server, and at once over what is in the window.
import assert from "node:assert/strict";
import { numbered, printed } from "./support/commands.mjs";
import { scenario, suite } from "./support/suite.mjs";
import { waitFor } from "./support/wait.mjs";

const shared = suite();

/** Highlights of the CSS Highlight API or of elements: the texts that are marked. */
const marked = (page) =>
  page.evaluate(() => {
    const texts = [...document.querySelectorAll('[data-testid="log-text"] mark, [data-testid="log-text"] [class*="match"], [data-testid="log-text"] [class*="hit"]')].map((m) => m.textContent);
    for (const highlight of globalThis.CSS?.highlights?.values() ?? []) for (const range of highlight) texts.push(range.toString());
    return texts;
  });

const counts = async (id) => (await id("search-count").innerText()).replaceAll(/[,.\u00a0\u202f ](?=\d{3})/g, "");

scenario(shared, "a text is found in the whole log: counted, next, previous, highlighted", {}, async ({ page, daemon, id, log }) => {
  // 40 matches in 60,000 lines, the first ones far outside of the window at the end.
  const run = await daemon.finish(`seq -f 'line %.0f' 60000 | awk 'NR % 1500 == 7 { print $0 " NEEDLE"; next } { print }'`);
  await log.open(run);
  await log.waitVisible(60_000);
  await log.press("/");
  await id("search-input").fill("NEEDLE");
  await waitFor(async () => /\b40\b/.test(await counts(id)), async () => `40 matches to be counted, not ${await counts(id)}`);

  await id("search-previous").click();
  await log.waitVisible(58_507);
  assert.ok((await marked(page)).includes("NEEDLE"), "the match is not highlighted");
  await id("search-previous").click();
  await log.waitVisible(57_007);
  await id("search-next").click();
  await log.waitVisible(58_507);
  await log.focus();
  await log.press("g", "n");
  await log.waitVisible(7);
  await log.press("n");
  await log.waitVisible(1507);
  await log.press("N");
  await log.waitVisible(7);
  assert.match(page.url(), /q=NEEDLE/);
});

scenario(shared, "an expression is searched, and a bad one is told where it is typed", {}, async ({ guard, daemon, id, log }) => {
  guard.allow(/400/);
  const run = await daemon.finish(printed("error 17 in a", "Error 18 in b", "no", "error x"));
  await log.open(run);
  await log.waitText(4, "error x");
  await id("search-open").click();
  await id("search-regex").click();
  await id("search-input").fill("error [0-9]+");
  const pressed = async () => (await id("search-case").getAttribute("aria-pressed")) === "true" || (await id("search-case").isChecked().catch(() => false));
  const exact = await pressed();
  await waitFor(async () => new RegExp(`\\b${exact ? 1 : 2}\\b`).test(await counts(id)), "the matches to be counted");
  await id("search-case").click();
  await waitFor(async () => new RegExp(`\\b${exact ? 2 : 1}\\b`).test(await counts(id)), "case to count");

  await id("search-input").fill("error [0-9");
  await waitFor(async () => /missing|bracket|\]|expression|unterminated|character/i.test(await id("search-count").innerText()), async () => `the error to be told, not ${await counts(id)}`);
});

scenario(shared, "what is in the window is marked before the server answers", {}, async ({ page, daemon, id, log }) => {
  const run = await daemon.finish(numbered(50, "alpha"));
  await log.open(run);
  await log.waitVisible(50);
  await page.route(/\/logs\?.*q=/, async (route) => {
    await new Promise((done) => setTimeout(done, 3000));
    await route.continue().catch(() => undefined);
  });
  await log.press("/");
  await id("search-input").fill("alpha 4");
  const begin = Date.now();
  await waitFor(async () => (await marked(page)).includes("alpha 4"), "an instant highlight", 2000);
  assert.ok(Date.now() - begin < 2000);
});

scenario(shared, "a search comes with its address", {}, async ({ daemon, id, log }) => {
  const run = await daemon.finish(numbered(200, "row"));
  await log.open(run, "?q=row+77#L77");
  await log.waitVisible(77);
  await waitFor(async () => (await id("search-input").inputValue()) === "row 77", "the search to be filled in");
  await waitFor(async () => /\b1\b/.test(await counts(id)), "it to be counted");
});

scenario(shared, "nothing found is said", {}, async ({ daemon, id, log }) => {
  const run = await daemon.finish(numbered(20));
  await log.open(run);
  await log.press("/");
  await id("search-input").fill("is not there");
  await waitFor(async () => /\b0\b|no match|nothing|none/i.test(await counts(id)), "no match to be told");
  await log.press("Escape");
  await id("search-input").waitFor({ state: "hidden" });
});
