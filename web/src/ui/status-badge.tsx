// A state by colour, sign and word: never by colour alone.
const kinds: Record<string, { kind: string; sign: string }> = {
  PENDING: { kind: "waiting", sign: "…" },
  STARTING: { kind: "waiting", sign: "…" },
  RUNNING: { kind: "running", sign: "▶" },
  TERMINATING: { kind: "stopping", sign: "■" },
  SUCCEEDED: { kind: "succeeded", sign: "✓" },
  FAILED: { kind: "failed", sign: "✕" },
  STOPPED: { kind: "stopped", sign: "■" },
};

export const isEnded = (status: string): boolean => status === "SUCCEEDED" || status === "FAILED" || status === "STOPPED";

export function StatusBadge(props: { status: string; queued?: boolean; unreachable?: boolean; testid?: string }) {
  const { kind, sign } = kinds[props.status] ?? { kind: "waiting", sign: "?" };
  const text = props.queued ? "queued" : props.status.toLowerCase();
  return (
    <span class={`badge badge-${kind}`} data-testid={props.testid} data-status={props.status}>
      <span aria-hidden="true">{sign}</span> {text}
      {props.unreachable ? " (unreachable)" : ""}
    </span>
  );
}
