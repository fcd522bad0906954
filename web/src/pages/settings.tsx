import { apiKey, setApiKey } from "../api/client";
import { reloadSession, session, sessionError } from "../api/session";
import { confirm } from "../app/confirm";
import { theme, themes, timestampModes, timestamps, wrap, wrapModes, type Theme, type TimestampMode } from "../app/settings";
import { toast } from "../app/toast";
import type { PageProps } from "../app/routes";
import { Button } from "../ui/button";
import { Field } from "../ui/field";
import { Select } from "../ui/select";
import { ErrorBox, Spinner } from "../ui/states";
import SignInPage from "./sign-in";

const themeNames: Record<Theme, string> = { system: "As the system", light: "Light", dark: "Dark" };
const timestampNames: Record<TimestampMode, string> = {
  off: "Not shown",
  relative: "Since the start",
  local: "Local time",
  utc: "UTC",
};

async function forget(): Promise<void> {
  const yes = await confirm({
    title: "Forget the key?",
    text: "This browser is signed out. The key itself stays valid: to end that, revoke it under API keys.",
    action: "Forget the key",
    danger: true,
  });
  if (!yes) return;
  setApiKey(null);
  toast("The key is forgotten in this browser.");
}

function Account() {
  if (apiKey.value === null || sessionError.value?.status === 401) return <SignInPage />;
  const who = session.value;
  return (
    <section class="card" aria-labelledby="account">
      <h2 id="account">Account</h2>
      {sessionError.value ? <ErrorBox error={sessionError.value} onRetry={reloadSession} /> : null}
      {!who && !sessionError.value ? <Spinner label="Signing in …" /> : null}
      {who ? (
        <dl class="facts">
          <dt>Signed in as</dt>
          <dd data-testid="account-email">{who.email}</dd>
          <dt>Role</dt>
          <dd data-testid="account-role">{who.role}</dd>
          <dt>Server</dt>
          <dd>
            Tailgate {who.version} at {location.host}
          </dd>
        </dl>
      ) : null}
      <p>
        The API key is kept in this browser, in its local storage. Whoever uses this browser profile can use it: forget it here on a machine
        that others use too.
      </p>
      <Button kind="danger" testid="key-forget" onClick={() => void forget()}>
        Forget the key
      </Button>
    </section>
  );
}

export default function SettingsPage(_props: PageProps) {
  return (
    <div class="settings">
      <h1>Settings</h1>
      <Account />
      <section class="card" aria-labelledby="appearance">
        <h2 id="appearance">Appearance, in this browser</h2>
        <Field label="Theme">
          {(control) => (
            <Select
              control={control}
              testid="settings-theme"
              value={theme.value}
              options={themes.map((value) => ({ value, label: themeNames[value] }))}
              onValue={(value) => {
                theme.value = value;
              }}
            />
          )}
        </Field>
        <Field label="Times of log lines" hint="What a log view begins with; it has a switch of its own.">
          {(control) => (
            <Select
              control={control}
              testid="settings-timestamps"
              value={timestamps.value}
              options={timestampModes.map((value) => ({ value, label: timestampNames[value] }))}
              onValue={(value) => {
                timestamps.value = value;
              }}
            />
          )}
        </Field>
        <Field label="Long lines">
          {(control) => (
            <Select
              control={control}
              testid="settings-wrap"
              value={wrap.value}
              options={wrapModes.map((value) => ({ value, label: value === "on" ? "Wrapped" : "In one line" }))}
              onValue={(value) => {
                wrap.value = value;
              }}
            />
          )}
        </Field>
      </section>
    </div>
  );
}
