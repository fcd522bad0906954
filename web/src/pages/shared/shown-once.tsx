import type { ComponentChildren } from "preact";
import { Button, Dialog } from "../../ui";
import { CopyButton } from "./copy-button";

/** Something that is never shown again: only its button closes it. */
export function ShownOnce(props: { title: string; label: string; text: string; children: ComponentChildren; onClose: () => void; testid: string }) {
  return (
    <Dialog title={props.title} onClose={() => undefined} wide>
      {props.children}
      <label class="shown-once">
        <span class="sr-only">{props.label}</span>
        <textarea class="mono" readOnly rows={2} value={props.text} data-testid={props.testid} onFocus={(event) => event.currentTarget.select()} />
      </label>
      <div class="dialog-buttons">
        <CopyButton text={props.text} />
        <Button kind="primary" onClick={props.onClose} testid="shown-once-done">
          Done
        </Button>
      </div>
    </Dialog>
  );
}
