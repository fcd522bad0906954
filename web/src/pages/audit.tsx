import { useMemo, useState } from "preact/hooks";
import type { PageProps } from "../app/routes";
import { may } from "../api/session";
import type { AuditEntry } from "../api/resources";
import { Button, Empty, ErrorBox, Spinner, Table, type Column } from "../ui";
import { AuditFilters } from "./audit/filters";
import { useAudit } from "./audit/pages";
import { readAuditQuery, resourceLink } from "./audit/query";
import { TraceDialog } from "./audit/trace";
import { PageHead } from "./shared/page-head";

function Resource({ entry }: { entry: AuditEntry }) {
  const link = resourceLink(entry.resource);
  return <span class="mono audit-resource">{link ? <a href={link}>{entry.resource}</a> : entry.resource || "–"}</span>;
}

function Result({ result }: { result: string }) {
  const ok = result === "ok";
  return <span class={ok ? "badge badge-succeeded" : "badge badge-failed"}>{ok ? "✓ ok" : `✕ ${result}`}</span>;
}

function columnsFor(onTrace: (requestId: string) => void): Column<AuditEntry>[] {
  const traced = may("traces", "read") !== null;
  return [
    {
      title: "Time",
      cell: (entry) => (
        <time dateTime={entry.at} title={entry.at}>
          {new Date(entry.at).toLocaleString()}
        </time>
      ),
    },
    { title: "User", cell: (entry) => entry.email || "–" },
    { title: "Action", keep: true, cell: (entry) => `${entry.action}${entry.count > 1 ? ` × ${entry.count}` : ""}` },
    { title: "Resource", cell: (entry) => <Resource entry={entry} /> },
    { title: "Result", cell: (entry) => <Result result={entry.result} /> },
    { title: "From", cell: (entry) => entry.address || "–" },
    {
      title: "Request",
      cell: ({ request_id: id }) =>
        id && traced ? (
          <div class="row-actions row-actions-start">
            <Button kind="quiet" label={`Trace of request ${id}`} title={id} testid="audit-trace" onClick={() => onTrace(id)}>
              Trace
            </Button>
          </div>
        ) : (
          <span class="mono">{id?.slice(0, 8) ?? "–"}</span>
        ),
    },
  ];
}

export default function AuditPage({ query }: PageProps) {
  const filters = useMemo(() => readAuditQuery(query), [query]);
  const audit = useAudit(filters);
  const [trace, setTrace] = useState<string | null>(null);
  const { entries } = audit;
  return (
    <>
      <PageHead title="Audit" />
      <AuditFilters query={filters} />
      {audit.error ? <ErrorBox error={audit.error} /> : null}
      {!entries && !audit.error ? <Spinner /> : null}
      {entries?.length === 0 ? <Empty title="No entries">What people do, and what they are refused, appears here.</Empty> : null}
      {entries && entries.length > 0 ? (
        <Table caption="Audit entries, newest first" columns={columnsFor(setTrace)} rows={entries} rowKey={(entry) => String(entry.audit_id)} testid="audit" />
      ) : null}
      {entries && audit.hasMore ? (
        <div class="list-foot">
          <Button busy={audit.busy} onClick={audit.more} testid="older">
            {audit.busy ? "Loading …" : "Load older ones"}
          </Button>
        </div>
      ) : null}
      {trace ? <TraceDialog requestId={trace} onClose={() => setTrace(null)} /> : null}
    </>
  );
}
