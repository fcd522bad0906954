// The pages beside the log: the list beyond its limit and over a restart, secrets, images, keys, the audit.
import assert from "node:assert/strict";
import { scenario, suite } from "./support/suite.mjs";
import { waitFor } from "./support/wait.mjs";

const LIST_LIMIT = 5;
const shared = suite({ flags: ["--list-limit", String(LIST_LIMIT)] });

const rowOf = (page, run) => page.locator(`[data-testid="execution-row"][data-execution-id="${run}"]`);

/** As if the text came from the clipboard. */
const paste = (field, text) =>
  field.evaluate((element, pasted) => {
    const data = new DataTransfer();
    data.setData("text", pasted);
    element.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
  }, text);

scenario(shared, "executions beyond the live list's limit are loaded on demand, by the same filters", {}, async ({ page, daemon, id }) => {
  const first = await daemon.finish("exit 9 # the oldest");
  await Promise.all(Array.from({ length: LIST_LIMIT + 1 }, (_, i) => daemon.finish(`true # ${i}`)));
  await page.goto("/executions");
  await id("execution-row").first().waitFor();
  assert.equal(await id("execution-row").count(), LIST_LIMIT);
  await id("older").click();
  await rowOf(page, first).waitFor();
  assert.equal(await id("execution-row").count(), LIST_LIMIT + 2);

  await page.goto("/executions?status=FAILED");
  await id("empty").waitFor();
  await id("older").click();
  await rowOf(page, first).waitFor();
  assert.equal(await id("execution-row").count(), 1);
});

scenario(shared, "the list says that its server is away, and goes on with what changed meanwhile", {}, async ({ page, guard, daemon, id }) => {
  guard.allow(/ERR_|WebSocket|Failed to load/);
  const gate = daemon.gate();
  const run = await daemon.run(`${gate.wait}; exit 4`);
  await page.goto("/executions");
  await waitFor(async () => (await rowOf(page, run).getAttribute("data-status")) === "RUNNING", "the row to say that it runs");
  await daemon.kill9();
  await page.locator('[data-testid="link-state"][data-kind="reconnecting"]').waitFor();
  gate.open();
  await daemon.start();
  await waitFor(async () => (await rowOf(page, run).getAttribute("data-status")) === "FAILED", "the row to say that it failed");
  await page.locator('[data-testid="link-state"][data-kind="live"]').waitFor();
  assert.equal(await rowOf(page, run).count(), 1);
  assert.match(await rowOf(page, run).innerText(), /\b4\b/);
  assert.equal(await id("empty").count(), 0);
});

scenario(shared, "several are chosen, seen together and killed at once", {}, async ({ page, daemon, id }) => {
  const runs = [await daemon.run("exec sleep 300"), await daemon.run("exec sleep 301")];
  await page.goto("/executions");
  for (const run of runs) await rowOf(page, run).getByRole("checkbox").check();
  await id("view-merged").click();
  await page.waitForURL((url) => runs.every((run) => url.pathname.includes(run)) && url.searchParams.get("view") === "merged");
  await page.goBack();
  for (const run of runs) await rowOf(page, run).getByRole("checkbox").check();
  await id("kill-selected").click();
  await id("dialog-confirm").click();
  for (const run of runs) assert.equal((await daemon.waitStatus(run)).status, "STOPPED");
});

scenario(shared, "pasted variables become rows; what the server refuses is told at its field", {}, async ({ page, guard, daemon, id }) => {
  guard.allow(/400/);
  await page.goto("/run");
  await id("run-command").fill('printf "%s|%s" "$FIRST" "$SECOND"');
  await id("run-env-add").click();
  await paste(id("run-env-name"), "# a file\nexport FIRST='one two'\nSECOND=\"a\\nb\"\n");
  assert.equal(await id("run-env-name").count(), 2);
  await id("run-secrets").fill("not-there");
  await id("run-command").press("Control+Enter");
  await waitFor(async () => (await id("run-secrets").getAttribute("aria-invalid")) === "true", "the field to be marked");
  assert.equal(await id("run-secrets").evaluate((element) => element === document.activeElement), true);
  await id("run-secrets").fill("");
  await id("run-command").press("Control+Enter");
  await page.waitForURL(/\/executions\/[0-9a-f]{32}/);
  const run = page.url().match(/[0-9a-f]{32}/)[0];
  await daemon.waitStatus(run);
  assert.equal(await daemon.text(run), "one two|a\nb");
});

