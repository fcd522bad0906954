import { useState } from "preact/hooks";
import { confirm } from "../app/confirm";
import type { PageProps } from "../app/routes";
import { toast, toastError } from "../app/toast";
import { may, mayOwned } from "../api/session";
import { deleteSecret, listSecrets, type Secret } from "../api/resources";
import { Button, Empty, RelativeTime, Table, useLoad, type Column } from "../ui";
import { SecretDialog } from "./secrets/edit";
import { ShowSecret } from "./secrets/show";
import { Listing } from "./shared/listing";
import { PageHead } from "./shared/page-head";

/** What is open: a dialog for a secret, or for a new one. */
type Open = { kind: "new" } | { kind: "edit" | "show"; secret: Secret } | null;

async function askToDelete(secret: Secret, onDone: () => void): Promise<void> {
  const yes = await confirm({
    title: `Delete ${secret.name}?`,
    text: "Its value is gone for good. Executions that have begun keep it; runs that ask for it will be refused.",
    action: "Delete",
    danger: true,
  });
  if (!yes) return;
  try {
    await deleteSecret(secret.name);
    toast(`${secret.name} is deleted.`);
    onDone();
  } catch (error) {
    toastError(error);
  }
}

function Actions({ secret, onOpen, onDone }: { secret: Secret; onOpen: (open: Open) => void; onDone: () => void }) {
  const allowed = (action: string): boolean => mayOwned("secrets", action, secret.created_by);
  return (
    <div class="row-actions">
      {allowed("read") ? (
        <Button kind="quiet" label={`Show the value of ${secret.name}`} testid="secret-show" onClick={() => onOpen({ kind: "show", secret })}>
          Show
        </Button>
      ) : null}
      {allowed("update") ? (
        <Button kind="quiet" label={`Change ${secret.name}`} testid="secret-edit" onClick={() => onOpen({ kind: "edit", secret })}>
          Change
        </Button>
      ) : null}
      {allowed("delete") ? (
        <Button kind="quiet" label={`Delete ${secret.name}`} testid="secret-delete" onClick={() => void askToDelete(secret, onDone)}>
          Delete
        </Button>
      ) : null}
    </div>
  );
}

function NoSecrets({ onNew }: { onNew: (() => void) | null }) {
  return (
    <Empty title="No secrets yet">
      <p>A secret is a value that runs get as a variable and that logs show as ***.</p>
      <p>
        <code>tailgate secrets create --key-name DB_PASSWORD db</code>
      </p>
      {onNew ? (
        <Button kind="primary" onClick={onNew}>
          New secret
        </Button>
      ) : null}
    </Empty>
  );
}

export default function SecretsPage(_props: PageProps) {
  const loaded = useLoad((signal) => listSecrets({ signal }), []);
  const [open, setOpen] = useState<Open>(null);
  const close = (): void => setOpen(null);
  const done = (): void => {
    close();
    loaded.reload();
  };
  const onNew = may("secrets", "create") ? () => setOpen({ kind: "new" }) : null;
  const columns: Column<Secret>[] = [
    { title: "Name", keep: true, cell: (secret) => <span class="mono">{secret.name}</span> },
    { title: "Variable", cell: (secret) => <code>{secret.key_name}</code> },
    { title: "Description", cell: (secret) => secret.description || "–" },
    { title: "Owner", cell: (secret) => secret.created_by },
    { title: "Changed", cell: (secret) => <RelativeTime time={secret.updated_at} /> },
    { title: "Actions", cell: (secret) => <Actions secret={secret} onOpen={setOpen} onDone={loaded.reload} /> },
  ];
  return (
    <>
      <PageHead title="Secrets">
        {onNew ? (
          <Button kind="primary" onClick={onNew} testid="secret-new">
            New secret
          </Button>
        ) : null}
      </PageHead>
      <Listing loaded={loaded} empty={<NoSecrets onNew={onNew} />}>
        {(rows) => <Table caption="Secrets" columns={columns} rows={rows} rowKey={(secret) => secret.name} testid="secrets" />}
      </Listing>
      {open?.kind === "new" ? <SecretDialog old={null} onDone={done} onClose={close} /> : null}
      {open?.kind === "edit" ? <SecretDialog old={open.secret} onDone={done} onClose={close} /> : null}
      {open?.kind === "show" ? <ShowSecret secret={open.secret} onClose={close} /> : null}
    </>
  );
}
