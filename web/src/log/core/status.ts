/** The state of an execution as messages tell it; what one does not say is null. */
import type { Status } from "../model";
import { asNumber, asText, type Json } from "./api";

export function statusOf(message: Json): Status {
  return {
    status: asText(message["status"]) ?? "",
    exitCode: asNumber(message["exit_code"]) ?? null,
    reason: asText(message["reason"]) ?? null,
    startedAt: asText(message["started_at"]) ?? null,
    completedAt: asText(message["completed_at"]) ?? null,
    version: asNumber(message["version"]) ?? 0,
  };
}
