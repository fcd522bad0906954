import { confirm } from "../../app/confirm";
import { toast, toastError } from "../../app/toast";
import { killExecution, type Execution } from "../../api/executions";
import { firstLine } from "./row";

const LISTED = 8;

/** Asks, then ends them; the list tells what becomes of them. */
export async function askToKill(rows: readonly Execution[]): Promise<void> {
  if (rows.length === 0) return;
  const one = rows.length === 1;
  const yes = await confirm({
    title: one ? "Kill this execution?" : `Kill ${rows.length} executions?`,
    text: (
      <>
        <ul class="plain-list">
          {rows.slice(0, LISTED).map((row) => (
            <li key={row.execution_id}>
              <code>{firstLine(row.command)}</code>
            </li>
          ))}
          {rows.length > LISTED ? <li>and {rows.length - LISTED} more</li> : null}
        </ul>
        <p>The command is asked to end (SIGTERM); after its grace period it is killed.</p>
      </>
    ),
    action: "Kill",
    danger: true,
  });
  if (!yes) return;
  const results = await Promise.allSettled(rows.map((row) => killExecution(row.execution_id)));
  const stopped = results.filter((result) => result.status === "fulfilled" && result.value).length;
  const late = results.filter((result) => result.status === "fulfilled" && !result.value).length;
  for (const result of results) if (result.status === "rejected") toastError(result.reason);
  if (stopped > 0) toast(one ? "It was asked to end." : `${stopped} were asked to end.`);
  if (late > 0) toast(one ? "It had ended already." : `${late} had ended already.`);
}
