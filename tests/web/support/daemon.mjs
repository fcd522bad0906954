// The daemon under test: one state directory and one `tailgated --dev` at a time, killed and started
// again by the tests. What tests/support/tailgate.py is to the Python tests.
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, closeSync, constants, mkdtempSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { createInterface } from "node:readline";
import { join, resolve } from "node:path";
import { waitFor } from "./wait.mjs";

const root = resolve(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "../../..");
export const binDir = resolve(root, process.env.TAILGATE_BIN_DIR ?? "build/dev/bin");
const TERMINAL = ["SUCCEEDED", "FAILED", "STOPPED"];
const START_MAX_MS = 60_000;

/** A FIFO in the daemon's directory: a command that reads it waits until open() was called. */
class Gate {
  constructor(path) {
    this.path = path;
    execFileSync("mkfifo", ["-m", "0644", path]);
  }

  /** As the first words of a shell command. */
  get wait() {
    return `: < ${this.path}`;
  }

  open() {
    this.fd ??= openSync(this.path, constants.O_RDWR | constants.O_NONBLOCK);
  }

  close() {
    if (this.fd !== undefined) closeSync(this.fd);
  }
}

export class Daemon {
  constructor(...flags) {
    this.flags = flags;
    this.dir = mkdtempSync("/tmp/tg-web-");
    chmodSync(this.dir, 0o755); // a command must find its gate there
    this.state = join(this.dir, "state");
    mkdirSync(this.state);
    this.logPath = join(this.dir, "log");
    this.gates = [];
    this.listen = "127.0.0.1:0";
  }

  /** Starts it; the port stays the same over restarts. */
  async start() {
    const log = openSync(this.logPath, "a");
    this.process = spawn(
      join(binDir, "tailgated"),
      ["--dev", "--state-dir", this.state, "--listen", this.listen, "--log-format", "json", ...this.flags],
      { stdio: ["ignore", "pipe", log], cwd: "/" },
    );
    closeSync(log);
    this.exited = new Promise((done) => this.process.once("exit", done).once("error", done));
    this.url = await this.#readUrl();
    this.listen = new URL(this.url).host;
    this.key = readFileSync(join(this.state, "admin.key"), "utf8").trim();
    return this;
  }

  async #readUrl() {
    const late = setTimeout(() => this.process.kill("SIGKILL"), START_MAX_MS);
    try {
      for await (const line of createInterface({ input: this.process.stdout })) {
        const match = /^Tailgate is ready: (http\S+)/.exec(line);
        if (match) return match[1].replace(/\/$/, "");
      }
    } finally {
      clearTimeout(late);
    }
    throw new Error(`the daemon did not start: ${this.logTail()}`);
  }

  logTail(lines = 15) {
    return readFileSync(this.logPath, "utf8").trimEnd().split("\n").slice(-lines).join("\n");
  }

  async kill9() {
    this.process.kill("SIGKILL");
    await this.exited;
  }

  async close() {
    if (this.process?.pid && this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill("SIGTERM");
      const late = setTimeout(() => this.process.kill("SIGKILL"), 20_000);
      await this.exited;
      clearTimeout(late);
    }
    for (const gate of this.gates) gate.close();
    this.#endRunners();
    this.#stopCluster();
    rmSync(this.dir, { recursive: true, force: true });
  }

  // Runs outlive the server on purpose; a test's must not outlive the test.
  #endRunners() {
    for (const run of namesIn(join(this.state, "runs"))) {
      try {
        const pid = readFileSync(join(this.state, "runs", run, "lock"), "utf8").split(/\s/)[0];
        if (readFileSync(`/proc/${pid}/comm`, "utf8").startsWith("tailgate-runner".slice(0, 15))) process.kill(Number(pid), "SIGKILL");
      } catch {
        // It has ended, or never began.
      }
    }
  }

  #stopCluster() {
    const data = join(this.state, "pg");
    if (!namesIn(data).includes("postmaster.pid")) return;
    const version = namesIn("/usr/lib/postgresql").sort((a, b) => Number(b) - Number(a))[0];
    const command = [`/usr/lib/postgresql/${version}/bin/pg_ctl`, "-D", data, "-w", "-m", "immediate", "stop"];
    if (process.getuid() === 0) command.unshift("setpriv", "--reuid", String(statSync(data).uid), "--clear-groups", "--");
    try {
      execFileSync(command[0], command.slice(1), { stdio: "ignore", cwd: "/" });
    } catch {
      // tailgated stopped it.
    }
  }

  gate() {
    const gate = new Gate(join(this.dir, `gate-${this.gates.length}`));
    this.gates.push(gate);
    return gate;
  }

  // ---- the API ----
  async request(method, path, { body, key = this.key } = {}) {
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: { ...(key ? { "X-API-Key": key } : {}), ...(body ? { "Content-Type": "application/json" } : {}) },
      body: body ? JSON.stringify(body) : undefined,
    });
    const text = await response.text();
    let json = null;
    try {
      json = JSON.parse(text);
    } catch {
      // Not every answer is JSON.
    }
    return { status: response.status, text, json };
  }

  async expect(status, method, path, options) {
    const answer = await this.request(method, path, options);
    if (answer.status !== status) throw new Error(`${method} ${path}: ${answer.status} ${answer.text.slice(0, 300)}`);
    return answer.json;
  }

  /** Starts a command; its id. */
  async run(command, fields = {}, key = this.key) {
    return (await this.expect(202, "POST", "/run", { body: { command, ...fields }, key })).execution_id;
  }

  status(id) {
    return this.expect(200, "GET", `/executions/${id}/status`);
  }

  waitStatus(id, wanted = TERMINAL, deadline = 60_000) {
    return waitFor(
      async () => {
        const status = await this.status(id);
        return wanted.includes(status.status) && status;
      },
      `${id} to be ${wanted}`,
      deadline,
    );
  }

  /** Runs a command to its end; its id. */
  async finish(command, fields = {}, key = this.key) {
    const id = await this.run(command, fields, key);
    await this.waitStatus(id);
    return id;
  }

  async text(id) {
    return (await this.request("GET", `/executions/${id}/logs.txt`)).text;
  }

  /** An invited user: the token is not used yet. */
  async invite(role, email = `${role}${++this.#users}@example.org`) {
    const { claim_token: token } = await this.expect(201, "POST", "/users/create", { body: { email, role } });
    return { email, role, token };
  }
  #users = 0;

  async user(role) {
    const user = await this.invite(role);
    const { api_key: key } = await this.expect(200, "GET", `/claim/${user.token}`, { key: null });
    return { ...user, key };
  }
}

function namesIn(path) {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
