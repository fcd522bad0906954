import { useState } from "preact/hooks";
import { createUser, roles } from "../../api/resources";
import { Field, Select, TextField } from "../../ui";
import { FormDialog } from "../shared/form-dialog";
import { useSubmit } from "../shared/submit";
import { validateEmail } from "./form";

type Role = (typeof roles)[number];

const labels: Record<Role, string> = {
  viewer: "viewer: sees all executions, runs nothing",
  developer: "developer: runs, sees own executions and secrets",
  operator: "operator: runs, sees and ends all, images and secrets",
  admin: "admin: all, users and audit too",
};

export interface Invited {
  email: string;
  token: string;
}

export function CreateUserDialog({ onDone, onClose }: { onDone: (invited: Invited) => void; onClose: () => void }) {
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<Role>("developer");
  // "user with this email already exists" is about the address.
  const submit = useSubmit(["email", "role"], { user: "email" });
  const send = async (): Promise<void> => {
    const address = email.trim();
    onDone({ email: address, token: await createUser(address, role) });
  };
  const onSubmit = (): void => void submit.run(() => validateEmail(email), send);
  return (
    <FormDialog title="New user" action="Create" busy={submit.busy} failure={submit.failure} onSubmit={onSubmit} onClose={onClose}>
      <TextField
        label="E-mail address"
        type="email"
        value={email}
        error={submit.errors["email"]}
        autocomplete="off"
        testid="user-email"
        onValue={setEmail}
      />
      <Field label="Role" error={submit.errors["role"]} hint="It cannot be changed later.">
        {(control) => <Select control={control} value={role} options={roles.map((value) => ({ value, label: labels[value] }))} onValue={setRole} testid="user-role" />}
      </Field>
    </FormDialog>
  );
}
