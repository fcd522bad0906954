// The log view as its user sees it: lines by their test ids, never by the page's own state.
import assert from "node:assert/strict";
import { waitFor } from "./wait.mjs";

// Runs in the page: the lines that are in the document now, in its order.
const readLines = () =>
  [...document.querySelectorAll('[data-testid="log-line"]')].map((line) => ({
    seq: Number(line.dataset.seq),
    lastSeq: Number(line.dataset.lastSeq),
    stream: line.dataset.stream,
    text: line.querySelector('[data-testid="log-text"]')?.textContent ?? null,
  }));

// Runs in the page: those of them that stand within the scroller's box.
const readVisible = () => {
  const box = document.querySelector('[data-testid="log"]').getBoundingClientRect();
  return [...document.querySelectorAll('[data-testid="log-line"]')]
    .filter((line) => {
      const own = line.getBoundingClientRect();
      return own.bottom > box.top + 1 && own.top < box.bottom - 1;
    })
    .map((line) => Number(line.dataset.seq));
};

export class LogView {
  constructor(page) {
    this.page = page;
    this.scroller = page.getByTestId("log");
  }

  async open(id, suffix = "") {
    await this.page.goto(`/executions/${id}${suffix}`);
    await this.scroller.waitFor();
  }

  lines() {
    return this.page.evaluate(readLines);
  }

  visible() {
    return this.page.evaluate(readVisible);
  }

  /** What is seen when scrolling has come to rest. */
  async settled() {
    let [before, same] = ["", 0];
    await waitFor(async () => {
      const now = JSON.stringify(await this.visible());
      same = now === before ? same + 1 : 0;
      before = now;
      return same >= 5;
    }, "scrolling to come to rest");
    return JSON.parse(before);
  }

  line(seq) {
    return this.page.locator(`[data-testid="log-line"][data-seq="${seq}"]`);
  }

  text(seq) {
    return this.line(seq).getByTestId("log-text");
  }

  /** The line is in the scroller's box. */
  async waitVisible(seq, deadline = 15_000) {
    let seen = [];
    await waitFor(async () => (seen = await this.visible()).includes(seq), () => `line ${seq} to be seen (there are ${seen[0]}–${seen.at(-1)})`, deadline);
  }

  async waitText(seq, text) {
    let seen = null;
    await waitFor(
      async () => (seen = (await this.lines()).find((line) => line.seq === seq)?.text) === text,
      () => `line ${seq} to read ${JSON.stringify(text)}, not ${JSON.stringify(seen)}`,
    );
  }

  state() {
    return this.page.getByTestId("link-state").getAttribute("data-kind");
  }

  async waitState(...kinds) {
    let seen = null;
    await waitFor(async () => kinds.includes((seen = await this.state())), () => `the state to be ${kinds}, not ${seen}`);
  }

  async focus() {
    await this.scroller.focus();
  }

  async press(...keys) {
    for (const key of keys) await this.page.keyboard.press(key);
  }

  /** Consecutive, ascending, each once: what the document holds at any moment. */
  assertInOrder(lines, textOf) {
    let expected = lines[0]?.seq;
    for (const line of lines) {
      assert.equal(line.seq, expected, `line ${line.seq} stands where ${expected} should`);
      if (textOf) assert.equal(line.text, textOf(line.seq));
      expected = line.lastSeq + 1;
    }
  }

  /** Walks from the first line to the last by scrolling; every line once, in order, as { seq: text }. */
  async walk(last) {
    await this.focus();
    await this.press("g");
    const seen = new Map();
    let next = 1;
    await waitFor(async () => {
      for (const line of await this.lines()) {
        const old = seen.get(line.seq);
        assert.ok(old === undefined || old === line.text, `line ${line.seq} was ${old}, is ${line.text}`);
        seen.set(line.seq, line.text);
      }
      while (seen.has(next)) next += 1;
      if (next > last) return true;
      await this.press("PageDown");
      return false;
    }, () => `line ${next} to be seen on the way down`, 30_000);
    return seen;
  }
}

/**
 * Watches the page from now on: every state of the document at a frame's end is held to be consecutive, and all lines that
 * were ever shown are gathered. What was wrong is in .errors of collected().
 */
export async function collect(page) {
  await page.evaluate(() => {
    const found = { texts: new Map(), errors: [] };
    window.__seen = found;
    const look = () => {
      let expected = null;
      for (const line of document.querySelectorAll('[data-testid="log-line"]')) {
        const seq = Number(line.dataset.seq);
        const text = line.querySelector('[data-testid="log-text"]')?.textContent ?? "";
        if (expected !== null && seq !== expected && found.errors.length < 10) found.errors.push(`${seq} after ${expected - 1}`);
        expected = Number(line.dataset.lastSeq) + 1;
        const before = found.texts.get(seq);
        if (before !== undefined && before !== text && found.errors.length < 10) found.errors.push(`${seq} was ${before}, is ${text}`);
        found.texts.set(seq, text);
      }
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
}

export const collected = (page) =>
  page.evaluate(() => ({ errors: window.__seen.errors, texts: [...window.__seen.texts] }));
