import { may } from "../../api/session";
import { Button, Empty } from "../../ui";
import { CopyButton } from "../shared/copy-button";

const SAMPLE = "tailgate run -- 'echo hello from tailgate'";

/** Nothing was ever run: how to begin. */
export function NothingYet() {
  if (!may("executions", "create")) {
    return (
      <Empty title="No executions yet">
        <p>What others run appears here by itself.</p>
      </Empty>
    );
  }
  return (
    <Empty title="No executions yet">
      <p>Run a command here, or in a terminal:</p>
      <p class="sample-command">
        <code>{SAMPLE}</code> <CopyButton text={SAMPLE} />
      </p>
      <p>
        <a class="button button-primary" href="/run">
          Run a command
        </a>
      </p>
    </Empty>
  );
}

export function NothingFound({ onClear }: { onClear: () => void }) {
  return (
    <Empty title="No execution fits these filters">
      <p>The text is looked for in the executions that are loaded; older ones can be loaded below.</p>
      <Button onClick={onClear}>Clear the filters</Button>
    </Empty>
  );
}
