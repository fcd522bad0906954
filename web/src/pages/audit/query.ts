// The audit's filters as the address holds them and as the API takes them.
import { auditFields, type AuditQuery } from "../../api/resources";

export function readAuditQuery(query: URLSearchParams): AuditQuery {
  const found: AuditQuery = {};
  for (const field of auditFields) {
    const value = query.get(field)?.trim();
    if (value) found[field] = value;
  }
  return found;
}

/** Parameters of the query; null: not there. */
export function writeAuditQuery(query: AuditQuery): Record<string, string | null> {
  return Object.fromEntries(auditFields.map((field) => [field, query[field]?.trim() || null]));
}

/** What <input type="datetime-local"> shows of an RFC 3339 time: this browser's clock. */
export function toLocalInput(time: string | undefined): string {
  const at = time ? Date.parse(time) : NaN;
  if (Number.isNaN(at)) return "";
  return new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** And back. */
export function fromLocalInput(text: string): string | undefined {
  const at = text ? new Date(text).getTime() : NaN;
  return Number.isNaN(at) ? undefined : new Date(at).toISOString();
}

/** The page that shows what an entry is about, where there is one. */
export function resourceLink(resource: string | undefined): string | null {
  const execution = /^execution\/([0-9a-f]{32})$/.exec(resource ?? "");
  return execution ? `/executions/${execution[1]}` : null;
}
