// Several executions at once: side by side, or their lines in one.
import assert from "node:assert/strict";
import { paced } from "./support/commands.mjs";
import { scenario, suite } from "./support/suite.mjs";
import { waitFor } from "./support/wait.mjs";

const shared = suite();

const textsIn = (locator) => locator.getByTestId("log-text").allTextContents();

scenario(shared, "side by side: each its own log", {}, async ({ page, daemon, id }) => {
  const [one, two] = [await daemon.finish("seq -f 'one %.0f' 30"), await daemon.finish("seq -f 'two %.0f' 30")];
  await page.goto(`/executions/${one},${two}?view=side`);
  await waitFor(async () => (await id("log").count()) === 2, "two logs");
  for (const [index, prefix] of ["one", "two"].entries()) {
    const log = id("log").nth(index);
    await waitFor(async () => (await textsIn(log)).length > 0, "lines");
    for (const text of await textsIn(log)) assert.match(text, new RegExp(`^${prefix} \\d+$`));
  }
  const [left, right] = [await id("log").nth(0).boundingBox(), await id("log").nth(1).boundingBox()];
  assert.ok(left.x + left.width <= right.x + 1, "they do not stand side by side");
});

scenario(shared, "merged: by time, each line with its execution, live", {}, async ({ page, daemon }) => {
  const gate = daemon.gate();
  const [one, two] = [
    await daemon.run(`${gate.wait}; ${paced(100, 50, "one")}`),
    await daemon.run(`${gate.wait}; ${paced(100, 50, "two")}`),
  ];
  await page.goto(`/executions/${one},${two}?view=merged`);
  await page.getByTestId("log").waitFor();
  gate.open();
  await Promise.all([daemon.waitStatus(one), daemon.waitStatus(two)]);
  const texts = () => page.getByTestId("log-text").allTextContents();
  await waitFor(async () => (await texts()).includes("one 100") && (await texts()).includes("two 100"), "both ends");
  for (const prefix of ["one", "two"]) {
    const numbers = (await texts()).filter((text) => text.startsWith(prefix)).map((text) => Number(text.split(" ")[1]));
    assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b), `${prefix} is out of order`);
    assert.equal(new Set(numbers).size, numbers.length, `${prefix} has lines twice`);
  }
  const all = await texts();
  const changes = all.filter((text, index) => index && text.slice(0, 3) !== all[index - 1].slice(0, 3)).length;
  assert.ok(changes > 3, "the two are not interleaved by time");
});

scenario(shared, "one that may not be read does not take the others along", { role: "developer" }, async ({ page, guard, daemon, user }) => {
  guard.allow(/403/);
  const [own, others] = [await daemon.finish("echo own", {}, user.key), await daemon.finish("echo others")];
  await page.goto(`/executions/${own},${others}?view=side`);
  await waitFor(async () => (await page.getByTestId("log-text").allTextContents()).includes("own"), "the own one's line");
  assert.ok(!(await page.getByTestId("log-text").allTextContents()).includes("others"));
});
