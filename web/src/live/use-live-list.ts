import { useEffect, useRef, useState } from "preact/hooks";
import type { Execution } from "../api/executions";
import { apiKey } from "../api/client";
import { LiveList, type LiveState } from "./live-list";

export interface LiveRows {
  /** null: not told yet. */
  rows: Execution[] | null;
  state: LiveState;
  retry: () => void;
}

/** The live list as long as the component is there and the tab is seen. */
export function useLiveList(): LiveRows {
  const key = apiKey.value;
  const [rows, setRows] = useState<Execution[] | null>(null);
  const [state, setState] = useState<LiveState>({ kind: "connecting" });
  const list = useRef<LiveList | null>(null);
  useEffect(() => {
    const live = new LiveList({ onRows: setRows, onState: setState });
    const onVisibility = (): void => live.visible(document.visibilityState !== "hidden");
    const onOnline = (): void => live.retryNow();
    list.current = live;
    setRows(null);
    onVisibility();
    live.start();
    document.addEventListener("visibilitychange", onVisibility);
    addEventListener("online", onOnline);
    return () => {
      document.removeEventListener("visibilitychange", onVisibility);
      removeEventListener("online", onOnline);
      live.stop();
    };
  }, [key]);
  return { rows, state, retry: () => list.current?.retryNow() };
}
