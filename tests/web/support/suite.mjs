// suite(): one daemon and one browser for a file's tests; scenario(): a test in a context of its own.
import { after, before, test } from "node:test";
import { keepScreenshot, launch, openContext } from "./browser.mjs";
import { Daemon } from "./daemon.mjs";
import { LogView } from "./log-view.mjs";

/** Shared by the file: filled before its first test; prepare(shared) adds what all of them need. */
export function suite({ flags = [], prepare } = {}) {
  const shared = { daemon: new Daemon(...flags), browser: null };
  before(async () => {
    [shared.browser] = await Promise.all([launch(), shared.daemon.start()]);
    await prepare?.(shared);
  });
  after(async () => {
    await shared.browser?.close();
    await shared.daemon.close();
  });
  return shared;
}

/**
 * options: `role` (a new user of it; default: the admin of --dev), `signedOut`, `timeout`, and a context's own
 * (viewport, theme, reducedMotion, …). The body gets { page, context, guard, daemon, user, log, go }.
 */
export function scenario(shared, name, options, body) {
  const { role, signedOut, timeout = 60_000, ...contextOptions } = options;
  test(name, { timeout }, async (t) => {
    const { daemon, browser } = shared;
    const user = role ? await daemon.user(role) : { key: daemon.key, email: null, role: "admin" };
    const { context, guard } = await openContext(browser, daemon, { key: signedOut ? null : user.key, ...contextOptions });
    const page = await context.newPage();
    try {
      await body({ page, context, guard, daemon, user, log: new LogView(page), id: (testid) => page.getByTestId(testid) });
      guard.check();
    } catch (error) {
      t.diagnostic(`the page: ${page.url()}, ${await keepScreenshot(page, name)}; it told: ${guard.found.join(" · ") || "nothing"}`);
      throw error;
    } finally {
      await context.close();
    }
  });
}
