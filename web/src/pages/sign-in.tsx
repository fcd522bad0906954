// Asks for the API key wherever there is none, or none that the server knows.
import { useState } from "preact/hooks";
import { ApiError, setApiKey } from "../api/client";
import { readSession, sessionError } from "../api/session";
import { toast } from "../app/toast";
import type { PageProps } from "../app/routes";
import { Button } from "../ui/button";
import { TextField } from "../ui/field";
import { ErrorBox } from "../ui/states";

function whyRefused(error: unknown): string {
  if (error instanceof ApiError && error.status === 401) {
    return error.code === "API_KEY_REVOKED" ? "This key was revoked." : "The server does not know this key.";
  }
  return error instanceof Error ? error.message : String(error);
}

export default function SignInPage(_props: Partial<PageProps>) {
  const [key, setKey] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const refused = sessionError.value;

  const onSubmit = async () => {
    const wanted = key.trim();
    if (!wanted) {
      setError("Enter your API key.");
      return;
    }
    setBusy(true);
    setError(null);
    try {
      await readSession(wanted);
      if (!setApiKey(wanted)) toast("This browser keeps nothing: the key is good for this tab only.", "error");
    } catch (failed) {
      setError(whyRefused(failed));
    } finally {
      setBusy(false);
    }
  };

  return (
    <form
      class="card"
      onSubmit={(event) => {
        event.preventDefault();
        void onSubmit();
      }}
    >
      <h1>Sign in</h1>
      {refused && refused.status === 401 ? <ErrorBox error={new Error(`Signed out. ${whyRefused(refused)}`)} /> : null}
      <TextField
        label="API key"
        type="password"
        autocomplete="off"
        spellcheck={false}
        autofocus
        value={key}
        onValue={setKey}
        error={error}
        testid="key-input"
        hint="It is kept in this browser (local storage) until you forget it in the settings. Without one, ask your admin for a claim link."
      />
      <Button kind="primary" type="submit" testid="key-save" busy={busy}>
        {busy ? "Signing in …" : "Sign in"}
      </Button>
    </form>
  );
}
