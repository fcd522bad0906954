// For whom there is no mouse, no colour, no wide screen, no wish for motion.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { numbered, paced, printed } from "./support/commands.mjs";
import { scenario, suite } from "./support/suite.mjs";
import { waitFor } from "./support/wait.mjs";

const shared = suite();
const ESC = "\u001b";
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe-core finds that is serious or critical, one line each. */
async function serious(context, page) {
  const session = await context.newCDPSession(page);
  await session.send("Runtime.evaluate", { expression: axe });
  const violations = await page.evaluate(async () => (await window.axe.run(document)).violations);
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, impact, nodes }) => nodes.slice(0, 5).map((node) => `${impact} ${id}: ${node.html.slice(0, 160)} — ${node.any[0]?.message ?? node.failureSummary}`));
}

const colourful = () =>
  printed(
    `${ESC}[31mred${ESC}[0m ${ESC}[32mgreen${ESC}[0m ${ESC}[33myellow${ESC}[0m ${ESC}[34mblue${ESC}[0m ${ESC}[35mmagenta${ESC}[0m ${ESC}[36mcyan${ESC}[0m`,
    `${ESC}[91mred${ESC}[0m ${ESC}[92mgreen${ESC}[0m ${ESC}[93myellow${ESC}[0m ${ESC}[94mblue${ESC}[0m ${ESC}[95mmagenta${ESC}[0m ${ESC}[96mcyan${ESC}[0m`,
    "::group::A group", "in it https://example.org/", "::endgroup::", '{"a":1}',
  );

async function pagesOf(daemon) {
  const [one, two] = [await daemon.finish(`${colourful()}; echo to stderr >&2; exit 1`), await daemon.finish(numbered(50))];
  await daemon.request("POST", "/secrets", { body: { name: "token", key_name: "TOKEN", value: "a secret value", description: "what for" } });
  await daemon.user("viewer");
  return ["/executions", `/executions/${one}`, `/executions/${one}?q=line#L2-L3`, `/executions/${one},${two}?view=side`,
    `/executions/${one},${two}?view=merged`, "/run", "/secrets", "/images", "/users", "/keys", "/health", "/audit", "/settings"];
}

async function settle(page) {
  await page.waitForLoadState("networkidle");
  if (/\/executions\/./.test(page.url())) await page.getByTestId("log-line").first().waitFor();
}

for (const theme of ["light", "dark"]) {
  scenario(shared, `axe-core finds nothing serious on any page, ${theme}`, { theme, timeout: 120_000 }, async ({ page, context, daemon }) => {
    const found = [];
    for (const path of await pagesOf(daemon)) {
      await page.goto(path);
      await settle(page);
      found.push(...(await serious(context, page)).map((line) => `${path.replaceAll(/[0-9a-f]{32}/g, "ID")}: ${line}`));
    }
    assert.deepEqual(found, []);
  });

  scenario(shared, `axe-core finds nothing serious before one is signed in, ${theme}`, { theme, signedOut: true }, async ({ page, context, id }) => {
    await page.goto("/");
    await id("key-input").waitFor();
    assert.deepEqual(await serious(context, page), []);
    await page.goto("/#/claim/some-token");
    await id("claim-button").waitFor();
    assert.deepEqual(await serious(context, page), []);
  });

  scenario(shared, `a phone of 360 px: no page scrolls sideways, ${theme}`, { theme, viewport: { width: 360, height: 720 }, hasTouch: true, isMobile: true, timeout: 90_000 }, async ({ page, daemon }) => {
    for (const path of await pagesOf(daemon)) {
      await page.goto(path);
      await settle(page);
      const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
      assert.ok(content <= window, `${path}: ${content} px in ${window}`);
    }
  });
}

scenario(shared, "axe-core finds nothing serious in the help sheet and the question before a kill", {}, async ({ page, context, daemon, id, log }) => {
  const run = await daemon.run("echo begun; exec sleep 300");
  await log.open(run);
  await log.waitText(1, "begun");
  await log.focus();
  await log.press("?");
  await id("help-sheet").waitFor();
  assert.deepEqual(await serious(context, page), []);
  await log.press("Escape");
  await id("kill").click();
  await id("dialog").waitFor();
  assert.deepEqual(await serious(context, page), []);
  await id("dialog-confirm").click();
  await daemon.waitStatus(run);
});

