import type { ComponentChildren } from "preact";
import { Button, Dialog, ErrorBox } from "../../ui";

/** A form in a dialog: Enter sends it, Escape leaves it. */
export function FormDialog(props: {
  title: string;
  action: string;
  busy: boolean;
  failure: unknown;
  onSubmit: () => void;
  onClose: () => void;
  children: ComponentChildren;
}) {
  const onSubmit = (event: Event): void => {
    event.preventDefault();
    props.onSubmit();
  };
  return (
    <Dialog title={props.title} onClose={props.onClose} wide>
      <form noValidate autocomplete="off" onSubmit={onSubmit}>
        {props.failure ? <ErrorBox error={props.failure} /> : null}
        {props.children}
        <div class="dialog-buttons">
          <Button onClick={props.onClose} testid="dialog-cancel">
            Cancel
          </Button>
          <Button kind="primary" type="submit" busy={props.busy} testid="form-submit">
            {props.action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
