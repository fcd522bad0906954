import { useEffect, useState } from "preact/hooks";
import { setQuery } from "../../app/router";
import type { AuditQuery } from "../../api/resources";
import { Button, Field, TextField } from "../../ui";
import { fromLocalInput, toLocalInput, writeAuditQuery } from "./query";

const texts = [
  { field: "email", label: "User", hint: "" },
  { field: "action", label: "Action", hint: "executions.create, or secrets" },
  { field: "resource", label: "Resource", hint: "execution/ID, or secret/" },
  { field: "result", label: "Result", hint: "ok" },
  { field: "request_id", label: "Request", hint: "" },
] as const;

const times = [
  { field: "since", label: "From" },
  { field: "until", label: "Until" },
] as const;

/** Enter or the button looks; the address keeps it. */
export function AuditFilters({ query }: { query: AuditQuery }) {
  const [draft, setDraft] = useState<AuditQuery>(query);
  useEffect(() => setDraft(query), [query]);
  const onSubmit = (event: Event): void => {
    event.preventDefault();
    setQuery(writeAuditQuery(draft), { push: true });
  };
  return (
    <form class="audit-filters" role="search" autocomplete="off" onSubmit={onSubmit}>
      {texts.map(({ field, label, hint }) => (
        <TextField
          key={field}
          label={label}
          value={draft[field] ?? ""}
          placeholder={hint}
          testid={`audit-${field}`}
          onValue={(value) => setDraft((old) => ({ ...old, [field]: value }))}
        />
      ))}
      {times.map(({ field, label }) => (
        <Field key={field} label={label}>
          {(control) => (
            <input
              {...control}
              type="datetime-local"
              value={toLocalInput(draft[field])}
              onInput={(event) => {
                const time = fromLocalInput(event.currentTarget.value) ?? "";
                setDraft((old) => ({ ...old, [field]: time }));
              }}
            />
          )}
        </Field>
      ))}
      <div class="audit-buttons">
        <Button type="submit" kind="primary" testid="audit-find">
          Find
        </Button>
        <Button kind="quiet" onClick={() => setQuery(writeAuditQuery({}), { push: true })}>
          Clear
        </Button>
      </div>
    </form>
  );
}
