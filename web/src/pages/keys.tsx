import { useState } from "preact/hooks";
import { confirm } from "../app/confirm";
import type { PageProps } from "../app/routes";
import { toast, toastError } from "../app/toast";
import { apiKey } from "../api/client";
import { createKey, listKeys, revokeKey, type ApiKey } from "../api/resources";
import { Button, Empty, RelativeTime, Table, TextField, useLoad, type Column } from "../ui";
import { FormDialog } from "./shared/form-dialog";
import { Listing } from "./shared/listing";
import { PageHead } from "./shared/page-head";
import { ShownOnce } from "./shared/shown-once";
import { useSubmit } from "./shared/submit";

/** The key that this browser uses, as far as its beginning tells. */
const isInUse = (key: ApiKey): boolean => !key.revoked && Boolean(apiKey.value?.startsWith(key.prefix));

async function askToRevoke(key: ApiKey, onDone: () => void): Promise<void> {
  const yes = await confirm({
    title: `Revoke ${key.prefix}…?`,
    text: (
      <>
        <p>Whoever uses {key.description ? `“${key.description}”` : "it"} is refused from now on. It cannot be undone.</p>
        {isInUse(key) ? <p>This browser uses it: you will be signed out.</p> : null}
      </>
    ),
    action: "Revoke",
    danger: true,
  });
  if (!yes) return;
  try {
    await revokeKey(key.id);
    toast(`${key.prefix}… is revoked.`);
    onDone();
  } catch (error) {
    toastError(error);
  }
}

function CreateDialog({ onDone, onClose }: { onDone: (key: string) => void; onClose: () => void }) {
  const [description, setDescription] = useState("");
  const submit = useSubmit(["description"]);
  const send = async (): Promise<void> => onDone(await createKey(description.trim()));
  return (
    <FormDialog
      title="New API key"
      action="Create"
      busy={submit.busy}
      failure={submit.failure}
      onSubmit={() => void submit.run(() => ({}), send)}
      onClose={onClose}
    >
      <TextField
        label="Description"
        value={description}
        error={submit.errors["description"]}
        maxLength={256}
        hint="What it is for: the laptop, the CI …"
        testid="key-description"
        onValue={setDescription}
      />
    </FormDialog>
  );
}

function columnsFor(onDone: () => void): Column<ApiKey>[] {
  return [
    {
      title: "Key",
      keep: true,
      cell: (key) => (
        <>
          <code>{key.prefix}…</code> {isInUse(key) ? <span class="tag">this browser</span> : null} {key.revoked ? <span class="tag">revoked</span> : null}
        </>
      ),
    },
    { title: "Description", cell: (key) => key.description || "–" },
    { title: "Created", cell: (key) => <RelativeTime time={key.created_at} /> },
    { title: "Last used", cell: (key) => (key.last_used_at ? <RelativeTime time={key.last_used_at} /> : "never") },
    {
      title: "Actions",
      cell: (key) =>
        key.revoked ? null : (
          <div class="row-actions">
            <Button kind="quiet" label={`Revoke ${key.prefix}`} testid="key-revoke" onClick={() => void askToRevoke(key, onDone)}>
              Revoke
            </Button>
          </div>
        ),
    },
  ];
}

export default function KeysPage(_props: PageProps) {
  const loaded = useLoad((signal) => listKeys({ signal }), []);
  const [open, setOpen] = useState(false);
  const [created, setCreated] = useState<string | null>(null);
  const done = (key: string): void => {
    setOpen(false);
    setCreated(key);
    loaded.reload();
  };
  return (
    <>
      <PageHead title="API keys">
        <Button kind="primary" onClick={() => setOpen(true)} testid="key-new">
          New key
        </Button>
      </PageHead>
      <p class="muted">Your own keys. Programs show one in the header X-API-Key; only its beginning is kept here.</p>
      <Listing loaded={loaded} empty={<Empty title="No keys" />}>
        {(rows) => (
          <Table
            caption="API keys"
            columns={columnsFor(loaded.reload)}
            rows={rows}
            rowKey={(key) => key.id}
            rowAttributes={(key) => ({ class: key.revoked ? "row-off" : undefined })}
            testid="keys"
          />
        )}
      </Listing>
      {open ? <CreateDialog onDone={done} onClose={() => setOpen(false)} /> : null}
      {created ? (
        <ShownOnce title="Your new key" label="API key" text={created} onClose={() => setCreated(null)} testid="key-created">
          <p>Copy it now: it is not shown again.</p>
        </ShownOnce>
      ) : null}
    </>
  );
}
