// What tests of the live list make: executions and messages, each valid until a test changes it.
import type { Execution } from "../api/executions";
import type { ListMessage } from "./rows";

/** Later names began later. */
export function execution(id: string, change: Partial<Execution> = {}): Execution {
  return {
    execution_id: id,
    status: "RUNNING",
    command: `echo ${id}`,
    image_id: "host",
    started_at: `2026-05-01T00:00:00.${String(100 + (id.codePointAt(0) ?? 0)).slice(-3)}Z`,
    exit_code: null,
    last_seq: 0,
    duration_ms: 0,
    created_by: "dev@example.com",
    version: 1,
    ...change,
  };
}

export const snapshot = (executions: Execution[], rest: { begin?: boolean; more?: boolean; cursor?: string }): ListMessage => ({
  type: "executions",
  snapshot: true,
  more: false,
  executions,
  ...rest,
});

export const change = (executions: Execution[], cursor?: string): ListMessage => ({
  type: "executions",
  snapshot: false,
  executions,
  ...(cursor === undefined ? {} : { cursor }),
});
