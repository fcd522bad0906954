import { useState } from "preact/hooks";
import { toast } from "../../app/toast";
import { registerImage } from "../../api/resources";
import { TextField } from "../../ui";
import { FormDialog } from "../shared/form-dialog";
import { useSubmit } from "../shared/submit";
import { emptyImage, imageFields, toImage, validateImage, type ImageForm } from "./form";

export function RegisterDialog({ onDone, onClose }: { onDone: () => void; onClose: () => void }) {
  const [form, setForm] = useState<ImageForm>(emptyImage);
  const submit = useSubmit(imageFields);
  const set = (part: Partial<ImageForm>): void => setForm((old) => ({ ...old, ...part }));
  const send = async (): Promise<void> => {
    const { image_id } = await registerImage(toImage(form));
    toast(`Registered as ${image_id}.`);
    onDone();
  };
  const onSubmit = (): void => void submit.run(() => validateImage(form), send);
  return (
    <FormDialog title="Register an image" action="Register" busy={submit.busy} failure={submit.failure} onSubmit={onSubmit} onClose={onClose}>
      <TextField
        label="Image"
        class="mono"
        value={form.image}
        error={submit.errors["image"]}
        placeholder="debian:bookworm"
        hint="[REGISTRY[:PORT]/]NAME[:TAG][@DIGEST]"
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        testid="image-reference"
        onValue={(image) => set({ image })}
      />
      <label class="check">
        <input type="checkbox" checked={form.isDefault} data-testid="image-default" onChange={(event) => set({ isDefault: event.currentTarget.checked })} />{" "}
        The default one: runs that name no image get it
      </label>
      <details>
        <summary>Size and platform</summary>
        <div class="field-pair details-body">
          <TextField label="CPU" inputMode="numeric" value={form.cpu} error={submit.errors["cpu"]} hint="1024 is one core." onValue={(cpu) => set({ cpu })} />
          <TextField label="Memory in MiB" inputMode="numeric" value={form.memory} error={submit.errors["memory"]} onValue={(memory) => set({ memory })} />
          <TextField
            label="Platform"
            value={form.platform}
            error={submit.errors["runtime_platform"]}
            placeholder="Linux/X86_64"
            onValue={(platform) => set({ platform })}
          />
        </div>
      </details>
    </FormDialog>
  );
}
