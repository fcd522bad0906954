// Figures of a page as its browser has them: heap, frames, the time of a jump. Nothing of the page's own is asked.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { resultsDir } from "./browser.mjs";
import { waitFor } from "./wait.mjs";

/** Calls the workers of a page by DevTools: Playwright's sessions reach the page alone. */
class Workers {
  #session;
  #found = new Set();
  #answers = new Map();
  #lastId = 0;

  static async of(session) {
    const workers = new Workers();
    workers.#session = session;
    session.on("Target.attachedToTarget", (event) => workers.#found.add(event.sessionId));
    session.on("Target.detachedFromTarget", (event) => workers.#found.delete(event.sessionId));
    session.on("Target.receivedMessageFromTarget", ({ message }) => {
      const answer = JSON.parse(message);
      if (answer.id) workers.#answers.set(answer.id, answer.result);
    });
    await session.send("Target.setAutoAttach", { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
    return workers;
  }

  async call(method) {
    const ids = [];
    for (const sessionId of this.#found) {
      const id = (this.#lastId += 1);
      ids.push(id);
      await this.#session.send("Target.sendMessageToTarget", { sessionId, message: JSON.stringify({ id, method }) });
    }
    await waitFor(() => ids.every((id) => this.#answers.has(id)), `the workers to answer ${method}`);
    return ids.map((id) => this.#answers.get(id));
  }
}

const bytesOf = (usage) => usage.usedSize + (usage.backingStorageSize ?? 0) + (usage.embedderHeapUsedSize ?? 0);

/** Bytes that are alive after a collection, of the page and of its workers: script, buffers, document. */
export async function heapMeter(context, page) {
  const session = await context.newCDPSession(page);
  const workers = await Workers.of(session);
  return async () => {
    await session.send("HeapProfiler.collectGarbage");
    await workers.call("HeapProfiler.collectGarbage");
    const own = bytesOf(await session.send("Runtime.getHeapUsage"));
    const theirs = (await workers.call("Runtime.getHeapUsage")).map(bytesOf);
    return { page: own, workers: theirs.reduce((sum, n) => sum + n, 0), count: theirs.length };
  };
}

export const nodeCount = (page) => page.evaluate(() => document.querySelectorAll("*").length);

/** Frames from now on; the function that ends the watch and says how long the longest took. */
export async function watchFrames(page) {
  await page.evaluate(() => {
    const watch = { frames: [], longTasks: [], on: true };
    window.__frames = watch;
    let last = performance.now();
    const frame = (now) => {
      watch.frames.push(now - last);
      last = now;
      if (watch.on) requestAnimationFrame(frame);
    };
    requestAnimationFrame((now) => {
      last = now;
      requestAnimationFrame(frame);
    });
    watch.observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) watch.longTasks.push(entry.duration);
    });
    watch.observer.observe({ entryTypes: ["longtask"] });
  });
  return () =>
    page.evaluate(() => {
      const { frames, longTasks, observer } = window.__frames;
      window.__frames.on = false;
      observer.disconnect();
      const sorted = [...frames].sort((a, b) => a - b);
      return { count: frames.length, longest: sorted.at(-1) ?? NaN, p99: sorted[Math.floor(sorted.length * 0.99)] ?? NaN,
        longTask: Math.max(0, ...longTasks) };
    });
}

/** The longest frame of a page at rest: more than a few times 17 ms, and the machine has other things to do. */
export async function restingFrame(page, duration = 1500) {
  const end = await watchFrames(page);
  await page.waitForTimeout(duration);
  return (await end()).longest;
}

/** Runs `during` and says how many ms of processor time the longest task of the page's main thread took: whatever else runs. */
export async function longestTask(browser, page, during) {
  await browser.startTracing(page, { categories: ["toplevel"] });
  await during();
  const { traceEvents: events } = JSON.parse((await browser.stopTracing()).toString());
  const mains = new Set(events.filter((event) => event.name === "thread_name" && event.args.name === "CrRendererMain").map(({ pid, tid }) => `${pid}/${tid}`));
  const tasks = events.filter((event) => /RunTask/.test(event.name) && event.tdur && mains.has(`${event.pid}/${event.tid}`));
  return Math.max(...tasks.map((task) => task.tdur / 1000));
}

/** ms from a change of the address to the frame in which the line is seen. */
export const jump = (page, seq) =>
  page.evaluate(async (wanted) => {
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    const begin = performance.now();
    location.hash = `#L${wanted}`;
    while (performance.now() - begin < 10_000) {
      await frame();
      const box = document.querySelector('[data-testid="log"]').getBoundingClientRect();
      const line = document.querySelector(`[data-testid="log-line"][data-seq="${wanted}"]`)?.getBoundingClientRect();
      if (line && line.bottom > box.top && line.top < box.bottom) return performance.now() - begin;
    }
    return Infinity;
  }, seq);

/** Adds figures to figures.json, which bench/viewer.py reads: lowest is best, `bar` may not be exceeded. */
export function keepFigure(name, values, unit, bar) {
  mkdirSync(resultsDir, { recursive: true });
  const path = join(resultsDir, "figures.json");
  let figures = [];
  try {
    figures = JSON.parse(readFileSync(path, "utf8"));
  } catch {
    // The first one.
  }
  figures = [...figures.filter((figure) => figure.name !== name), { name, values, unit, bar }];
  writeFileSync(path, `${JSON.stringify(figures, null, 1)}\n`);
  console.log(`${name}: ${values.map((value) => value.toFixed(1)).join(", ")} ${unit}${bar === undefined ? "" : ` (at most ${bar})`}`);
}

/** The best of up to `attempts`: other work on the machine can only make a time longer. All of them with TAILGATE_WEB_ATTEMPTS. */
export async function bestOf(bar, measure, attempts = 3) {
  const all = Number(process.env.TAILGATE_WEB_ATTEMPTS ?? 0);
  const values = [];
  for (let i = 0; i < (all || attempts); i += 1) {
    values.push(await measure(i));
    if (!all && values.at(-1) < bar) break;
  }
  return values;
}
