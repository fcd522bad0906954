import { Component } from "preact";
import { mayOwned } from "../../api/session";
import type { Execution } from "../../api/executions";
import { Button, Duration, RelativeTime, StatusBadge, isEnded } from "../../ui";

export interface RowProps {
  row: Execution;
  selected: boolean;
  mayRun: boolean;
  onSelect: (id: string, on: boolean) => void;
  onKill: (row: Execution) => void;
}

export const isLive = (row: Execution): boolean => !isEnded(row.status);

/** What the command does, in one line: a script's first that is no comment. */
export function firstLine(command: string): string {
  const lines = command.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const at = Math.max(0, lines.findIndex((line) => !line.startsWith("#")));
  return `${lines[at] ?? ""}${at < lines.length - 1 ? " …" : ""}`;
}

function Exit({ row }: { row: Execution }) {
  if (isLive(row)) return <>–</>;
  return (
    <>
      {row.exit_code ?? "–"}
      {row.reason ? <span class="exit-reason"> {row.reason.replaceAll("_", " ")}</span> : null}
    </>
  );
}

/** Of a thousand rows one changes: the others are left as they are. */
export class ExecutionRow extends Component<RowProps> {
  override shouldComponentUpdate(next: RowProps): boolean {
    return next.row !== this.props.row || next.selected !== this.props.selected || next.mayRun !== this.props.mayRun;
  }

  render() {
    const { row, selected, mayRun } = this.props;
    const name = firstLine(row.command);
    return (
      <tr role="row" class={selected ? "row-selected" : undefined} data-testid="execution-row" data-execution-id={row.execution_id} data-status={row.status}>
        <td role="cell" class="col-select">
          <input
            type="checkbox"
            aria-label={`Select ${name}`}
            checked={selected}
            onChange={(event) => this.props.onSelect(row.execution_id, event.currentTarget.checked)}
          />
        </td>
        <td role="cell" class="col-status">
          <StatusBadge status={row.status} queued={Boolean(row.queued)} unreachable={isLive(row) && row.reason === "unreachable"} />
        </td>
        <td role="cell" class="col-command">
          <a class="command-link mono" href={`/executions/${row.execution_id}`} title={`${row.command.slice(0, 2000)}\n\n${row.execution_id}`}>
            {name}
          </a>
        </td>
        <td role="cell" class="col-owner">
          {row.created_by}
        </td>
        <td role="cell" class="col-duration">
          <Duration from={row.queued ? null : row.started_at} to={row.completed_at} />
        </td>
        <td role="cell" class="col-exit">
          <Exit row={row} />
        </td>
        <td role="cell" class="col-age">
          <RelativeTime time={row.started_at} />
        </td>
        <td role="cell" class="col-actions">
          {mayRun ? (
            <a class="button button-quiet" href={`/run?from=${row.execution_id}`} aria-label={`Re-run ${name}`}>
              Re-run
            </a>
          ) : null}
          {isLive(row) && row.status !== "TERMINATING" && mayOwned("executions", "delete", row.created_by) ? (
            <Button kind="quiet" label={`Kill ${name}`} onClick={() => this.props.onKill(row)}>
              Kill
            </Button>
          ) : null}
        </td>
      </tr>
    );
  }
}
