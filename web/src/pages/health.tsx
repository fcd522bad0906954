import { useState } from "preact/hooks";
import type { PageProps } from "../app/routes";
import { may } from "../api/session";
import { getHealth, reconcile, type Health, type HealthCheck, type HealthReport } from "../api/resources";
import { Button, ErrorBox, Spinner, Table, useLoad, type Column } from "../ui";
import { Report } from "./health/report";
import { PageHead } from "./shared/page-head";

const checkColumns: Column<HealthCheck>[] = [
  { title: "Needed", keep: true, cell: (check) => check.name },
  {
    title: "State",
    cell: (check) => <span class={check.status === "ok" ? "badge badge-succeeded" : "badge badge-failed"}>{check.status === "ok" ? "✓ ok" : "✕ failed"}</span>,
  },
  { title: "Details", cell: (check) => check.details || "–" },
];

function Readiness({ health }: { health: Health }) {
  const ready = health.ready ?? health.status === "ok";
  return (
    <div data-testid="health" data-ready={String(ready)}>
      <p role="status">
        <span class={ready ? "badge badge-succeeded" : "badge badge-failed"}>{ready ? "✓ ready" : "✕ not ready"}</span> Tailgate {health.version}
      </p>
      {health.checks ? <Table caption="What the server needs" columns={checkColumns} rows={health.checks} rowKey={(check) => check.name} /> : null}
    </div>
  );
}

interface Outcome {
  status: string;
  report: HealthReport;
}

function Reconcile() {
  const [busy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const [error, setError] = useState<unknown>(null);
  const ask = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      setOutcome(await reconcile());
    } catch (failure) {
      setError(failure);
    }
    setBusy(false);
  };
  return (
    <section class="section">
      <h2>Reconcile</h2>
      <p class="muted">
        Holds the database against what is there: runners, containers, run directories, images, secrets. What can be repaired is repaired, the rest is
        reported. It also happens by itself every hour unless the server says otherwise.
      </p>
      <p>
        <Button busy={busy} onClick={() => void ask()} testid="reconcile">
          {busy ? "Looking …" : "Reconcile now"}
        </Button>
      </p>
      {busy ? <Spinner label="Looking at everything …" /> : null}
      {error ? <ErrorBox error={error} onRetry={() => void ask()} /> : null}
      {outcome ? <Report {...outcome} /> : null}
    </section>
  );
}

export default function HealthPage(_props: PageProps) {
  const loaded = useLoad((signal) => getHealth({ signal }), []);
  return (
    <>
      <PageHead title="Health">
        <Button busy={loaded.loading} onClick={loaded.reload} testid="health-again">
          Check again
        </Button>
      </PageHead>
      {loaded.error ? <ErrorBox error={loaded.error} onRetry={loaded.reload} /> : null}
      {!loaded.data && !loaded.error ? <Spinner label="Checking …" /> : null}
      {loaded.data ? <Readiness health={loaded.data} /> : null}
      {may("health", "reconcile") ? <Reconcile /> : null}
    </>
  );
}
