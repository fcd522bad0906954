import { useState } from "preact/hooks";
import { Button, Dialog } from "../../ui";
import type { LogController } from "./controller";

/** Asks for a line's number. */
export function GoTo({ log, onClose }: { log: LogController; onClose: () => void }) {
  const [text, setText] = useState("");
  const { first, last } = log.extent.value;
  const seq = /^\d{1,15}$/.test(text.trim()) ? Number(text.trim()) : null;
  const submit = (event: Event): void => {
    event.preventDefault();
    if (seq === null) return;
    onClose();
    log.goTo(seq, "near");
  };
  return (
    <Dialog title="Go to line" onClose={onClose} testid="go-to">
      <form class="go-to" onSubmit={submit}>
        <input
          type="text"
          inputMode="numeric"
          autofocus
          aria-label={`A line's number, ${first} to ${last}`}
          placeholder={`${first}–${last}`}
          data-testid="go-to-input"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <Button type="submit" kind="primary" disabled={seq === null}>
          Go
        </Button>
      </form>
    </Dialog>
  );
}
