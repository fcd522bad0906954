import type { Trace } from "../../api/resources";

function logLine(line: unknown): string {
  const message = typeof line === "object" && line !== null && "message" in line ? String(line.message) : JSON.stringify(line);
  try {
    const { time, level, msg, request_id: _, ...rest } = JSON.parse(message) as Record<string, unknown>;
    const pairs = Object.entries(rest).map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`);
    return [time, level, msg, ...pairs].map(String).join(" ");
  } catch {
    return message;
  }
}

/** Text for a person: the lines, then each resource. */
export function traceText(trace: Trace): string {
  const lines = (trace.logs ?? []).map(logLine);
  const resources = Object.entries(trace.related_resources).flatMap(([kind, list]) =>
    (list ?? []).map((one) => `${kind}: ${JSON.stringify(one, null, 2)}`),
  );
  if (lines.length + resources.length === 0) return "Nothing is known of this request any more.";
  return [...lines, ...(resources.length > 0 ? ["", ...resources] : [])].join("\n");
}
