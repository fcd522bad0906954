// Debian's own Chromium, and what every test holds every page to: no error, no violation of the
// Content-Security-Policy, no dialog, no window, nothing asked of any other origin.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];

export const resultsDir = process.env.TAILGATE_WEB_RESULTS ?? "/tmp/tailgate-web-results";

/** Playwright gives each launch a user-data-dir of its own and removes it. */
export function launch() {
  return chromium.launch({ executablePath: process.env.TAILGATE_CHROMIUM ?? "/usr/bin/chromium", headless: true, args: FLAGS });
}

export class Guard {
  constructor(origin) {
    this.origin = origin;
    this.found = [];
    this.allowed = [];
    this.requests = [];
  }

  /** Console messages that this test brings about on purpose. */
  allow(...patterns) {
    this.allowed.push(...patterns);
  }

  note(what, text) {
    this.found.push(`${what}: ${text}`);
  }

  /** Requests so far to the API whose path and query match; their URLs. */
  asked(pattern) {
    return this.requests.filter((request) => pattern.test(request.url)).map((request) => request.url);
  }

  watch(page) {
    page.on("console", (message) => {
      if (message.type() === "error") this.note("console", `${message.text()} (${message.location().url})`);
    });
    page.on("pageerror", (error) => this.note("page error", error.stack ?? String(error)));
    page.on("crash", () => this.note("crash", page.url()));
    page.on("dialog", (dialog) => {
      this.note("dialog", dialog.message());
      void dialog.dismiss();
    });
    page.on("popup", (popup) => this.note("window", popup.url()));
    page.on("websocket", (socket) => {
      this.#origin(socket.url().replace(/^ws/, "http"));
      this.requests.push({ url: socket.url(), method: "WS", socket });
    });
  }

  request(request) {
    this.requests.push({ url: request.url(), method: request.method() });
    this.#origin(request.url());
  }

  #origin(url) {
    if (!/^(data|blob|about):/.test(url) && new URL(url).origin !== this.origin) this.note("foreign request", url);
  }

  check() {
    const bad = this.found.filter((entry) => !this.allowed.some((pattern) => pattern.test(entry)));
    if (bad.length) throw new Error(`the page did what no page may:\n${bad.slice(0, 10).join("\n")}`);
  }
}

/** A context of its own for one test, signed in with the key. */
export async function openContext(browser, daemon, { key = daemon.key, theme, ...options } = {}) {
  const localStorage = [];
  if (key) localStorage.push({ name: "tailgate.key", value: key });
  const context = await browser.newContext({
    baseURL: daemon.url,
    viewport: { width: 1200, height: 800 },
    locale: "en-GB",
    timezoneId: "Europe/Berlin",
    colorScheme: theme ?? "light",
    permissions: ["clipboard-read", "clipboard-write"],
    storageState: { cookies: [], origins: [{ origin: daemon.url, localStorage }] },
    ...options,
  });
  context.setDefaultTimeout(15_000);
  await context.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`));
  });
  const guard = new Guard(new URL(daemon.url).origin);
  context.on("page", (page) => guard.watch(page));
  context.on("request", (request) => guard.request(request));
  return { context, guard };
}

/** What the page looked like when a test failed. */
export async function keepScreenshot(page, name) {
  mkdirSync(resultsDir, { recursive: true });
  const path = join(resultsDir, `${name.replace(/[^a-z0-9]+/gi, "-").slice(0, 80)}.png`);
  await page.screenshot({ path, timeout: 5000 }).catch(() => undefined);
  return path;
}
