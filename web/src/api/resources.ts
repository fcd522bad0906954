// Secrets, images, users, keys, health and the audit as the API tells them.
import { del, get, getPage, post, put, type Answer, type RequestOptions } from "./client";

export interface Secret {
  name: string;
  key_name: string;
  description?: string;
  value?: string;
  created_by: string;
  created_at: string;
  updated_at: string;
  updated_by: string;
}

export interface SecretInput {
  name: string;
  key_name: string;
  description: string;
  value: string;
}

const named = (collection: string, name: string): string => `/${collection}/${encodeURIComponent(name)}`;

export const listSecrets = async (options?: RequestOptions): Promise<Secret[]> =>
  (await get<{ secrets: Secret[] | null }>("/secrets", options)).secrets ?? [];
export const getSecret = async (name: string, options?: RequestOptions): Promise<Secret> =>
  (await get<{ secret: Secret }>(named("secrets", name), options)).secret;
export const createSecret = (secret: SecretInput): Promise<unknown> => post("/secrets", secret);
export const updateSecret = (name: string, change: Partial<SecretInput>): Promise<unknown> => put(named("secrets", name), change);
export const deleteSecret = (name: string): Promise<unknown> => del(named("secrets", name));

export interface Image {
  image_id: string;
  image: string;
  is_default?: boolean;
  task_role_name?: string;
  task_execution_role_name?: string;
  cpu?: number;
  memory?: number;
  runtime_platform?: string;
  created_by?: string;
  created_at: string | null;
}

export interface ImageInput {
  image: string;
  is_default?: boolean;
  task_role_name?: string;
  task_execution_role_name?: string;
  cpu?: number;
  memory?: number;
  runtime_platform?: string;
}

export const listImages = async (options?: RequestOptions): Promise<Image[]> =>
  (await get<{ images: Image[] | null }>("/images", options)).images ?? [];
export const registerImage = (image: ImageInput): Promise<{ image_id: string }> => post("/images/register", image);
export const removeImage = (id: string): Promise<unknown> => del(named("images", id));

export interface User {
  email: string;
  role: string;
  created_at: string;
  revoked: boolean;
  last_used?: string | null;
}

export const roles = ["viewer", "developer", "operator", "admin"] as const;

export const listUsers = async (options?: RequestOptions): Promise<User[]> =>
  (await get<{ users: User[] | null }>("/users", options)).users ?? [];
/** The token with which the user claims the account, told this once. */
export const createUser = async (email: string, role: string): Promise<string> =>
  (await post<{ claim_token: string }>("/users/create", { email, role })).claim_token;
export const revokeUser = (email: string): Promise<unknown> => post("/users/revoke", { email });

export interface ApiKey {
  id: string;
  prefix: string;
  description: string;
  created_at: string;
  last_used_at?: string | null;
  revoked: boolean;
}

export const listKeys = async (options?: RequestOptions): Promise<ApiKey[]> =>
  (await get<{ api_keys: ApiKey[] | null }>("/api-keys", options)).api_keys ?? [];
/** The key itself, told this once. */
export const createKey = async (description: string): Promise<string> =>
  (await post<{ api_key: string }>("/api-keys", { description })).api_key;
export const revokeKey = (id: string): Promise<unknown> => del(named("api-keys", id));

export interface HealthCheck {
  name: string;
  status: "ok" | "failed";
  details: string;
}

export interface Health {
  status: string;
  version: string;
  ready?: boolean;
  checks?: HealthCheck[];
}

export interface HealthIssue {
  resource_type: string;
  resource_id: string;
  severity: "error" | "warning";
  message: string;
  action: string;
}

/** A reconcile's report; its parts hold counts and lists of names. */
export interface HealthReport {
  timestamp: string;
  compute_status: Record<string, unknown>;
  secrets_status: Record<string, unknown>;
  identity_status: Record<string, unknown>;
  authorizer_status: Record<string, unknown>;
  issues: HealthIssue[];
  reconciled_count: number;
  error_count: number;
}

export const getHealth = (options?: RequestOptions): Promise<Health> => get<Health>("/health", { ...options, query: { verbose: 1 } });
export const reconcile = (): Promise<{ status: string; report: HealthReport }> => post("/health/reconcile");

export interface AuditEntry {
  audit_id: number;
  at: string;
  email?: string;
  key_id?: number;
  address?: string;
  request_id?: string;
  action: string;
  resource?: string;
  result: string;
  count: number;
}

export type AuditPage = Answer<{ entries: AuditEntry[] | null }>;

export const auditFields = ["email", "action", "resource", "result", "request_id", "since", "until"] as const;
export type AuditQuery = Partial<Record<(typeof auditFields)[number], string>>;

export const listAudit = (query: AuditQuery, options?: RequestOptions): Promise<AuditPage> =>
  getPage("/audit", { ...options, query: { ...query, limit: 100 } });
export const nextAudit = (next: string, options?: RequestOptions): Promise<AuditPage> => getPage(next, options);

export interface Trace {
  logs: unknown[] | null;
  related_resources: Record<string, unknown[] | null>;
}

export const getTrace = (requestId: string, options?: RequestOptions): Promise<Trace> => get<Trace>(named("trace", requestId), options);
