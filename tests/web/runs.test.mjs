// From the form to the end of a run, and the list that follows along.
import assert from "node:assert/strict";
import { printed } from "./support/commands.mjs";
import { scenario, suite } from "./support/suite.mjs";
import { waitFor } from "./support/wait.mjs";

const shared = suite();

const executionOf = (page) => /\/executions\/([0-9a-f]{32})/.exec(page.url())?.[1];

scenario(shared, "run form, watched live, to its exit code", {}, async ({ page, daemon, id, log }) => {
  const gate = daemon.gate();
  await page.goto("/run");
  await id("run-command").fill(`echo "hello $WHO"; ${gate.wait}; echo late >&2; exit 3`);
  await id("run-env-add").click();
  await id("run-env-name").last().fill("WHO");
  await id("run-env-value").last().fill("a newcomer");
  await id("run-timeout").fill("120");
  await id("run-submit").click();
  await page.waitForURL(/\/executions\/[0-9a-f]{32}/);
  await log.waitText(1, "hello a newcomer");
  await log.waitState("live");
  await waitFor(async () => /running/i.test(await id("execution-status").innerText()), "it to be shown as running");

  gate.open();
  await log.waitText(2, "late");
  await log.waitState("ended");
  assert.equal(await log.line(2).getAttribute("data-stream"), "e");
  await waitFor(async () => /failed/i.test(await id("execution-status").innerText()), "the status to be told");
  assert.match(await id("execution-exit").innerText(), /3/);
  assert.match(await id("execution-owner").innerText(), /@|admin/i);
  const status = await daemon.status(executionOf(page));
  assert.equal(status.exit_code, 3);
});

scenario(shared, "a run is killed only after a question, and runs again from its own form", {}, async ({ page, daemon, id, log }) => {
  const run = await daemon.run("echo begun; exec sleep 300", { env: { KEPT: "yes" } });
  await log.open(run);
  await log.waitText(1, "begun");
  await id("kill").click();
  await id("dialog-cancel").click();
  await id("dialog").waitFor({ state: "detached" });
  assert.equal((await daemon.status(run)).status, "RUNNING");
  await id("kill").click();
  await id("dialog-confirm").click();
  await waitFor(async () => /stopped/i.test(await id("execution-status").innerText()), "it to be shown as stopped");
  assert.match(await id("execution-exit").innerText(), /130/);
  await id("kill").waitFor({ state: "detached" });

  await id("rerun").click();
  await page.waitForURL(/\/run\?from=/);
  await waitFor(async () => (await id("run-command").inputValue()).includes("sleep 300"), "the command to be filled in");
});

scenario(shared, "a form that is refused says why and keeps what was typed", {}, async ({ page, guard, id }) => {
  guard.allow(/400/);
  await page.goto("/run");
  await id("run-command").fill("true");
  await id("run-git-repo").fill("not a repository");
  await id("run-submit").click();
  await page.getByText(/git_repo|repository/i).first().waitFor();
  await page.getByRole("alert").first().waitFor();
  assert.equal(await id("run-command").inputValue(), "true");
});

scenario(shared, "the list follows runs as they begin and end, and its filters are its address", {}, async ({ page, daemon, id }) => {
  await page.goto("/executions");
  const gate = daemon.gate();
  const run = await daemon.run(`${gate.wait}; exit 7 # the-needle`);
  const row = page.locator(`[data-testid="execution-row"][data-execution-id="${run}"]`);
  await row.waitFor();
  await waitFor(async () => (await row.getAttribute("data-status")) === "RUNNING", "the row to say that it runs");
  gate.open();
  await waitFor(async () => (await row.getAttribute("data-status")) === "FAILED", "the row to say that it failed");

  await daemon.finish("true");
  await id("filter-text").fill("the-needle");
  await waitFor(async () => (await id("execution-row").count()) === 1, "one row to be left");
  assert.match(page.url(), /q=the-needle/);
  await page.reload();
  await row.waitFor();
  assert.equal(await id("execution-row").count(), 1);
  await id("filter-text").fill("nothing is called this");
  await id("empty").waitFor();
});

scenario(shared, "the old way to name an execution leads to its page", {}, async ({ page, daemon, log }) => {
  const run = await daemon.finish(printed("here it is"));
  await page.goto(`/?execution_id=${run}`);
  await page.waitForURL(new RegExp(`/executions/${run}`));
  await log.waitText(1, "here it is");
});

scenario(shared, "an execution that is not there is said not to be", {}, async ({ page, guard }) => {
  guard.allow(/404/);
  await page.goto("/executions/00000000000000000000000000000000");
  await page.getByText(/no such|not found|does not exist|unknown/i).first().waitFor();
});

scenario(shared, "a row leads to its log by keyboard alone, and back", {}, async ({ page, daemon, log }) => {
  const run = await daemon.finish(printed("by keyboard"));
  await page.goto("/executions");
  const row = page.locator(`[data-testid="execution-row"][data-execution-id="${run}"]`);
  await row.waitFor();
  await waitFor(async () => {
    await page.keyboard.press("Tab");
    return row.evaluate((element) => element.contains(document.activeElement) && document.activeElement.localName === "a");
  }, "Tab to reach the row's link");
  await page.keyboard.press("Enter");
  await log.waitText(1, "by keyboard");
  await page.goBack();
  await row.waitFor();
});
