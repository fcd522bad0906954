import { useEffect, useRef, useState } from "preact/hooks";
import { setQuery } from "../../app/router";
import { may, session } from "../../api/session";
import { statuses } from "../../api/executions";
import { Button, Select } from "../../ui";
import { isFiltered, sinces, writeFilters, type Filters, type Since } from "./filters";

const change = (filters: Filters, part: Partial<Filters>): void => setQuery(writeFilters({ ...filters, ...part }));

const sinceLabels: Record<Since, string> = { "": "any time", "1h": "last hour", "24h": "last 24 hours", "7d": "last 7 days", "30d": "last 30 days" };

/** Browsers refuse too many changes of the address at once: it follows the typing a little later. */
const TYPING_MS = 200;

function TextFilter({ filters }: { filters: Filters }) {
  const [text, setText] = useState(filters.text);
  const written = useRef(filters.text);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (filters.text === written.current) return;
    written.current = filters.text;
    setText(filters.text);
  }, [filters.text]);
  useEffect(() => {
    if (text === written.current) return undefined;
    const timer = setTimeout(() => {
      written.current = text;
      change(filters, { text });
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [text, filters]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const target = event.target as HTMLElement | null;
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || target?.closest("input, textarea, select, dialog")) return;
      event.preventDefault();
      input.current?.focus();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  return (
    <input
      ref={input}
      type="search"
      class="filter-text"
      aria-label="Command, ID or image contains"
      placeholder="Command, ID or image ( / )"
      data-testid="filter-text"
      value={text}
      onInput={(event) => setText(event.currentTarget.value)}
    />
  );
}

function StatusFilter({ filters }: { filters: Filters }) {
  const toggle = (status: string): void => {
    const has = filters.status.includes(status);
    change(filters, { status: statuses.filter((one) => (one === status ? !has : filters.status.includes(one))) });
  };
  return (
    <div class="filter-status" role="group" aria-label="Status" data-testid="filter-status">
      {statuses.map((status) => (
        <button
          key={status}
          type="button"
          class="chip"
          data-status={status}
          aria-pressed={filters.status.includes(status)}
          onClick={() => toggle(status)}
        >
          {status === "PENDING" ? "queued" : status.toLowerCase()}
        </button>
      ))}
    </div>
  );
}

function OwnerFilter({ filters, owners }: { filters: Filters; owners: readonly string[] }) {
  const mine = session.value?.email ?? "";
  const others = [...new Set([...owners, filters.createdBy])].filter((owner) => owner !== "" && owner !== mine).sort();
  const options = [{ value: "", label: "anyone" }, { value: mine, label: "me" }, ...others.map((owner) => ({ value: owner, label: owner }))];
  return <Select label="Owner" value={filters.createdBy} options={options} onValue={(createdBy) => change(filters, { createdBy })} testid="filter-owner" />;
}

export function FilterBar({ filters, owners }: { filters: Filters; owners: readonly string[] }) {
  return (
    <div class="toolbar filter-bar" role="search">
      <TextFilter filters={filters} />
      <StatusFilter filters={filters} />
      {may("executions", "list") === "all" ? <OwnerFilter filters={filters} owners={owners} /> : null}
      <Select
        label="Started"
        value={filters.since}
        options={sinces.map((value) => ({ value, label: sinceLabels[value] }))}
        onValue={(since) => change(filters, { since })}
        testid="filter-since"
      />
      {isFiltered(filters) ? (
        <Button kind="quiet" onClick={() => change(filters, { status: [], createdBy: "", text: "", since: "" })} testid="filter-clear">
          Clear
        </Button>
      ) : null}
    </div>
  );
}
