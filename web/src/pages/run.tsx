// The run form. Ctrl+Enter sends it from anywhere in it; then one is at the execution's log.
import { useEffect, useRef, useState } from "preact/hooks";
import { navigate } from "../app/router";
import type { PageProps } from "../app/routes";
import { may } from "../api/session";
import { getExecution, startExecution } from "../api/executions";
import { listImages, listSecrets } from "../api/resources";
import { Button, ErrorBox, Field, TextField, useLoad } from "../ui";
import { EnvRows } from "./run/env-rows";
import { IdempotencyKeys, emptyForm, runFieldWords, runFields, toRequest, validateRun, type RunForm } from "./run/form";
import { ImageField } from "./run/image-field";
import { SecretNames } from "./run/secret-names";
import { useSubmit, type FieldErrors } from "./shared/submit";
import "../style/pages.css";

interface PartProps {
  form: RunForm;
  errors: FieldErrors;
  onChange: (part: Partial<RunForm>) => void;
}

function CommandField({ form, errors, onChange }: PartProps) {
  const area = useRef<HTMLTextAreaElement>(null);
  useEffect(() => area.current?.focus(), []);
  return (
    <Field label="Command" error={errors["command"]} hint="Of a shell; several lines are a script. Ctrl+Enter runs it.">
      {(control) => (
        <textarea
          {...control}
          ref={area}
          class="mono command-area"
          rows={Math.min(16, Math.max(3, form.command.split("\n").length + 1))}
          spellcheck={false}
          autocapitalize="off"
          required
          data-testid="run-command"
          value={form.command}
          onInput={(event) => onChange({ command: event.currentTarget.value })}
        />
      )}
    </Field>
  );
}

function GitFields({ form, errors, onChange }: PartProps) {
  const plain = { autocomplete: "off", autocapitalize: "off", spellcheck: false, class: "mono" } as const;
  return (
    <fieldset class="field field-group">
      <legend>Git repository</legend>
      <TextField
        {...plain}
        label="Repository"
        value={form.gitRepo}
        error={errors["git_repo"]}
        placeholder="https://github.com/OWNER/NAME"
        hint="Cloned before the command, which begins in it."
        testid="run-git-repo"
        onValue={(gitRepo) => onChange({ gitRepo })}
      />
      <div class="field-pair">
        <TextField
          {...plain}
          label="Branch, tag or commit"
          value={form.gitRef}
          error={errors["git_ref"]}
          placeholder="main"
          testid="run-git-ref"
          onValue={(gitRef) => onChange({ gitRef })}
        />
        <TextField
          {...plain}
          label="Directory"
          value={form.gitPath}
          error={errors["git_path"]}
          placeholder="of the repository"
          testid="run-git-path"
          onValue={(gitPath) => onChange({ gitPath })}
        />
      </div>
    </fieldset>
  );
}

function LimitFields({ form, errors, onChange }: PartProps) {
  return (
    <>
      <div class="field-pair">
        <TextField
          label="Time limit"
          value={form.timeout}
          error={errors["timeout"]}
          placeholder="none"
          hint="Such as 90s, 15m, 1h30m."
          autocomplete="off"
          testid="run-timeout"
          onValue={(timeout) => onChange({ timeout })}
        />
        <TextField
          label="Grace period"
          value={form.grace}
          error={errors["grace"]}
          placeholder="10s"
          hint="Between being asked to end and being killed."
          autocomplete="off"
          testid="run-grace"
          onValue={(grace) => onChange({ grace })}
        />
      </div>
      <label class="check">
        <input type="checkbox" checked={form.tty} data-testid="run-tty" onChange={(event) => onChange({ tty: event.currentTarget.checked })} /> A
        terminal (tty): for commands that show colours and progress only there
      </label>
    </>
  );
}

/** What the API tells of an execution; the rest is filled in anew. */
function useSource(id: string | null, onChange: PartProps["onChange"]): { error: unknown; done: boolean } {
  const source = useLoad(async (signal) => (id === null ? null : getExecution(id, { signal })), [id]);
  useEffect(() => {
    if (source.data) onChange({ command: source.data.command, image: source.data.image_id });
  }, [source.data]);
  return { error: source.error, done: source.data !== null };
}

function FromNote({ id }: { id: string }) {
  return (
    <p class="note" role="note">
      Command and image of <a href={`/executions/${id}`}>this execution</a>. Its variables, secrets, repository and limits are not told by the server:
      variables are kept sealed only. Set them again where they are needed.
    </p>
  );
}

export default function RunPage({ query }: PageProps) {
  const from = query.get("from");
  const fromId = from !== null && /^[0-9a-f]{32}$/.test(from) ? from : null;
  const [form, setForm] = useState<RunForm>(emptyForm);
  const keys = useRef(new IdempotencyKeys());
  const submit = useSubmit(runFields, runFieldWords);
  const onChange = (part: Partial<RunForm>): void => setForm((old) => ({ ...old, ...part }));
  const source = useSource(fromId, onChange);
  const images = useLoad((signal) => (may("images", "read") ? listImages({ signal }) : Promise.resolve([])), []);
  const secrets = useLoad((signal) => (may("secrets", "list") ? listSecrets({ signal }) : Promise.resolve([])), []);
  const send = async (): Promise<void> => {
    const run = toRequest(form);
    const id = await startExecution(run, keys.current.keyFor(run));
    keys.current.done();
    navigate(`/executions/${id}`);
  };
  const onSubmit = (): void => void submit.run(() => validateRun(form), send);
  const part = { form, errors: submit.errors, onChange };
  return (
    <form
      class="run-form"
      noValidate
      autocomplete="off"
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
      onKeyDown={(event) => {
        if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
        event.preventDefault();
        onSubmit();
      }}
    >
      <h1>Run a command</h1>
      {source.error ? <ErrorBox error={source.error} /> : null}
      {fromId && source.done ? <FromNote id={fromId} /> : null}
      <CommandField {...part} />
      <ImageField value={form.image} images={images} error={submit.errors["image"]} onValue={(image) => onChange({ image })} />
      <EnvRows rows={form.env} error={submit.errors["env"]} onRows={(env) => onChange({ env })} />
      <SecretNames
        names={form.secrets}
        text={form.secretsText}
        known={secrets.data ?? []}
        error={submit.errors["secrets"]}
        onNames={(names, secretsText) => onChange({ secrets: names, secretsText })}
      />
      <GitFields {...part} />
      <LimitFields {...part} />
      {submit.errors["tty"] ? <div class="field-error">{submit.errors["tty"]}</div> : null}
      {submit.failure ? <ErrorBox error={submit.failure} /> : null}
      <div class="run-buttons">
        <Button kind="primary" type="submit" busy={submit.busy} testid="run-submit">
          {submit.busy ? "Starting …" : "Run"}
        </Button>
        <span class="muted">
          <kbd>Ctrl</kbd> <kbd>Enter</kbd>
        </span>
      </div>
    </form>
  );
}