scenario(shared, "a secret is made, seen, changed and deleted, and is kept nowhere in the browser", {}, async ({ page, daemon, id }) => {
  const value = "first line\nsecond-line-7f3a";
  await page.goto("/secrets");
  await id("secret-new").first().click();
  await id("secret-name").fill("deploy-key");
  assert.equal(await id("secret-key-name").inputValue(), "DEPLOY_KEY");
  await id("secret-value").fill(value);
  await id("form-submit").click();
  await page.getByRole("row").filter({ hasText: "deploy-key" }).waitFor();
  assert.equal((await daemon.expect(200, "GET", "/secrets/deploy-key")).secret.value, value);

  await page.getByRole("button", { name: "Show the value of deploy-key" }).click();
  await waitFor(async () => (await id("secret-shown").inputValue()) === value, "the value to be there");
  const hidden = (element) => getComputedStyle(element).getPropertyValue("-webkit-text-security");
  assert.equal(await id("secret-shown").evaluate(hidden), "disc");
  await id("secret-reveal").click();
  assert.equal(await id("secret-shown").evaluate(hidden), "none");
  await page.keyboard.press("Escape");
  await id("dialog").waitFor({ state: "detached" });
  const kept = await page.evaluate(() => JSON.stringify([location.href, { ...localStorage }, { ...sessionStorage }, history.state, document.body.innerText]));
  assert.ok(!kept.includes("second-line-7f3a"), "the value is still somewhere");

  await page.getByRole("button", { name: "Change deploy-key" }).click();
  await id("secret-description").fill("for the deploys");
  await id("form-submit").click();
  await page.getByText("for the deploys").waitFor();
  assert.equal((await daemon.expect(200, "GET", "/secrets/deploy-key")).secret.value, value);

  await page.getByRole("button", { name: "Delete deploy-key" }).click();
  await id("dialog-confirm").click();
  await page.getByRole("row").filter({ hasText: "deploy-key" }).waitFor({ state: "detached" });
});

scenario(shared, "an image is registered, made the default, kept while it is used and unregistered", {}, async ({ page, guard, daemon, id }) => {
  guard.allow(/409/);
  await page.goto("/images");
  await id("image-new").click();
  await id("image-reference").fill("registry.example/tools:1");
  await id("form-submit").click();
  const row = page.getByRole("row").filter({ hasText: "registry.example/tools:1" });
  await row.waitFor();
  const made = (await daemon.expect(200, "GET", "/images")).images.find((image) => image.image === "registry.example/tools:1");
  if (!made.is_default) await row.getByRole("button", { name: /^Make default/ }).click();
  await row.getByText("default", { exact: true }).waitFor();

  // The engine of --dev runs no containers: that one uses the image is answered in its place, once.
  const refusal = { error: "failed to remove image", code: "CONFLICT", details: "a running execution uses it" };
  await page.route("**/api/v1/images/*", (route) => route.fulfill({ status: 409, json: refusal }), { times: 1 });
  await row.getByRole("button", { name: /^Unregister/ }).click();
  await id("dialog-confirm").click();
  await page.getByText(/is in use/).waitFor();
  await row.getByRole("button", { name: /^Unregister/ }).click();
  await id("dialog-confirm").click();
  await row.waitFor({ state: "detached" });
});

scenario(shared, "a key is shown once, works, and is revoked", { role: "developer" }, async ({ page, daemon, id }) => {
  await page.goto("/keys");
  await page.getByText("this browser").waitFor();
  await id("key-new").click();
  await id("key-description").fill("the laptop");
  await id("key-description").press("Enter");
  await id("key-created").waitFor();
  const key = await id("key-created").inputValue();
  await page.keyboard.press("Escape");
  assert.equal(await id("key-created").inputValue(), key, "Escape closed what is shown once");
  await id("shown-once-done").click();
  await id("key-created").waitFor({ state: "detached" });
  await daemon.expect(200, "GET", "/session", { key });
  await page.getByRole("row").filter({ hasText: "the laptop" }).getByRole("button", { name: /revoke/i }).click();
  await id("dialog-confirm").click();
  await waitFor(async () => (await daemon.request("GET", "/session", { key })).status === 401, "the key to be refused");
});

scenario(shared, "the audit is filtered by its address, and a request leads to its trace", {}, async ({ page, daemon, id }) => {
  await daemon.expect(201, "POST", "/secrets", { body: { name: "audited", key_name: "AUDITED", value: "x" } });
  await page.goto("/audit?action=secrets&resource=secret/audited");
  const row = page.getByRole("row").filter({ hasText: "secret/audited" });
  await row.waitFor();
  assert.equal(await id("audit-action").inputValue(), "secrets");
  assert.match(await row.innerText(), /secrets\.create/);
  await id("audit-resource").fill("secret/unheard-of");
  await id("audit-find").click();
  await id("empty").waitFor();
  assert.match(page.url(), /resource=secret%2Funheard-of/);
  await page.goBack();
  await row.getByRole("button", { name: /^Trace/ }).click();
  await id("trace").waitFor();
  await waitFor(async () => /audited/.test(await id("trace").innerText()), "the trace to tell of the secret");
});

scenario(shared, "health is told, and a reconcile reports", { role: "operator" }, async ({ page, id }) => {
  await page.goto("/health");
  await page.locator('[data-testid="health"][data-ready="true"]').waitFor();
  await id("reconcile").click();
  await id("health-report").waitFor();
  assert.match(await id("health-report").innerText(), /healthy|degraded/);
});
