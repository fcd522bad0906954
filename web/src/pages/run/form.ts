// What the run form holds, what is wrong with it, and the request that it makes.
import type { RunRequest } from "../../api/executions";
import { isVariableName, type EnvRow } from "./env";

export interface RunForm {
  command: string;
  /** "": the default one. */
  image: string;
  env: readonly EnvRow[];
  secrets: readonly string[];
  /** Names that were typed and are no chip yet. */
  secretsText: string;
  gitRepo: string;
  gitRef: string;
  gitPath: string;
  timeout: string;
  grace: string;
  tty: boolean;
}

export const emptyForm: RunForm = {
  command: "",
  image: "",
  env: [],
  secrets: [],
  secretsText: "",
  gitRepo: "",
  gitRef: "",
  gitPath: "",
  timeout: "",
  grace: "",
  tty: false,
};

/** The fields as the server names them in its complaints. */
export const runFields = ["command", "image", "env", "secrets", "git_repo", "git_ref", "git_path", "timeout", "grace", "tty"] as const;
/** "secret "x" not found" belongs to `secrets`. */
export const runFieldWords: Readonly<Record<string, string>> = { secret: "secrets" };

/** The server's bounds. */
const TIMEOUT_MAX_S = 31_622_400;
const GRACE_MAX_S = 86_400;

const units: Record<string, number> = { "": 1, s: 1, m: 60, min: 60, h: 3600, d: 86_400 };

/** "90", "90s", "15m", "1h30m" in seconds; null: it is no time. */
export function parseSeconds(text: string): number | null {
  const compact = text.trim().toLowerCase().replace(/\s+/g, "");
  if (!/^(\d+(s|min|m|h|d)?)+$/.test(compact)) return null;
  const parts = [...compact.matchAll(/(\d+)(s|min|m|h|d)?/g)];
  if (parts.length > 1 && parts.some((part) => part[2] === undefined)) return null;
  const total = parts.reduce((sum, part) => sum + Number(part[1]) * (units[part[2] ?? ""] ?? 1), 0);
  return Number.isSafeInteger(total) ? total : null;
}

function wrongTime(text: string, max: number): string | null {
  if (text.trim() === "") return null;
  const seconds = parseSeconds(text);
  if (seconds === null) return "A time such as 90, 90s, 15m or 1h30m";
  return seconds > max ? `At most ${max} seconds` : null;
}

function wrongEnv(rows: readonly EnvRow[]): string | null {
  const names = new Set<string>();
  for (const row of rows) {
    if (row.name === "" && row.value === "") continue;
    if (!isVariableName(row.name)) return `“${row.name}” is no name of a variable: letters, digits and _, no digit first`;
    if (names.has(row.name)) return `${row.name} is there twice`;
    if (row.value.includes("\0")) return `${row.name} has a NUL character`;
    names.add(row.name);
  }
  return null;
}

/** Messages by field; empty: it can be sent. The server has the last word. */
export function validateRun(form: RunForm): Record<string, string> {
  const hasRepo = form.gitRepo.trim() !== "";
  const found: Record<string, string | null> = {
    command: form.command.trim() === "" ? "A command is needed" : null,
    env: wrongEnv(form.env),
    git_ref: form.gitRef.trim() !== "" && !hasRepo ? "Only with a repository" : null,
    git_path: form.gitPath.trim() !== "" && !hasRepo ? "Only with a repository" : null,
    timeout: wrongTime(form.timeout, TIMEOUT_MAX_S),
    grace: wrongTime(form.grace, GRACE_MAX_S),
  };
  const wrong: Record<string, string> = {};
  for (const [field, text] of Object.entries(found)) if (text !== null) wrong[field] = text;
  return wrong;
}

/** More names, separated by commas or spaces; each once. */
export const addNames = (names: readonly string[], text: string): string[] => [
  ...new Set([...names, ...text.split(/[\s,]+/).filter((name) => name !== "")]),
];

export function toRequest(form: RunForm): RunRequest {
  const run: RunRequest = { command: form.command };
  const env = form.env.filter((row) => row.name !== "");
  if (form.image) run.image = form.image;
  if (env.length > 0) run.env = Object.fromEntries(env.map((row) => [row.name, row.value]));
  const secrets = addNames(form.secrets, form.secretsText);
  if (secrets.length > 0) run.secrets = secrets;
  if (form.gitRepo.trim()) run.git_repo = form.gitRepo.trim();
  if (form.gitRef.trim()) run.git_ref = form.gitRef.trim();
  if (form.gitPath.trim()) run.git_path = form.gitPath.trim();
  if (form.timeout.trim()) run.timeout = parseSeconds(form.timeout) ?? 0;
  if (form.grace.trim()) run.grace = parseSeconds(form.grace) ?? 0;
  if (form.tty) run.tty = true;
  return run;
}

/** Random, also where crypto.randomUUID is not there (plain http). */
export function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** One key for each submission; what is sent again unchanged, because no answer came, keeps its own. */
export class IdempotencyKeys {
  private body = "";
  private key = "";

  keyFor(run: RunRequest): string {
    const body = JSON.stringify(run);
    if (body !== this.body) {
      this.body = body;
      this.key = randomKey();
    }
    return this.key;
  }

  /** It was answered: the next one is another. */
  done(): void {
    this.body = "";
  }
}
