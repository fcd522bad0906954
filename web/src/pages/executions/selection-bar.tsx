import { navigate } from "../../app/router";
import { mayOwned } from "../../api/session";
import type { Execution } from "../../api/executions";
import { Button } from "../../ui";
import { askToKill } from "./kill";
import { isLive } from "./row";

/** As many as the view of several takes. */
const MANY_MAX = 8;

export function SelectionBar({ rows, onClear }: { rows: readonly Execution[]; onClear: () => void }) {
  if (rows.length === 0) return null;
  const ids = rows.map((row) => row.execution_id).join(",");
  const fits = rows.length >= 2 && rows.length <= MANY_MAX;
  const hint = rows.length < 2 ? "Select two or more" : fits ? undefined : `At most ${MANY_MAX}`;
  const killable = rows.filter((row) => isLive(row) && row.status !== "TERMINATING" && mayOwned("executions", "delete", row.created_by));
  return (
    <div class="toolbar selection-bar" role="toolbar" aria-label="Selected executions">
      <span role="status">{rows.length} selected</span>
      <Button disabled={!fits} {...(hint ? { title: hint } : {})} onClick={() => navigate(`/executions/${ids}?view=side`)} testid="view-side">
        Side by side
      </Button>
      <Button disabled={!fits} {...(hint ? { title: hint } : {})} onClick={() => navigate(`/executions/${ids}?view=merged`)} testid="view-merged">
        Merged
      </Button>
      {killable.length > 0 ? (
        <Button kind="danger" onClick={() => void askToKill(killable)} testid="kill-selected">
          Kill {killable.length}
        </Button>
      ) : null}
      <Button kind="quiet" onClick={onClear}>
        Clear
      </Button>
      {hint ? <span class="muted">{hint} to see them together.</span> : null}
    </div>
  );
}
