import { Dialog } from "../../ui";
import { KEYS, SCROLL_KEYS } from "./keys";

function Row({ keys, what }: { keys: readonly string[]; what: string }) {
  return (
    <div class="help-row">
      <dt>
        {keys.map((key) => (
          <kbd key={key}>{key === "Escape" ? "Esc" : key}</kbd>
        ))}
      </dt>
      <dd>{what}</dd>
    </div>
  );
}

export function HelpSheet({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keys" onClose={onClose} testid="help-sheet" wide>
      <dl class="help-keys">
        {[...KEYS, ...SCROLL_KEYS].map((key) => (
          <Row key={key.what} keys={key.keys} what={key.what} />
        ))}
      </dl>
      <p class="muted help-more">
        A click on a line number selects the line, with Shift a range: the address then names it. <b class="sign-e">!</b> marks standard error,{" "}
        <b class="sign-s">•</b> lines of the system itself.
      </p>
      <div class="dialog-buttons">
        <button type="button" class="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}
