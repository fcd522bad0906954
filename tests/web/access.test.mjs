// Who gets in, and what each role finds there.
import assert from "node:assert/strict";
import { scenario, suite } from "./support/suite.mjs";
import { waitFor } from "./support/wait.mjs";

const shared = suite();

async function isClaimed(daemon, email) {
  const { users } = await daemon.expect(200, "GET", "/users");
  return users.some((user) => user.email === email && Boolean(user.last_used));
}

scenario(shared, "a claim link claims nothing by being opened, and once by one click", { signedOut: true }, async ({ page, guard, daemon, id }) => {
  const user = await daemon.invite("developer");
  await page.goto(`/#/claim/${user.token}`);
  await id("claim-button").waitFor();
  assert.deepEqual(guard.asked(/\/claim\//), [], "opening the link asked for the claim");
  assert.ok(guard.requests.every((request) => !request.url.includes(user.token)), "the token was in a request's address");

  await id("claim-button").click();
  await id("claim-done").waitFor();
  assert.equal(new URL(page.url()).hash, "", "the token is still in the address");
  assert.equal(guard.asked(/\/claim\//).length, 1);
  const key = await page.evaluate(() => localStorage.getItem("tailgate.key"));
  const session = await daemon.expect(200, "GET", "/session", { key });
  assert.equal(session.email, user.email);
  assert.ok(await isClaimed(daemon, user.email));
  assert.equal((await daemon.request("GET", `/claim/${user.token}`, { key: null })).status, 409, "it can be claimed again");
});

scenario(shared, "the quickstart link's token survives neither back nor reload", { signedOut: true }, async ({ page, daemon, id }) => {
  const user = await daemon.invite("viewer");
  await page.goto(`/#/claim/${user.token}`);
  await id("claim-button").click();
  await id("claim-done").waitFor();
  await page.reload();
  assert.ok(!page.url().includes(user.token));
  await page.goto("/executions");
  await id("nav").waitFor();
  await page.goBack();
  assert.ok(!page.url().includes(user.token));
});

scenario(shared, "a used claim link says so", { signedOut: true }, async ({ page, guard, daemon, id }) => {
  guard.allow(/409/);
  const user = await daemon.user("viewer");
  await page.goto(`/#/claim/${user.token}`);
  await id("claim-button").click();
  await page.getByText(/used|already/i).first().waitFor();
});

scenario(shared, "a key signs in and is kept, a wrong one is told", { signedOut: true }, async ({ page, guard, daemon, id }) => {
  guard.allow(/401/);
  await page.goto("/executions");
  await id("key-input").fill("no-such-key");
  await id("key-save").click();
  await page.getByRole("alert").first().waitFor();
  await id("key-input").fill(daemon.key);
  await id("key-save").click();
  await id("executions").or(id("empty")).first().waitFor();
  await page.reload();
  await id("executions").or(id("empty")).first().waitFor();
});

scenario(shared, "settings say where the key is, and forget it", {}, async ({ page, id }) => {
  await page.goto("/settings");
  await page.getByText(/this browser/i).first().waitFor();
  await page.getByRole("button", { name: /forget|sign out/i }).click();
  const confirm = id("dialog-confirm");
  await confirm.or(id("key-input")).first().waitFor();
  if (await confirm.isVisible()) await confirm.click();
  await id("key-input").waitFor();
  assert.equal(await page.evaluate(() => localStorage.getItem("tailgate.key")), null);
});

const links = (page) => page.getByTestId("nav").getByRole("link").evaluateAll((found) => found.map((link) => link.getAttribute("href")));
const shownTo = {
  admin: { has: ["/executions", "/run", "/secrets", "/images", "/keys", "/users", "/audit", "/health"], not: [] },
  operator: { has: ["/executions", "/run", "/secrets", "/images", "/users"], not: ["/audit"] },
  developer: { has: ["/executions", "/run", "/secrets"], not: ["/users", "/audit"] },
  viewer: { has: ["/executions", "/keys"], not: ["/run", "/secrets", "/users", "/audit"] },
};
for (const [role, { has, not }] of Object.entries(shownTo)) {
  scenario(shared, `the navigation of a role: ${role}`, { role }, async ({ page }) => {
    await page.goto("/executions");
    await page.getByTestId("nav").getByRole("link", { name: "Executions" }).waitFor();
    const found = await links(page);
    for (const href of has) assert.ok(found.includes(href), `${href} is missing in ${found}`);
    for (const href of not) assert.ok(!found.includes(href), `${href} is shown`);
  });
}

scenario(shared, "a viewer sees every run and may neither kill nor start one", { role: "viewer" }, async ({ page, daemon, id, log }) => {
  const gate = daemon.gate();
  const run = await daemon.run(`echo begun; ${gate.wait}`);
  await page.goto("/executions");
  await page.locator(`[data-execution-id="${run}"]`).waitFor();
  await log.open(run);
  await log.waitText(1, "begun");
  assert.equal(await id("kill").count(), 0, "a viewer is offered to kill");
  assert.equal(await id("rerun").count(), 0, "a viewer is offered to run again");
  gate.open();
  await daemon.waitStatus(run);
});

scenario(shared, "a developer sees and kills only what is theirs", { role: "developer" }, async ({ page, guard, daemon, user, id, log }) => {
  guard.allow(/403/);
  const gate = daemon.gate();
  const [others, own] = [await daemon.run(`echo others; ${gate.wait}`), await daemon.run(`echo own; exec sleep 300`, {}, user.key)];
  await page.goto("/executions");
  await page.locator(`[data-execution-id="${own}"]`).waitFor();
  assert.equal(await page.locator(`[data-execution-id="${others}"]`).count(), 0);

  await page.goto(`/executions/${others}`);
  await page.getByText(/may not|not allowed|forbidden|permission|no such/i).first().waitFor();
  assert.equal(await id("log-line").count(), 0);

  await log.open(own);
  await log.waitText(1, "own");
  await id("kill").click();
  await id("dialog-confirm").click();
  const ended = await daemon.waitStatus(own);
  assert.equal(ended.status, "STOPPED");
  gate.open();
  await daemon.waitStatus(others);
});

scenario(shared, "an admin invites a user and revokes them", {}, async ({ page, daemon, id }) => {
  await page.goto("/users");
  const email = "new.person@example.org";
  await id("user-new").click();
  await id("user-email").fill(email);
  await id("form-submit").click();
  assert.match(await id("claim-link").inputValue(), /^http.*\/#\/claim\/\S{20,}$/);
  await id("shown-once-done").click();
  const row = page.getByRole("row").filter({ hasText: email });
  await row.waitFor();
  await row.getByRole("button", { name: /revoke/i }).click();
  await id("dialog-confirm").click();
  await waitFor(async () => {
    const { users } = await daemon.expect(200, "GET", "/users");
    return users.find((user) => user.email === email)?.revoked;
  }, "the user to be revoked");
});