scenario(shared, "keyboard alone: sign in, run, watch, search, kill", { signedOut: true }, async ({ page, daemon, id, log }) => {
  const tabTo = (locator, what) =>
    waitFor(async () => {
      if (await locator.evaluate((element) => element === document.activeElement || element.contains(document.activeElement)).catch(() => false)) return true;
      await page.keyboard.press("Tab");
      return false;
    }, `Tab to reach ${what}`);
  await page.goto("/");
  await id("key-input").waitFor();
  await tabTo(id("key-input"), "the key's field");
  await page.keyboard.type(daemon.key);
  await page.keyboard.press("Enter");
  const run = page.getByTestId("nav").getByRole("link", { name: /^run/i });
  await run.waitFor();
  await tabTo(run, "the link to the run form");
  await page.keyboard.press("Enter");
  await id("run-command").waitFor();
  await tabTo(id("run-command"), "the command's field");
  await page.keyboard.type("echo typed; exec sleep 300");
  await tabTo(id("run-submit"), "the button");
  await page.keyboard.press("Enter");
  await log.waitText(1, "typed");
  await tabTo(log.scroller, "the log");
  await page.keyboard.press("/");
  await waitFor(() => id("search-input").evaluate((input) => input === document.activeElement), "the search to have the focus");
  await page.keyboard.type("typed");
  await waitFor(async () => /\b1\b/.test(await id("search-count").innerText()), "the match to be counted");
  await page.keyboard.press("Escape");
  await tabTo(id("kill"), "the kill button");
  await page.keyboard.press("Enter");
  await id("dialog").waitFor();
  await waitFor(() => id("dialog").evaluate((dialog) => dialog.contains(document.activeElement)), "the question to have the focus");
  await tabTo(id("dialog-confirm"), "the answer");
  await page.keyboard.press("Enter");
  await waitFor(async () => /stopped/i.test(await id("execution-status").innerText()), "it to be stopped");
});

scenario(shared, "the log is a log to screen readers, and does not drown them", {}, async ({ page, daemon, log }) => {
  const run = await daemon.run(paced(100_000, 300));
  await log.open(run);
  await log.waitState("live");
  assert.equal(await log.scroller.getAttribute("role"), "log");
  assert.equal(await log.scroller.getAttribute("aria-live"), "off", "each line would be read out");
  assert.equal(await log.scroller.getAttribute("tabindex"), "0");
  assert.ok((await log.scroller.getAttribute("aria-label")) || (await log.scroller.getAttribute("aria-labelledby")), "the log has no name");
  // What is announced comes now and then, not with each line.
  const changes = await page.evaluate(async () => {
    let count = 0;
    const observers = [...document.querySelectorAll('[aria-live="polite"], [aria-live="assertive"], [role="status"], [role="alert"]')].map((region) => {
      const observer = new MutationObserver(() => (count += 1));
      observer.observe(region, { subtree: true, childList: true, characterData: true });
      return observer;
    });
    await new Promise((done) => setTimeout(done, 2000));
    for (const observer of observers) observer.disconnect();
    return count;
  });
  assert.ok(changes <= 4, `${changes} announcements in 2 s`);
  await daemon.request("DELETE", `/executions/${run}`);
});

scenario(shared, "the theme is the system's, until the switch says otherwise", { theme: "dark" }, async ({ page, id }) => {
  const dark = () => page.evaluate(() => {
    const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/[\d.]+/g).map(Number);
    return r + g + b < 384;
  });
  await page.goto("/executions");
  await id("nav").waitFor();
  assert.ok(await dark());
  await id("theme-switch").click();
  await waitFor(async () => !(await dark()), "the switch to make it light");
  await page.reload();
  await id("nav").waitFor();
  assert.ok(!(await dark()), "the choice is not kept");
});

scenario(shared, "who wants less motion gets none", { reducedMotion: "reduce" }, async ({ page, daemon, log }) => {
  const run = await daemon.run("echo begun; exec sleep 300");
  await log.open(run);
  await log.waitText(1, "begun");
  const moving = await page.evaluate(() => document.getAnimations().filter((animation) => animation.playState === "running" && animation.effect.getComputedTiming().duration > 50).length);
  assert.equal(moving, 0);
  await daemon.request("DELETE", `/executions/${run}`);
});
