import { useEffect, useState } from "preact/hooks";
import type { LiveState } from "../../live/live-list";
import { Button, useNow } from "../../ui";

function Words({ state }: { state: LiveState }) {
  const time = useNow(state.kind === "reconnecting");
  switch (state.kind) {
    case "live":
      return <>live</>;
    case "connecting":
      return <>connecting …</>;
    case "paused":
      return <>paused</>;
    case "reconnecting":
      return <>reconnecting in {Math.max(0, Math.ceil((state.at - time) / 1000))} s</>;
    case "refused":
      return <>no updates</>;
  }
}

/** Whether what is shown is what is: in words, with the reason when it is not. */
export function ListLink({ state, onRetry }: { state: LiveState; onRetry: () => void }) {
  const [settled, setSettled] = useState(false);
  useEffect(() => {
    setSettled(state.kind !== "connecting");
    if (state.kind !== "connecting") return undefined;
    const timer = setTimeout(() => setSettled(true), 300);
    return () => clearTimeout(timer);
  }, [state.kind]);
  const reason = "reason" in state ? state.reason : "";
  return (
    <span class={`list-link list-link-${state.kind}`} data-testid="link-state" data-kind={state.kind}>
      {settled ? (
        <>
          <span class="list-link-dot" aria-hidden="true" />
          <span>
            <Words state={state} />
          </span>
          {reason ? <span class="list-link-reason">({reason})</span> : null}
        </>
      ) : null}
      {reason ? (
        <Button kind="quiet" onClick={onRetry}>
          Try now
        </Button>
      ) : null}
    </span>
  );
}
