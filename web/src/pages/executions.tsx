// The executions, live: filters in the address, several at once, older ones page by page.
import { useCallback, useMemo, useState } from "preact/hooks";
import { setQuery } from "../app/router";
import type { PageProps } from "../app/routes";
import { may } from "../api/session";
import type { Execution } from "../api/executions";
import { newestFirst } from "../live/rows";
import { useLiveList } from "../live/use-live-list";
import { Button, ErrorBox, Spinner } from "../ui";
import { FilterBar } from "./executions/filter-bar";
import { filterRows, isFiltered, readFilters } from "./executions/filters";
import { askToKill } from "./executions/kill";
import { ListLink } from "./executions/link-state";
import { NothingFound, NothingYet } from "./executions/nothing";
import { mergeOlder, useOlder, type Older } from "./executions/older";
import { isLive } from "./executions/row";
import { SelectionBar } from "./executions/selection-bar";
import { ExecutionTable } from "./executions/table";
import { PageHead } from "./shared/page-head";
import "../style/executions.css";

const none: readonly Execution[] = [];

const clearFilters = (): void => setQuery({ status: null, created_by: null, q: null, since: null });

/** Without a connection for updates the list can still be had, once. */
function Foot({ older, known }: { older: Older; known: boolean }) {
  const label = known ? "Load older ones" : "Load the list without updates";
  return (
    <div class="list-foot">
      {older.error ? <ErrorBox error={older.error} /> : null}
      {older.exhausted ? (
        <span class="muted">There are no older ones.</span>
      ) : (
        <Button kind={known ? "quiet" : "plain"} busy={older.busy} onClick={older.load} testid="older">
          {older.busy ? "Loading …" : label}
        </Button>
      )}
    </div>
  );
}

function useSelection() {
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const select = useCallback((id: string, on: boolean) => {
    setSelected((old) => {
      const next = new Set(old);
      if (on) next.add(id);
      else next.delete(id);
      return next;
    });
  }, []);
  return { selected, select, clear: () => setSelected(new Set()) };
}

export default function ExecutionsPage({ query }: PageProps) {
  const live = useLiveList();
  const filters = useMemo(() => readFilters(query), [query]);
  const older = useOlder(filters, live.rows?.at(-1)?.started_at);
  const all = useMemo(() => mergeOlder(live.rows ?? none, older.rows, newestFirst), [live.rows, older.rows]);
  const shown = useMemo(() => filterRows(all, filters, Date.now()), [all, filters]);
  const owners = useMemo(() => [...new Set(all.map((row) => row.created_by))], [all]);
  const { selected, select, clear } = useSelection();
  const running = useMemo(() => all.filter(isLive).length, [all]);
  const known = live.rows !== null || all.length > 0;
  const footed = known ? all.length > 0 || isFiltered(filters) : live.state.kind !== "connecting";
  return (
    <>
      <PageHead title="Executions">
        <ListLink state={live.state} onRetry={live.retry} />
        {may("executions", "create") ? (
          <a class="button button-primary" href="/run">
            Run
          </a>
        ) : null}
      </PageHead>
      <FilterBar filters={filters} owners={owners} />
      {known && all.length > 0 ? (
        <p class="list-count muted" data-testid="count">
          {isFiltered(filters) ? `${shown.length} of ${all.length}` : all.length} {all.length === 1 ? "execution" : "executions"}, {running} not ended
        </p>
      ) : null}
      <SelectionBar rows={all.filter((row) => selected.has(row.execution_id))} onClear={clear} />
      {!known && live.state.kind === "connecting" ? <Spinner /> : null}
      {known && all.length === 0 && !isFiltered(filters) ? <NothingYet /> : null}
      {known && shown.length === 0 && isFiltered(filters) ? <NothingFound onClear={clearFilters} /> : null}
      {shown.length > 0 ? (
        <ExecutionTable key={JSON.stringify(filters)} rows={shown} selected={selected} mayRun={may("executions", "create") !== null} onSelect={select} onKill={(row) => void askToKill([row])} />
      ) : null}
      {footed ? <Foot older={older} known={known} /> : null}
    </>
  );
}
