import { useState } from "preact/hooks";
import { confirm } from "../app/confirm";
import type { PageProps } from "../app/routes";
import { toast, toastError } from "../app/toast";
import { may, session } from "../api/session";
import { listUsers, revokeUser, type User } from "../api/resources";
import { Button, Empty, RelativeTime, Table, useLoad, type Column } from "../ui";
import { Listing } from "./shared/listing";
import { PageHead } from "./shared/page-head";
import { ShownOnce } from "./shared/shown-once";
import { CreateUserDialog, type Invited } from "./users/create";
import { claimLink } from "./users/form";

async function askToRevoke(user: User, onDone: () => void): Promise<void> {
  const own = user.email === session.value?.email;
  const yes = await confirm({
    title: `Revoke ${user.email}?`,
    text: (
      <>
        <p>All of this user's keys and connections end at once. It cannot be undone; what they ran stays.</p>
        {own ? <p>This is your own account: you will be signed out.</p> : null}
      </>
    ),
    action: "Revoke",
    danger: true,
  });
  if (!yes) return;
  try {
    await revokeUser(user.email);
    toast(`${user.email} is revoked.`);
    onDone();
  } catch (error) {
    toastError(error);
  }
}

function ClaimLink({ invited, onClose }: { invited: Invited; onClose: () => void }) {
  return (
    <ShownOnce title="Send this link" label="Claim link" text={claimLink(invited.token, location.origin)} onClose={onClose} testid="claim-link">
      <p>
        With it {invited.email} gets the account's key. It works once, for a few minutes only (<code>--claim-ttl</code>, 15 minutes unless the server
        says otherwise), and is not shown again.
      </p>
    </ShownOnce>
  );
}

export default function UsersPage(_props: PageProps) {
  const loaded = useLoad((signal) => listUsers({ signal }), []);
  const [open, setOpen] = useState(false);
  const [invited, setInvited] = useState<Invited | null>(null);
  const done = (who: Invited): void => {
    setOpen(false);
    setInvited(who);
    loaded.reload();
  };
  const columns: Column<User>[] = [
    {
      title: "E-mail address",
      keep: true,
      cell: (user) => (
        <>
          {user.email} {user.email === session.value?.email ? <span class="tag">you</span> : null} {user.revoked ? <span class="tag">revoked</span> : null}
        </>
      ),
    },
    { title: "Role", cell: (user) => user.role },
    { title: "Created", cell: (user) => <RelativeTime time={user.created_at} /> },
    { title: "Last seen", cell: (user) => (user.last_used ? <RelativeTime time={user.last_used} /> : "never") },
  ];
  if (may("users", "delete")) {
    columns.push({
      title: "Actions",
      cell: (user) =>
        user.revoked ? null : (
          <div class="row-actions">
            <Button kind="quiet" label={`Revoke ${user.email}`} testid="user-revoke" onClick={() => void askToRevoke(user, loaded.reload)}>
              Revoke
            </Button>
          </div>
        ),
    });
  }
  return (
    <>
      <PageHead title="Users">
        {may("users", "create") ? (
          <Button kind="primary" onClick={() => setOpen(true)} testid="user-new">
            New user
          </Button>
        ) : null}
      </PageHead>
      <Listing loaded={loaded} empty={<Empty title="No users" />}>
        {(rows) => (
          <Table
            caption="Users"
            columns={columns}
            rows={rows}
            rowKey={(user) => user.email}
            rowAttributes={(user) => ({ class: user.revoked ? "row-off" : undefined })}
            testid="users"
          />
        )}
      </Listing>
      {open ? <CreateUserDialog onDone={done} onClose={() => setOpen(false)} /> : null}
      {invited ? <ClaimLink invited={invited} onClose={() => setInvited(null)} /> : null}
    </>
  );
}
