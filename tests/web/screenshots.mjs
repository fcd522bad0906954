// Renews the pictures of the documentation: docs/screenshots/{list,live,search,phone}.png.
//   node tests/web/screenshots.mjs [DIRECTORY]
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { launch, openContext } from "./support/browser.mjs";
import { printed, quote } from "./support/commands.mjs";
import { Daemon } from "./support/daemon.mjs";
import { LogView } from "./support/log-view.mjs";
import { waitFor } from "./support/wait.mjs";

const out = resolve(process.argv[2] ?? join(new URL(".", import.meta.url).pathname, "../../docs/screenshots"));
const ESC = "\u001b";
const [green, yellow, blue, dim, bold] = [32, 33, 36, 2, 1].map((code) => (text) => `${ESC}[${code}m${text}${ESC}[0m`);

// A build as builds print: groups, colours, a progress bar, a warning on stderr, then tests, slowly.
function build() {
  const packages = ["libc6-dev", "libjansson-dev", "libpq-dev", "libuv1-dev", "libwebsockets-dev", "libzstd-dev"];
  const install = ["::group::Install packages", ...packages.map((name, i) => `Get:${i + 1} http://deb.debian.org/debian bookworm/main amd64 ${name}`),
    `Fetched 4,312 kB in 1s (3,601 kB/s)\r${dim("Setting up libwebsockets-dev (4.1.6-3) ...")}`, "::endgroup::"];
  const files = ["base/buf.c", "base/json.c", "db/pool.c", "logs/hub.c", "logs/writer.c", "gateway/stream.c", "gateway/http.c", "wire/frames.c"];
  const compile = files.map((file, i) => `${dim(`[${i + 1}/${files.length}]`)} ${blue("cc")} -O2 -c ${file}`);
  const names = ["pool opens and closes", "hub gives each reader every line", "writer commits before it publishes", "a slow reader is never skipped ahead",
    "search joins the parts of a line", "a key that is revoked ends its streams", "frames survive the fuzzer's seeds", "the ring hands over to the store"];
  const tests = Array.from({ length: 48 }, (_, i) => `${green("✓")} ${names[i % names.length]} ${dim(`(${(i * 37) % 90 + 4} ms)`)}`);
  const warning = `${yellow("warning:")} logs/hub.c:214: comparison of integers of different signs`;
  const slow = tests.map((line, i) => `echo ${quote(line)}; sleep ${i < 22 ? "0.02" : "0.7"}`).join("; ");
  return [printed(bold("$ make check"), ...install, ...compile), `echo ${quote(warning)} >&2`,
    printed('{"level":"info","event":"suite","tests":48,"parallel":2}', "see https://tailgate.example/builds/1829 for the report"), slow,
    `echo ${quote(`${green("48 passed")} in 21 s`)}`].join("; ");
}

const service = (count) =>
  `exec awk 'BEGIN { for (i = 1; i <= ${count}; i++) { s = (i % 97 == 0) ? "ERROR timeout after 30 s talking to billing" : (i % 13 == 0) ? "WARN slow query 812 ms" : "INFO request served in " (i * 7) % 90 " ms"; printf "2026-03-14T09:%02d:%02dZ %s id=%06d\\n", (i / 60) % 60, i % 60, s, i } }'`;

/** Programs of the names that people know, which print what the pictures show. */
function stage(daemon) {
  const bin = join(daemon.dir, "bin");
  mkdirSync(bin);
  const program = (name, script) => writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  program("make", `[ "$1" = check ] || { sleep 0.4; exit 2; }\n${build()}`);
  program("npm", "sleep 0.8");
  program("terraform", "sleep 0.3");
  program("pytest", "sleep 0.6; exit 1");
  program("migrate", "sleep 0.2");
  program("backup", "sleep 0.5");
  program("watch-queue", "exec sleep 3600");
  program("fuzz", "exec sleep 3600");
  program("journal", service(40_000));
  return { PATH: `${bin}:/usr/bin:/bin` };
}

async function populate(daemon) {
  const env = stage(daemon);
  const people = {};
  for (const [name, role] of [["ada", "developer"], ["grace", "operator"], ["build-bot", "developer"]]) {
    const { token } = await daemon.invite(role, `${name}@example.org`);
    people[name] = (await daemon.expect(200, "GET", `/claim/${token}`, { key: null })).api_key;
  }
  const run = (who, command) => daemon.run(command, { env }, people[who]);
  const ended = [
    ["ada", "migrate --database orders up"], ["build-bot", "npm test"], ["grace", "terraform plan -out plan.bin"],
    ["build-bot", "make -j2 release"], ["ada", "pytest tests/billing -q"], ["grace", "backup --verify /srv/orders"],
  ];
  for (const [who, command] of ended) await daemon.waitStatus(await run(who, command));
  const search = await run("grace", "journal --unit orders-api --since today");
  await daemon.waitStatus(search);
  const stopped = await run("ada", "watch-queue orders");
  await daemon.waitStatus(stopped, ["RUNNING"]);
  await daemon.expect(200, "DELETE", `/executions/${stopped}`);
  await daemon.waitStatus(stopped);
  await run("build-bot", "fuzz --all --minutes 60");
  return { search, live: await run("build-bot", "make check") };
}

async function picture(browser, daemon, name, options, path, ready) {
  const { context } = await openContext(browser, daemon, options);
  const page = await context.newPage();
  await page.goto(path);
  await ready(new LogView(page), page);
  await page.screenshot({ path: join(out, `${name}.png`) });
  await context.close();
}

const daemon = await new Daemon().start();
const browser = await launch();
try {
  mkdirSync(out, { recursive: true });
  const { search, live } = await populate(daemon);
  const desktop = { viewport: { width: 1280, height: 800 } };
  const phone = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true, theme: "dark" };
  const middle = async (log) => {
    await log.waitState("live");
    await waitFor(async () => (await log.lines()).some((line) => line.text?.includes("✓ a key that is revoked")), "some tests to have passed");
  };
  await picture(browser, daemon, "live", { ...desktop, theme: "dark" }, `/executions/${live}`, middle);
  await picture(browser, daemon, "phone", phone, `/executions/${live}`, middle);
  await picture(browser, daemon, "list", desktop, "/executions", (_, page) => page.getByTestId("execution-row").nth(8).waitFor());
  await picture(browser, daemon, "search", desktop, `/executions/${search}?q=ERROR#L19982`, async (log, page) => {
    await log.waitVisible(19_982);
    await page.waitForFunction(() => /412/.test(document.querySelector('[data-testid="search-count"]')?.textContent ?? ""));
  });
  await daemon.request("DELETE", `/executions/${live}`);
} finally {
  await browser.close();
  await daemon.close();
}
