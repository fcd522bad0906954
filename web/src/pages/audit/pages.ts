import { useEffect, useRef, useState } from "preact/hooks";
import { listAudit, nextAudit, type AuditEntry, type AuditQuery } from "../../api/resources";

export interface AuditPages {
  /** null: not loaded yet. */
  entries: readonly AuditEntry[] | null;
  error: unknown;
  busy: boolean;
  hasMore: boolean;
  more: () => void;
}

interface State {
  entries: readonly AuditEntry[] | null;
  next: string | null;
  error: unknown;
}

/** The entries of a query, page by page; another query begins anew. */
export function useAudit(query: AuditQuery): AuditPages {
  const [state, setState] = useState<State>({ entries: null, next: null, error: null });
  const [busy, setBusy] = useState(false);
  const turn = useRef(new AbortController());
  const load = async (next: string | null, old: readonly AuditEntry[]): Promise<void> => {
    const { signal } = turn.current;
    setBusy(true);
    try {
      const answer = await (next === null ? listAudit(query, { signal }) : nextAudit(next, { signal }));
      if (signal.aborted) return;
      setState({ entries: [...old, ...(answer.body.entries ?? [])], next: answer.next, error: null });
    } catch (error) {
      if (signal.aborted) return;
      setState((was) => ({ ...was, error }));
    }
    setBusy(false);
  };
  useEffect(() => {
    const own = new AbortController();
    turn.current = own;
    setState({ entries: null, next: null, error: null });
    void load(null, []);
    return () => own.abort();
  }, [JSON.stringify(query)]);
  return {
    entries: state.entries,
    error: state.error,
    busy,
    hasMore: state.next !== null,
    more: () => void load(state.next, state.entries ?? []),
  };
}
