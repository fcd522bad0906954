/** What the page of an execution knows of it: the resource, and each later change of its state. */
import type { Status } from "../../log/model";
import { isEnded } from "../../ui";

export interface Execution {
  execution_id: string;
  status: string;
  command: string;
  image_id?: string;
  created_by?: string;
  started_at: string;
  completed_at?: string;
  exit_code: number | null;
  signal?: number;
  reason?: string;
  last_seq: number;
  version: number;
  queued?: boolean;
}

const ORDER = ["PENDING", "STARTING", "RUNNING", "TERMINATING"];

/** How far a state is on the way to the end. */
const progress = (status: string): number => (ORDER.includes(status) ? ORDER.indexOf(status) : ORDER.length);

/** A state that came later replaces the older one, never the other way round. */
export function withStatus(execution: Execution, status: Status | null): Execution {
  if (!status) return execution;
  if (status.version <= 0) {
    // What a subscription says of the state has no version, but a state never goes back.
    return progress(status.status) > progress(execution.status) ? { ...execution, status: status.status } : execution;
  }
  if (status.version < execution.version) return execution;
  const next: Execution = { ...execution, status: status.status, exit_code: status.exitCode, version: status.version };
  if (status.startedAt) next.started_at = status.startedAt;
  if (status.completedAt) next.completed_at = status.completedAt;
  if (status.reason) next.reason = status.reason;
  if (isEnded(status.status)) delete next.queued;
  return next;
}

const REASONS: Record<string, string> = {
  timeout: "its time was up",
  stopped: "somebody stopped it",
  start_failed: "it could not be started",
  git_clone_failed: "its repository could not be cloned",
  spool_full: "its log outgrew its bound",
  disk_full: "the disk was full",
  runner_lost: "its runner was lost",
  host_lost: "its host went down",
  spool_corrupt: "its log was damaged on disk",
  spool_unreadable: "its log could not be read",
  log_store_failed: "its log could not be stored",
  environment_lost: "the key of its variables is gone",
  gateway_lost: "its server is gone",
};

/** A reason in words; unknown ones as they are. */
export function reasonText(reason: string | null | undefined): string {
  if (!reason) return "";
  return REASONS[reason] ?? reason.replaceAll("_", " ");
}

/** "exit code 0", "exit code 137 (signal 9)". */
export function exitText(execution: Pick<Execution, "exit_code" | "signal">): string {
  if (execution.exit_code === null) return "";
  return `exit code ${execution.exit_code}${execution.signal ? ` (signal ${execution.signal})` : ""}`;
}

const SIGNS: Record<string, string> = { SUCCEEDED: "✓", FAILED: "✗", STOPPED: "■" };

/** For the browser's tab. */
export function pageTitle(execution: Pick<Execution, "status" | "command">): string {
  const first = execution.command.trim().split("\n")[0] ?? "";
  const short = first.length > 60 ? `${first.slice(0, 59)}…` : first;
  return `${SIGNS[execution.status] ?? "●"} ${short || "execution"} · Tailgate`;
}
