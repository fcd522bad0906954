// A connection that breaks, a server that dies, a tab that nobody looks at: nothing twice, nothing skipped.
import assert from "node:assert/strict";
import { paced } from "./support/commands.mjs";
import { collect, collected } from "./support/log-view.mjs";
import { scenario, suite } from "./support/suite.mjs";
import { waitFor } from "./support/wait.mjs";

const shared = suite();
const LOST = /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|WebSocket connection|ERR_SOCKET|status of 50[0-9]/;

async function assertWhole(log, page, last) {
  const { errors, texts } = await collected(page);
  assert.deepEqual(errors, []);
  for (const [seq, text] of texts) assert.equal(text, `line ${seq}`);
  const seen = await log.walk(last);
  for (let seq = 1; seq <= last; seq += 1) assert.equal(seen.get(seq), `line ${seq}`);
}

scenario(shared, "every line of a live log is shown, once, in order", {}, async ({ page, daemon, log }) => {
  const gate = daemon.gate();
  const run = await daemon.run(`${gate.wait}; ${paced(600, 200)}`);
  await log.open(run);
  await log.waitState("live");
  await collect(page);
  gate.open();
  await log.waitState("ended");
  await log.waitVisible(600);
  const { errors, texts } = await collected(page);
  assert.deepEqual(errors, []);
  assert.deepEqual(texts.map(([seq]) => seq).sort((a, b) => a - b), Array.from({ length: 600 }, (_, i) => i + 1));
});

scenario(shared, "the server is killed and started under a live view", { timeout: 90_000 }, async ({ page, guard, daemon, id, log }) => {
  guard.allow(LOST);
  const run = await daemon.run(paced(3000, 250));
  await log.open(run);
  await log.waitState("live");
  await collect(page);
  await waitFor(async () => ((await log.visible()).at(-1) ?? 0) > 200, "some lines");
  for (let time = 0; time < 2; time += 1) {
    await daemon.kill9();
    await log.waitState("reconnecting", "connecting");
    assert.match(await id("link-state").innerText(), /reconnect|connect|away/i);
    await daemon.start();
    await log.waitState("live", "catching-up", "ended");
  }
  await log.waitState("ended");
  await log.waitVisible(3000);
  await assertWhole(log, page, 3000);
});

scenario(shared, "a server that comes back after the end tells the end", { timeout: 90_000 }, async ({ page, guard, daemon, id, log }) => {
  guard.allow(LOST);
  const gate = daemon.gate();
  const run = await daemon.run(`seq -f 'line %.0f' 50; ${gate.wait}; seq -f 'line %.0f' 51 90; exit 4`);
  await log.open(run);
  await log.waitVisible(50);
  await collect(page);
  await daemon.kill9();
  await log.waitState("reconnecting");
  gate.open();
  await daemon.start();
  await log.waitState("ended");
  await log.waitVisible(90);
  assert.match(await id("execution-exit").innerText(), /4/);
  await assertWhole(log, page, 90);
});

scenario(shared, "the list finds its way back too", { timeout: 90_000 }, async ({ page, guard, daemon }) => {
  guard.allow(LOST);
  const before = await daemon.finish("true");
  await page.goto("/executions");
  const row = (run) => page.locator(`[data-testid="execution-row"][data-execution-id="${run}"]`);
  await row(before).waitFor();
  await daemon.kill9();
  await daemon.start();
  const later = await daemon.finish("true");
  await row(later).waitFor({ timeout: 30_000 });
  assert.equal(await row(before).count(), 1);
});

/** Playwright keeps every page visible; this is what a browser tells a page whose tab is behind. */
const hide = (page, hidden) =>
  page.evaluate((value) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => value });
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => (value ? "hidden" : "visible") });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);

scenario(shared, "a tab in the background costs nothing, and misses nothing", {}, async ({ page, guard, daemon, log }) => {
  const run = await daemon.run(paced(2000, 200));
  await log.open(run);
  await log.waitState("live");
  await collect(page);
  let bytes = 0;
  page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => (bytes += payload.length)));
  for (const { socket } of guard.requests.filter((request) => request.socket)) {
    socket.on("framereceived", ({ payload }) => (bytes += payload.length));
  }
  await waitFor(() => bytes > 1000, "lines on the socket");
  await hide(page, true);
  // What was on its way may still come; then there is silence while the log goes on.
  let [quiet, old] = [0, -1];
  const requests = guard.requests.length;
  await waitFor(() => {
    quiet = bytes === old ? quiet + 1 : 0;
    old = bytes;
    return quiet >= 10;
  }, "the socket to fall silent", 10_000, 100);
  assert.ok(guard.requests.length <= requests + 1, `asked in the background: ${guard.requests.slice(requests).map((r) => r.url)}`);
  const last = (await daemon.status(run)).last_seq;
  assert.ok(last < 2000, "the log ended meanwhile: nothing was measured");
  await hide(page, false);
  await log.waitState("ended");
  await log.waitVisible(2000);
  await assertWhole(log, page, 2000);
});

scenario(shared, "a key that is revoked ends the view and says so", { role: "operator" }, async ({ page, guard, daemon, user, log }) => {
  guard.allow(/401|WebSocket connection/);
  const run = await daemon.run(paced(100_000, 20));
  await log.open(run);
  await log.waitState("live");
  await daemon.expect(200, "POST", "/users/revoke", { body: { email: user.email } });
  await waitFor(
    async () => (await page.getByTestId("key-input").count()) > 0 || (await log.state().catch(() => null)) === "refused",
    "the refusal to be shown",
  );
  await daemon.request("DELETE", `/executions/${run}`);
});
