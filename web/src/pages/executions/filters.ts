// The list's filters as the address holds them, and what they let through.
import { statuses, type Execution } from "../../api/executions";

export interface Filters {
  /** Empty: whatever it is. */
  status: readonly string[];
  createdBy: string;
  /** In the command, the ID or the image; upper and lower case are the same. */
  text: string;
  since: Since;
}

export const sinces = ["", "1h", "24h", "7d", "30d"] as const;
export type Since = (typeof sinces)[number];

const SINCE_MS: Record<Exclude<Since, "">, number> = { "1h": 3_600_000, "24h": 86_400_000, "7d": 604_800_000, "30d": 2_592_000_000 };

export function readFilters(query: URLSearchParams): Filters {
  const wanted = (query.get("status") ?? "").toUpperCase().split(",");
  return {
    status: statuses.filter((status) => wanted.includes(status)),
    createdBy: query.get("created_by") ?? "",
    text: query.get("q") ?? "",
    since: sinces.find((since) => since === query.get("since")) ?? "",
  };
}

/** Parameters of the query; null: not there. */
export function writeFilters(filters: Filters): Record<string, string | null> {
  return {
    status: filters.status.join(",") || null,
    created_by: filters.createdBy || null,
    q: filters.text || null,
    since: filters.since || null,
  };
}

export const isFiltered = (filters: Filters): boolean =>
  filters.status.length > 0 || filters.createdBy !== "" || filters.text !== "" || filters.since !== "";

/** When the time that `since` means began, in ms; null: all times. */
export const sinceTime = (filters: Filters, now: number): number | null => (filters.since === "" ? null : now - SINCE_MS[filters.since]);

/** Runvoy's routes call what is queued STARTING; who asks for it finds it under PENDING too. */
const statusOf = (row: Execution): string => (row.queued ? "PENDING" : row.status);

export function filterRows(rows: readonly Execution[], filters: Filters, now: number): Execution[] {
  const text = filters.text.trim().toLowerCase();
  const from = sinceTime(filters, now);
  const fits = (row: Execution): boolean =>
    (filters.status.length === 0 || filters.status.includes(statusOf(row)) || filters.status.includes(row.status)) &&
    (filters.createdBy === "" || row.created_by === filters.createdBy) &&
    (from === null || Date.parse(row.started_at) >= from) &&
    (text === "" || row.command.toLowerCase().includes(text) || row.execution_id.includes(text) || row.image_id.toLowerCase().includes(text));
  return rows.filter(fits);
}
