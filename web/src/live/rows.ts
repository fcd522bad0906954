// The rows of the live list: of each execution the one with the highest version. A snapshot is put
// together aside and shown when it is whole, so that a connection lost in its middle harms nothing: the
// rows and the cursor before it still belong together.
import type { Execution } from "../api/executions";

/** As tailgate.v1 tells them. */
export interface ListMessage {
  type: "executions";
  snapshot: boolean;
  begin?: boolean;
  more?: boolean;
  executions: Execution[];
  cursor?: string;
}

/** Ended executions kept: what the server's snapshot holds, and as many again that ended meanwhile. */
export const ENDED_MAX = 2000;

const ended = (row: Execution): boolean => row.completed_at !== undefined;

export function newestFirst(a: Execution, b: Execution): number {
  if (a.started_at !== b.started_at) return a.started_at < b.started_at ? 1 : -1;
  return a.execution_id < b.execution_id ? 1 : a.execution_id > b.execution_id ? -1 : 0;
}

/** Keeps the newer of two rows of one execution; true: something changed. */
export function put(rows: Map<string, Execution>, row: Execution): boolean {
  const old = rows.get(row.execution_id);
  if (old && old.version >= row.version) return false;
  rows.set(row.execution_id, row);
  return true;
}

export class Rows {
  private rows = new Map<string, Execution>();
  private coming: Map<string, Execution> | null = null;
  /** Where the changes go on after a lost connection; null: with a snapshot. */
  cursor: string | null = null;
  /** A snapshot was whole once. */
  complete = false;

  /** True: what `list` answers has changed. */
  apply(message: ListMessage): boolean {
    if (message.snapshot) return this.applySnapshot(message);
    let changed = false;
    for (const row of message.executions) changed = put(this.rows, row) || changed;
    if (message.cursor !== undefined) this.cursor = message.cursor;
    if (changed) this.prune();
    return changed;
  }

  private applySnapshot(message: ListMessage): boolean {
    if (message.begin || !this.coming) this.coming = new Map();
    for (const row of message.executions) put(this.coming, row);
    if (message.more) return false;
    this.rows = this.coming;
    this.coming = null;
    this.complete = true;
    if (message.cursor !== undefined) this.cursor = message.cursor;
    this.prune();
    return true;
  }

  /** The connection is gone: of a snapshot that was under way nothing stays. */
  interrupt(): void {
    this.coming = null;
  }

  private prune(): void {
    if (this.rows.size <= ENDED_MAX) return;
    const old = [...this.rows.values()].filter(ended).sort(newestFirst).slice(ENDED_MAX);
    for (const row of old) this.rows.delete(row.execution_id);
  }

  list(): Execution[] {
    return [...this.rows.values()].sort(newestFirst);
  }
}
