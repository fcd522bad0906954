import { useState } from "preact/hooks";
import { getSecret, type Secret } from "../../api/resources";
import { Button, Dialog, ErrorBox, Spinner, useLoad } from "../../ui";
import { CopyButton } from "../shared/copy-button";

/** The value as long as the dialog is open: it is fetched for it and forgotten with it. */
export function ShowSecret({ secret, onClose }: { secret: Secret; onClose: () => void }) {
  const loaded = useLoad((signal) => getSecret(secret.name, { signal }), [secret.name]);
  const [seen, setSeen] = useState(false);
  const value = loaded.data?.value ?? "";
  return (
    <Dialog title={`Value of ${secret.name}`} onClose={onClose} wide>
      {loaded.error ? <ErrorBox error={loaded.error} onRetry={loaded.reload} /> : null}
      {!loaded.data && !loaded.error ? <Spinner /> : null}
      {loaded.data ? (
        <>
          <textarea
            class={seen ? "mono value-area" : "mono value-area masked"}
            rows={Math.min(14, value.split("\n").length + 1)}
            aria-label={`Value of ${secret.name}`}
            readOnly
            value={value}
            data-testid="secret-shown"
          />
          <div class="value-tools">
            <Button pressed={seen} autofocus onClick={() => setSeen(!seen)} testid="secret-reveal">
              {seen ? "Hide" : "Show"}
            </Button>
            <CopyButton text={value} />
          </div>
        </>
      ) : null}
      <div class="dialog-buttons">
        <Button onClick={onClose} testid="dialog-cancel">
          Close
        </Button>
      </div>
    </Dialog>
  );
}
