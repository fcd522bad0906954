// What ended before the live list begins: pages of GET /executions, kept until the filters change.
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../../api/client";
import { listExecutions, nextExecutions, type Execution } from "../../api/executions";
import { put } from "../../live/rows";
import { sinceTime, type Filters } from "./filters";

export const OLDER_PAGE = 200;

export interface Older {
  rows: readonly Execution[];
  busy: boolean;
  error: unknown;
  /** Nothing is older. */
  exhausted: boolean;
  load: () => void;
}

interface State {
  rows: readonly Execution[];
  next: string | null;
  exhausted: boolean;
  error: unknown;
}

const nothing: State = { rows: [], next: null, exhausted: false, error: null };

function merge(old: readonly Execution[], more: readonly Execution[]): Execution[] {
  const rows = new Map(old.map((row) => [row.execution_id, row]));
  for (const row of more) put(rows, row);
  return [...rows.values()];
}

/** `until`: when the oldest of the live list began; undefined: there is no live list. */
export function useOlder(filters: Filters, until: string | undefined): Older {
  const [state, setState] = useState<State>(nothing);
  const [busy, setBusy] = useState(false);
  const asking = useRef<AbortController | null>(null);
  const inputs = [filters.status.join(), filters.createdBy, filters.since];
  useEffect(() => {
    setState(nothing);
    return () => {
      asking.current?.abort();
      asking.current = null;
      setBusy(false);
    };
  }, inputs);
  const load = async (): Promise<void> => {
    if (asking.current) return;
    const turn = new AbortController();
    asking.current = turn;
    setBusy(true);
    try {
      const answer = await ask(filters, until, state.next, turn.signal);
      if (turn.signal.aborted) return;
      setState({ rows: merge(state.rows, answer.body), next: answer.next, exhausted: answer.next === null, error: null });
    } catch (error) {
      if (turn.signal.aborted) return;
      // A cursor too old to be known begins again; the rows are told apart by their IDs.
      const next = error instanceof ApiError && error.status === 400 ? null : state.next;
      setState({ ...state, next, error });
    }
    asking.current = null;
    setBusy(false);
  };
  return { rows: state.rows, busy, error: state.error, exhausted: state.exhausted, load: () => void load() };
}

function ask(filters: Filters, until: string | undefined, next: string | null, signal: AbortSignal) {
  if (next !== null) return nextExecutions(next, { signal });
  const from = sinceTime(filters, Date.now());
  const since = from === null ? undefined : new Date(from).toISOString();
  return listExecutions({ status: filters.status, created_by: filters.createdBy, since, until, limit: OLDER_PAGE }, { signal });
}

/** The live list's rows and older ones, newest first, each execution once: its highest version. */
export function mergeOlder(live: readonly Execution[], older: readonly Execution[], compare: (a: Execution, b: Execution) => number): readonly Execution[] {
  if (older.length === 0) return live;
  return merge(live, older).sort(compare);
}
