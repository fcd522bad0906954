import { useState } from "preact/hooks";
import { del } from "../../api/client";
import { may, mayOwned } from "../../api/session";
import { confirm } from "../../app/confirm";
import { toast, toastError } from "../../app/toast";
import { Button, Duration, RelativeTime, StatusBadge, isEnded } from "../../ui";
import { exitText, reasonText, type Execution } from "./model";

async function kill(execution: Execution): Promise<void> {
  const yes = await confirm({
    title: "Kill this execution?",
    text: "It is asked to end, and is ended when it does not within its grace time.",
    action: "Kill",
    danger: true,
  });
  if (!yes) return;
  await del(`/executions/${execution.execution_id}`);
  toast("It is being ended");
}

function Buttons({ execution }: { execution: Execution }) {
  const [busy, setBusy] = useState(false);
  const live = !isEnded(execution.status);
  const onKill = (): void => {
    setBusy(true);
    kill(execution).catch(toastError).finally(() => setBusy(false));
  };
  return (
    <div class="execution-buttons">
      {live && mayOwned("executions", "delete", execution.created_by) ? (
        <Button kind="danger" testid="kill" busy={busy} disabled={execution.status === "TERMINATING"} onClick={onKill}>
          {execution.status === "TERMINATING" ? "Ending …" : "Kill"}
        </Button>
      ) : null}
      {may("executions", "create") !== null ? (
        <a class="button" href={`/run?from=${execution.execution_id}`} data-testid="rerun">
          Re-run
        </a>
      ) : null}
    </div>
  );
}

/** A long command opens on a click: the log keeps the room. */
function Command({ command }: { command: string }) {
  const [open, setOpen] = useState(false);
  const long = command.length > 160 || command.includes("\n");
  return (
    <h1 class={open ? "execution-command" : "execution-command execution-command-cut"} title={open ? undefined : command}>
      <code>{command}</code>
      {long ? (
        <button type="button" class="execution-more" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? "less" : "more"}
        </button>
      ) : null}
    </h1>
  );
}

export function ExecutionHeader({ execution }: { execution: Execution }) {
  const ended = isEnded(execution.status);
  const exit = exitText(execution);
  // Of one that lives the only reason is that its gateway is gone, which stands at the state.
  const reason = ended ? reasonText(execution.reason) : "";
  return (
    <header class="execution-header">
      <div class="execution-top">
        <StatusBadge status={execution.status} queued={execution.queued ?? false} unreachable={execution.reason === "unreachable"} testid="execution-status" />
        <Command command={execution.command} />
        <Buttons execution={execution} />
      </div>
      <div class="execution-facts">
        <span>
          <Duration from={execution.started_at} to={ended ? (execution.completed_at ?? execution.started_at) : null} testid="execution-duration" />
        </span>
        {exit !== "" ? (
          <span data-testid="execution-exit" class={execution.exit_code === 0 ? "fact-good" : "fact-bad"}>
            {exit}
          </span>
        ) : null}
        {reason !== "" ? (
          <span data-testid="execution-reason" title={execution.reason}>
            {reason}
          </span>
        ) : null}
        {execution.created_by ? (
          <span>
            by <span data-testid="execution-owner">{execution.created_by}</span>
          </span>
        ) : null}
        <span>
          started <RelativeTime time={execution.started_at} />
        </span>
        {execution.image_id ? (
          <span class="fact-image" title="Image">
            {execution.image_id}
          </span>
        ) : null}
        <span class="fact-id mono" title="Execution ID">
          {execution.execution_id}
        </span>
      </div>
    </header>
  );
}
