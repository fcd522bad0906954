import { getTrace } from "../../api/resources";
import { Button, Dialog, ErrorBox, Spinner, useLoad } from "../../ui";
import { traceText } from "./trace-text";

/** What the server did for one request: its log lines and what it made or changed. */
export function TraceDialog({ requestId, onClose }: { requestId: string; onClose: () => void }) {
  const loaded = useLoad((signal) => getTrace(requestId, { signal }), [requestId]);
  return (
    <Dialog title="Trace of a request" onClose={onClose} wide testid="trace">
      <p class="mono muted">{requestId}</p>
      {loaded.error ? <ErrorBox error={loaded.error} onRetry={loaded.reload} /> : null}
      {!loaded.data && !loaded.error ? <Spinner /> : null}
      {loaded.data ? (
        <pre class="trace-lines" tabIndex={0} aria-label="Log lines and resources of the request">
          {traceText(loaded.data)}
        </pre>
      ) : null}
      <div class="dialog-buttons">
        <Button onClick={onClose} testid="dialog-cancel">
          Close
        </Button>
      </div>
    </Dialog>
  );
}
