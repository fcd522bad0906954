// /#/claim/TOKEN: one click makes the token a key and keeps it in this browser. Opening the link does
// nothing: a scanner or a preview must not use it up.
import { useState } from "preact/hooks";
import { ApiError, apiKey, get, setApiKey } from "../api/client";
import { session } from "../api/session";
import { dropFragment, navigate } from "../app/router";
import type { PageProps } from "../app/routes";
import { Button } from "../ui/button";
import { ErrorBox } from "../ui/states";
import { CopyButton } from "./shared/copy-button";

interface Claimed {
  api_key: string;
  user_email: string;
}

const claim = (token: string): Promise<Claimed> => get<Claimed>(`/claim/${encodeURIComponent(token)}`, { key: null });

function explain(error: unknown): unknown {
  if (!(error instanceof ApiError)) return error;
  if (error.status === 409) return new Error("This link was used already. If it was not you, tell your admin.");
  if (error.status === 404) return new Error("This link is unknown or has expired. Your admin can make another one.");
  return error;
}

function Done({ claimed, stored }: { claimed: Claimed; stored: boolean }) {
  return (
    <div class="card">
      <h1>Welcome, {claimed.user_email}</h1>
      <p>
        {stored
          ? "Your API key is kept in this browser. Elsewhere, for the command line say, you need it again: this is the only time that it is shown."
          : "This browser keeps nothing, so the key is good for this tab only. Copy it: this is the only time that it is shown."}
      </p>
      <p>
        <code class="key-text" data-testid="claim-key">
          {claimed.api_key}
        </code>
      </p>
      <div class="toolbar">
        <Button kind="primary" testid="claim-done" autofocus onClick={() => navigate("/executions")}>
          To the executions
        </Button>
        <CopyButton text={claimed.api_key} label="Copy the key" />
      </div>
    </div>
  );
}

export default function ClaimPage({ params }: PageProps) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [done, setDone] = useState<{ claimed: Claimed; stored: boolean } | null>(null);
  const token = params["token"] ?? "";

  const onClick = async () => {
    setBusy(true);
    setError(null);
    try {
      const claimed = await claim(token);
      dropFragment();
      setDone({ claimed, stored: setApiKey(claimed.api_key) });
    } catch (failed) {
      setError(explain(failed));
    } finally {
      setBusy(false);
    }
  };

  if (done) return <Done {...done} />;
  return (
    <div class="card">
      <h1>Claim your account</h1>
      <p>
        You were invited to Tailgate at <strong>{location.host}</strong>. One click makes your API key and keeps it in this browser. The
        link works once.
      </p>
      {apiKey.value !== null ? (
        <p class="note">
          This browser is signed in{session.value ? ` as ${session.value.email}` : ""}: the new key takes the place of the one that is kept.
        </p>
      ) : null}
      {error ? <ErrorBox error={error} /> : null}
      <Button kind="primary" testid="claim-button" busy={busy} onClick={() => void onClick()}>
        {busy ? "Claiming …" : "Claim the account"}
      </Button>
    </div>
  );
}
