/** The first true value of condition(); an Error naming `what` when the deadline passes. */
export async function waitFor(condition, what, deadline = 20_000, pause = 20) {
  const end = Date.now() + deadline;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`timed out waiting for ${typeof what === "function" ? what() : what}`);
    await new Promise((done) => setTimeout(done, pause));
  }
}
