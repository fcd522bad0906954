import type { Secret } from "../../api/resources";
import { Field } from "../../ui";
import { addNames } from "./form";

export interface SecretNamesProps {
  names: readonly string[];
  /** Typed and not yet a chip: it counts when the form is sent. */
  text: string;
  known: readonly Secret[];
  error: string | undefined;
  onNames: (names: string[], text: string) => void;
}

/** Names as chips; those that may be listed are offered, any other name can be typed. */
export function SecretNames(props: SecretNamesProps) {
  const { names, text, known, onNames } = props;
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Backspace" && text === "" && names.length > 0) onNames(names.slice(0, -1), "");
    if ((event.key !== "Enter" && event.key !== ",") || event.ctrlKey || event.metaKey || text.trim() === "") return;
    event.preventDefault();
    onNames(addNames(names, text), "");
  };
  const offered = known.filter((secret) => !names.includes(secret.name));
  const variable = (name: string): string => known.find((secret) => secret.name === name)?.key_name ?? "";
  return (
    <Field label="Secrets" error={props.error} hint="Names; each secret's value is a variable of the command.">
      {(control) => (
        <div class="chips">
          {names.map((name) => (
            <button type="button" class="chip chip-name" key={name} aria-label={`Remove ${name}`} title="Remove" onClick={() => onNames(names.filter((other) => other !== name), text)}>
              {name} {variable(name) ? <span class="muted">{variable(name)}</span> : null} ×
            </button>
          ))}
          <input
            {...control}
            type="text"
            class="mono"
            list="secret-names"
            value={text}
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            placeholder={names.length > 0 ? "" : "name, name …"}
            data-testid="run-secrets"
            onInput={(event) => onNames([...names], event.currentTarget.value)}
            onKeyDown={onKeyDown}
          />
          <datalist id="secret-names">
            {offered.map((secret) => (
              <option key={secret.name} value={secret.name}>
                {secret.key_name}
              </option>
            ))}
          </datalist>
        </div>
      )}
    </Field>
  );
}
