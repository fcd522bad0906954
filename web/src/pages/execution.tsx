/** One execution: what it is, how it stands, and its log. */
import { useEffect, useState } from "preact/hooks";
import { ApiError, get } from "../api/client";
import { navigate, setHash } from "../app/router";
import type { PageProps } from "../app/routes";
import { LogClient } from "../log/client";
import type { Status } from "../log/model";
import { LogView } from "../log/view/log-view";
import { urlOfQuery, type Query } from "../log/view/matcher";
import { formatPermalink } from "../log/view/permalink";
import { ErrorBox, isEnded, Spinner, useLoad } from "../ui";
import { credentials } from "./execution/credentials";
import { ExecutionHeader } from "./execution/header";
import { pageTitle, withStatus, type Execution } from "./execution/model";
import "./execution/execution.css";

function remember(query: Query): void {
  const search = urlOfQuery(location.search, query);
  if (search !== location.search) navigate(location.pathname + search + location.hash, { replace: true });
}

function errorOf(error: unknown): unknown {
  if (!(error instanceof ApiError)) return error;
  if (error.status === 404) return "There is no such execution. It may have been removed by retention.";
  if (error.status === 403) return "You may not see this execution.";
  return error;
}

function useExecution(id: string) {
  const { data, error, reload } = useLoad<Execution>((signal) => get<Execution>(`/executions/${id}`, { signal }), [id]);
  const [status, setStatus] = useState<Status | null>(null);
  const execution = data ? withStatus(data, status) : null;
  // The last row says more than the message of the change: the signal, the exact end.
  useEffect(() => { if (status && isEnded(status.status)) reload(); }, [status?.status]);
  useEffect(() => { if (execution) document.title = pageTitle(execution); }, [execution?.status, execution?.command]);
  return { execution, error, reload, setStatus };
}

function OneExecution({ id, hash, search }: { id: string; hash: string; search: string }) {
  const { execution, error, reload, setStatus } = useExecution(id);
  if (!execution && error) return <div class="page-error"><ErrorBox error={errorOf(error)} onRetry={reload} /></div>;
  if (!execution) return <Spinner label="Loading the execution …" />;
  return (
    <>
      <ExecutionHeader execution={execution} />
      <LogView
        label="Log"
        makeSource={(anchor, on) => new LogClient(id, { anchor, credentials }, on)}
        hash={hash}
        search={search}
        onRange={(range) => setHash(range ? formatPermalink(range) : "")}
        onQuery={remember}
        onStatus={setStatus}
        download={id}
        startedAt={execution.started_at}
        ended={isEnded(execution.status)}
      />
    </>
  );
}

export default function ExecutionPage({ params, hash }: PageProps) {
  const id = params["id"] ?? "";
  return <OneExecution key={id} id={id} hash={hash} search={location.search} />;
}
