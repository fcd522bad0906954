import { useState } from "preact/hooks";
import { toast } from "../../app/toast";
import { createSecret, updateSecret, type Secret, type SecretInput } from "../../api/resources";
import { TextField } from "../../ui";
import { FormDialog } from "../shared/form-dialog";
import { MaskedValue } from "../shared/masked-value";
import { useSubmit } from "../shared/submit";
import { changesOf, secretFields, suggestedKeyName, validateSecret } from "./form";

const plain = { autocomplete: "off", autocapitalize: "off", spellcheck: false, class: "mono" } as const;

/** A new secret, or a change of `old`. The value stays in this form and goes to the server, nowhere else. */
export function SecretDialog({ old, onDone, onClose }: { old: Secret | null; onDone: () => void; onClose: () => void }) {
  const [secret, setSecret] = useState<SecretInput>({ name: old?.name ?? "", key_name: old?.key_name ?? "", description: old?.description ?? "", value: "" });
  const [named, setNamed] = useState(old !== null);
  const submit = useSubmit(secretFields, { secret: "name", there: "name" });
  const set = (part: Partial<SecretInput>): void => setSecret((was) => ({ ...was, ...part }));
  const send = async (): Promise<void> => {
    if (old) await updateSecret(old.name, changesOf(old, secret));
    else await createSecret(secret);
    toast(old ? `${old.name} is changed.` : `${secret.name} is there.`);
    onDone();
  };
  const title = old ? `Change ${old.name}` : "New secret";
  const onSubmit = (): void => void submit.run(() => validateSecret(secret, old === null), send);
  return (
    <FormDialog title={title} action={old ? "Save" : "Create"} busy={submit.busy} failure={submit.failure} onSubmit={onSubmit} onClose={onClose}>
      {old ? null : (
        <TextField
          {...plain}
          label="Name"
          value={secret.name}
          error={submit.errors["name"]}
          hint="By which runs ask for it."
          testid="secret-name"
          onValue={(name) => set(named ? { name } : { name, key_name: suggestedKeyName(name) })}
        />
      )}
      <TextField
        {...plain}
        label="Variable"
        value={secret.key_name}
        error={submit.errors["key_name"]}
        hint="The command finds the value under this name."
        testid="secret-key-name"
        onValue={(key_name) => {
          setNamed(true);
          set({ key_name });
        }}
      />
      <MaskedValue
        label="Value"
        value={secret.value}
        error={submit.errors["value"]}
        hint={old ? "Empty: it stays what it is." : "Several lines are possible. It is replaced by *** in logs."}
        testid="secret-value"
        onValue={(value) => set({ value })}
      />
      <TextField
        label="Description"
        value={secret.description}
        error={submit.errors["description"]}
        maxLength={256}
        testid="secret-description"
        onValue={(description) => set({ description })}
      />
    </FormDialog>
  );
}
