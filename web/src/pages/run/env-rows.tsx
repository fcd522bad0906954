import { useState } from "preact/hooks";
import { Button } from "../../ui";
import { envRow, looksLikeEnv, parseEnv, pasteInto, type EnvRow } from "./env";

export function EnvRows(props: { rows: readonly EnvRow[]; error: string | undefined; onRows: (rows: EnvRow[]) => void }) {
  const { rows, onRows } = props;
  const [note, setNote] = useState("");
  const set = (at: number, change: Partial<EnvRow>): void => onRows(rows.map((row, i) => (i === at ? { ...row, ...change } : row)));
  const onPaste = (event: ClipboardEvent, at: number): void => {
    const text = event.clipboardData?.getData("text") ?? "";
    if (!looksLikeEnv(text)) return;
    event.preventDefault();
    const { pairs, bad } = parseEnv(text);
    onRows(pasteInto(rows, at, pairs));
    setNote(`${pairs.length} taken${bad.length > 0 ? `; not understood: line ${bad.join(", ")}` : ""}`);
  };
  const wrongName = (row: EnvRow): boolean => Boolean(props.error?.includes(`“${row.name}”`) || props.error?.includes(`"${row.name}"`) || props.error?.startsWith(`${row.name} `));
  return (
    <fieldset class="field env" aria-describedby="env-hint">
      <legend>Variables</legend>
      {rows.map((row, i) => (
        <div class="env-row" key={row.id}>
          <input
            type="text"
            class="mono"
            aria-label={`Name of variable ${i + 1}`}
            aria-invalid={wrongName(row) || undefined}
            placeholder="NAME"
            value={row.name}
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            data-testid="run-env-name"
            onInput={(event) => set(i, { name: event.currentTarget.value })}
            onPaste={(event) => onPaste(event, i)}
          />
          <input
            type="text"
            class="mono"
            aria-label={`Value of ${row.name || `variable ${i + 1}`}`}
            placeholder="value"
            value={row.value}
            autocomplete="off"
            spellcheck={false}
            data-testid="run-env-value"
            onInput={(event) => set(i, { value: event.currentTarget.value })}
            onPaste={(event) => onPaste(event, i)}
          />
          <Button kind="quiet" label={`Remove ${row.name || `variable ${i + 1}`}`} onClick={() => onRows(rows.filter((other) => other.id !== row.id))}>
            ×
          </Button>
        </div>
      ))}
      <Button onClick={() => onRows([...rows, envRow()])} testid="run-env-add">
        Add a variable
      </Button>
      <div class="field-hint" id="env-hint">
        Lines of NAME=VALUE, an .env file for instance, can be pasted into a row. <span role="status">{note}</span>
      </div>
      {props.error ? (
        <div class="field-error" role="alert">
          {props.error}
        </div>
      ) : null}
    </fieldset>
  );
}
