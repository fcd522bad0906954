import type { LinkState as Link } from "../model";
import { useNow } from "../../ui";
import { countText, lines } from "./time";

/** Where the log stands, in words. `now`: of the clock, for the countdown. */
export function linkText(link: Link, now: number): string {
  switch (link.kind) {
    case "connecting":
      return "Connecting …";
    case "catching-up":
      return link.behind > 0 ? `Catching up, ${countText(link.behind)} behind` : "Catching up …";
    case "live":
      return "Live";
    case "reconnecting": {
      const seconds = Math.max(0, Math.ceil((link.at - now) / 1000));
      return seconds > 0 ? `Connection lost, again in ${seconds} s` : "Reconnecting …";
    }
    case "paused":
      return link.behind > 0 ? `Paused, ${lines(link.behind)} behind` : "Paused";
    case "ended":
      return "Ended";
    case "refused":
      return link.reason === "" ? "Refused" : link.reason;
  }
}

/** A dot and a word; what went wrong stands in its title. */
export function LinkBadge({ link }: { link: Link }) {
  const now = useNow(link.kind === "reconnecting");
  const title = link.kind === "reconnecting" ? `attempt ${link.attempt}: ${link.reason}` : undefined;
  return (
    <span class={`link-state link-${link.kind}`} data-testid="link-state" data-kind={link.kind} title={title}>
      <span class="link-dot" aria-hidden="true" />
      {linkText(link, now)}
    </span>
  );
}
