/** Several executions at once: side by side, or their lines in one, by time. */
import { useEffect, useState } from "preact/hooks";
import { ApiError, get } from "../api/client";
import { setQuery } from "../app/router";
import type { PageProps } from "../app/routes";
import { LogClient } from "../log/client";
import type { Status } from "../log/model";
import { LogView } from "../log/view/log-view";
import { MergedSource } from "../log/view/merged-source";
import { Duration, ErrorBox, isEnded, Spinner, StatusBadge, useLoad } from "../ui";
import { credentials } from "./execution/credentials";
import { exitText, withStatus, type Execution } from "./execution/model";
import "./execution/many.css";

interface Known {
  id: string;
  label: string;
  execution: Execution | null;
  error: string;
}

type View = "side" | "merged";

async function load(id: string, signal: AbortSignal): Promise<Known> {
  try {
    const execution = await get<Execution>(`/executions/${id}`, { signal });
    return { id, label: execution.command.trim().split("\n")[0] ?? id, execution, error: "" };
  } catch (error) {
    if (signal.aborted || !(error instanceof ApiError) || error.status === 0) throw error;
    const why = error.status === 404 ? "There is no such execution." : error.status === 403 ? "You may not see this execution." : error.message;
    return { id, label: id.slice(0, 8), execution: null, error: why };
  }
}

/** Equal commands are told apart by the beginning of their IDs. */
function withLabels(all: readonly Known[]): Known[] {
  return all.map((one) => {
    const twin = all.some((other) => other.id !== one.id && other.label === one.label);
    return { ...one, label: twin ? `${one.id.slice(0, 6)} ${one.label}` : one.label };
  });
}

/** When a line was printed. */
async function timeOf(id: string, seq: number): Promise<number | null> {
  const page = await get<{ events: { timestamp: number }[] }>(`/executions/${id}/logs`, { query: { after: seq - 1, limit: 1 } });
  return page.events[0]?.timestamp ?? null;
}

function Facts({ execution }: { execution: Execution }) {
  const ended = isEnded(execution.status);
  return (
    <>
      <StatusBadge status={execution.status} queued={execution.queued ?? false} unreachable={execution.reason === "unreachable"} />
      <Duration from={execution.started_at} to={ended ? (execution.completed_at ?? execution.started_at) : null} />
      {execution.exit_code === null ? null : <span>{exitText(execution)}</span>}
    </>
  );
}

function Pane({ known }: { known: Known }) {
  const [status, setStatus] = useState<Status | null>(null);
  const execution = known.execution ? withStatus(known.execution, status) : null;
  return (
    <section class="pane" aria-label={known.label}>
      <header class="pane-header">
        <a class="pane-title" href={`/executions/${known.id}`} title={known.execution?.command}>
          {known.label}
        </a>
        {execution ? <Facts execution={execution} /> : null}
      </header>
      {execution ? (
        <LogView
          label={`Log of ${known.label}`}
          makeSource={(anchor, on) => new LogClient(known.id, { anchor, credentials }, on)}
          onStatus={setStatus}
          download={known.id}
          startedAt={execution.started_at}
          ended={isEnded(execution.status)}
          keys={false}
        />
      ) : (
        <div class="page-error">
          <ErrorBox error={known.error} />
        </div>
      )}
    </section>
  );
}

function MergedPane({ all }: { all: readonly Known[] }) {
  const [status, setStatus] = useState<Record<string, Status>>({});
  const seen = all.filter((one) => one.execution !== null);
  const executions = seen.map((one) => ({ ...one, now: withStatus(one.execution as Execution, status[one.id] ?? null) }));
  const started = executions.map((one) => one.now.started_at).sort()[0];
  return (
    <section class="pane" aria-label="Merged log">
      <ul class="merged-legend">
        {executions.map((one, i) => (
          <li key={one.id} class={`label-${i % 8}`}>
            <a class="pane-title" href={`/executions/${one.id}`}>
              {one.label}
            </a>
            <Facts execution={one.now} />
          </li>
        ))}
        {all.filter((one) => one.execution === null).map((one) => (
          <li key={one.id}>{`${one.label}: ${one.error}`}</li>
        ))}
      </ul>
      <LogView
        label="Merged log"
        makeSource={(_anchor, on) =>
          new MergedSource(
            {
              children: seen,
              open: (id, events) => new LogClient(id, { anchor: "end", credentials }, events),
              timeOf,
              onStatus: (id, next) => setStatus((old) => ({ ...old, [id]: next })),
            },
            on,
          )
        }
        startedAt={started}
        ended={executions.every((one) => isEnded(one.now.status))}
      />
    </section>
  );
}

function Switch({ view }: { view: View }) {
  const names: Record<View, string> = { side: "Side by side", merged: "Merged by time" };
  return (
    <div class="many-switch" role="group" aria-label="View">
      {(["side", "merged"] as const).map((one) => (
        <button key={one} type="button" class="button" aria-pressed={view === one} data-testid={`view-${one}`} onClick={() => setQuery({ view: one })}>
          {names[one]}
        </button>
      ))}
    </div>
  );
}

function Many({ ids, view }: { ids: readonly string[]; view: View }) {
  const { data, error, reload } = useLoad((signal) => Promise.all(ids.map((id) => load(id, signal))), [ids.join()]);
  useEffect(() => { document.title = `${ids.length} executions · Tailgate`; }, [ids.length]);
  if (error && !data) return <div class="page-error"><ErrorBox error={error} onRetry={reload} /></div>;
  if (!data) return <Spinner label="Loading the executions …" />;
  const all = withLabels(data);
  const readable = all.some((one) => one.execution !== null);
  return (
    <>
      <header class="many-header">
        <h1>{`${ids.length} executions`}</h1>
        <Switch view={view} />
      </header>
      {view === "merged" && readable ? (
        <MergedPane all={all} />
      ) : (
        <div class={`panes panes-${all.length}`}>
          {all.map((known) => (
            <Pane key={known.id} known={known} />
          ))}
        </div>
      )}
    </>
  );
}

export default function ManyPage({ params, query }: PageProps) {
  const ids = [...new Set((params["ids"] ?? "").split(","))].slice(0, 8);
  return <Many key={ids.join()} ids={ids} view={query.get("view") === "merged" ? "merged" : "side"} />;
}
