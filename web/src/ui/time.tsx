import { useNow } from "./clock";

/** "0.4 s", "12 s", "3 min 4 s", "2 h 5 min", "3 d 4 h" */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) return "–";
  if (ms < 10_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** "just now", "12 s ago", "3 min ago", "2 h ago", "5 d ago"; "in …" for what is to come. */
export function formatRelative(time: number, now: number): string {
  const ahead = time > now + 1000;
  const seconds = Math.round(Math.abs(now - time) / 1000);
  if (seconds < 2) return "just now";
  const text =
    seconds < 60
      ? `${seconds} s`
      : seconds < 3600
        ? `${Math.floor(seconds / 60)} min`
        : seconds < 86_400
          ? `${Math.floor(seconds / 3600)} h`
          : `${Math.floor(seconds / 86_400)} d`;
  return ahead ? `in ${text}` : `${text} ago`;
}

/** How long something took, or takes: it counts on while there is no end. */
export function Duration(props: { from: string | null | undefined; to: string | null | undefined; testid?: string }) {
  const time = useNow(Boolean(props.from) && !props.to);
  if (!props.from) return <span data-testid={props.testid}>–</span>;
  const end = props.to ? Date.parse(props.to) : time;
  return <span data-testid={props.testid}>{formatDuration(Math.max(0, end - Date.parse(props.from)))}</span>;
}

/** How long ago, the exact time on hover. */
export function RelativeTime({ time }: { time: string | null | undefined }) {
  const at = time ? Date.parse(time) : 0;
  const now = useNow(Boolean(time), Math.abs(Date.now() - at) < 60_000 ? "second" : "minute");
  if (!time) return <span>–</span>;
  return (
    <time dateTime={time} title={new Date(at).toLocaleString()}>
      {formatRelative(at, now)}
    </time>
  );
}
