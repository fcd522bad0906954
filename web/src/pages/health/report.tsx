import type { HealthIssue, HealthReport } from "../../api/resources";
import { RelativeTime, Table, type Column } from "../../ui";
import { partRows } from "./part";

const severities = { error: "✕ error", warning: "! warning" } as const;

const issueColumns: Column<HealthIssue>[] = [
  { title: "What", keep: true, cell: (issue) => `${issue.resource_type.replaceAll("_", " ")} ${issue.resource_id}` },
  {
    title: "How bad",
    cell: (issue) => <span class={issue.severity === "error" ? "badge badge-failed" : "badge badge-waiting"}>{severities[issue.severity]}</span>,
  },
  { title: "Why", cell: (issue) => issue.message },
  { title: "What was or can be done", cell: (issue) => issue.action },
];

function Part({ title, part }: { title: string; part: Record<string, unknown> }) {
  return (
    <section class="report-part">
      <h3>{title}</h3>
      <dl>
        {partRows(part).map((row) =>
          row.names.length > 0 ? (
            <>
              <dt class="report-names">{row.label}</dt>
              <dd class="report-names mono">{row.names.join(", ")}</dd>
            </>
          ) : (
            <>
              <dt>{row.label}</dt>
              <dd>{row.text}</dd>
            </>
          ),
        )}
      </dl>
    </section>
  );
}

const signs: Record<string, string> = { healthy: "✓", degraded: "!", unhealthy: "✕" };
const badges: Record<string, string> = { healthy: "badge-succeeded", degraded: "badge-waiting", unhealthy: "badge-failed" };

export function Report({ status, report }: { status: string; report: HealthReport }) {
  return (
    <div data-testid="health-report" data-status={status}>
      <p role="status">
        <span class={`badge ${badges[status] ?? ""}`}>
          <span aria-hidden="true">{signs[status] ?? "?"}</span> {status}
        </span>{" "}
        {report.reconciled_count} repaired, {report.error_count} errors, <RelativeTime time={report.timestamp} />
      </p>
      {report.issues.length > 0 ? (
        <Table
          caption="What was found"
          columns={issueColumns}
          rows={report.issues}
          rowKey={(issue) => [issue.resource_type, issue.resource_id, issue.message].join("\n")}
        />
      ) : (
        <p>Nothing is wrong.</p>
      )}
      <div class="report-parts">
        <Part title="What runs" part={report.compute_status} />
        <Part title="Secrets" part={report.secrets_status} />
        <Part title="Rights" part={report.identity_status} />
        <Part title="Owners" part={report.authorizer_status} />
      </div>
    </div>
  );
}
