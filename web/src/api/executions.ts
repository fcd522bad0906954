// Executions as the API tells them, and what can be done with them.
import { del, get, getPage, request, type Answer, type RequestOptions } from "./client";

export interface Execution {
  execution_id: string;
  status: string;
  /** STARTING that still waits for a place. */
  queued?: boolean;
  command: string;
  image_id: string;
  started_at: string;
  completed_at?: string;
  exit_code: number | null;
  signal?: number;
  /** Of one that lives: "unreachable", its gateway is gone for the moment. */
  reason?: string;
  last_seq: number;
  duration_ms: number;
  created_by: string;
  version: number;
}

export interface RunRequest {
  command: string;
  image?: string;
  env?: Record<string, string>;
  secrets?: string[];
  git_repo?: string;
  git_ref?: string;
  git_path?: string;
  timeout?: number;
  grace?: number;
  tty?: boolean;
}

export interface ListQuery {
  status?: readonly string[];
  created_by?: string | undefined;
  since?: string | undefined;
  until?: string | undefined;
  limit: number;
}

export const statuses = ["PENDING", "STARTING", "RUNNING", "TERMINATING", "SUCCEEDED", "FAILED", "STOPPED"] as const;

export const getExecution = (id: string, options?: RequestOptions): Promise<Execution> => get<Execution>(`/executions/${id}`, options);

export const listExecutions = (query: ListQuery, options?: RequestOptions): Promise<Answer<Execution[]>> =>
  getPage<Execution[]>("/executions", { ...options, query: { ...query, status: query.status?.join(",") } });

/** The page behind `next` of an answer. */
export const nextExecutions = (next: string, options?: RequestOptions): Promise<Answer<Execution[]>> => getPage<Execution[]>(next, options);

/** Asks for its end; false: it had ended already. */
export async function killExecution(id: string): Promise<boolean> {
  return (await del<{ message: string } | null>(`/executions/${id}`)) !== null;
}

/** The same request with the same key is the same execution, however often it is sent. */
export async function startExecution(run: RunRequest, idempotencyKey: string): Promise<string> {
  const answer = await request<{ execution_id: string }>("POST", "/executions", run, { headers: { "Idempotency-Key": idempotencyKey } });
  return answer.body.execution_id;
}
