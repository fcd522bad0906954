import { timestamps, wrap } from "../../app/settings";
import type { LogController } from "./controller";
import { Icon, type IconName } from "./icons";
import { LinkBadge } from "./link-state";
import { countText, STAMP_NAMES } from "./time";

export interface ToolbarActions {
  copy(): void;
  download?: (() => void) | undefined;
  help(): void;
  busy: string;
}

interface ToolProps {
  icon: IconName;
  name: string;
  title: string;
  testid: string;
  pressed?: boolean;
  disabled?: boolean;
  onClick: () => void;
}

function Tool(props: ToolProps) {
  return (
    <button
      type="button"
      class="tool"
      data-testid={props.testid}
      aria-pressed={props.pressed}
      aria-label={props.name}
      title={props.title}
      disabled={props.disabled}
      onClick={props.onClick}
    >
      <Icon name={props.icon} />
      <span class="tool-name">{props.name}</span>
    </button>
  );
}

/** Which lines are in sight, of how many. */
function Place({ log }: { log: LogController }) {
  const [sight, extent] = [log.sight.value, log.extent.value];
  if (extent.last < extent.first) return null;
  const top = Math.max(extent.first, Math.floor(sight.top));
  const bottom = Math.min(extent.last, Math.max(top, Math.floor(sight.bottom)));
  return (
    <span class="log-place" title="Lines in sight, of all">
      {`${countText(top)}–${countText(bottom)} of ${countText(extent.last)}`}
    </span>
  );
}

function Reading({ log, ended }: { log: LogController; ended: boolean }) {
  return (
    <>
      <Tool icon="follow" name="Follow" title="Follow new lines (f)" testid="follow" pressed={log.following.value} onClick={() => log.follow(!log.following.peek())} />
      {ended ? null : (
        <Tool
          icon={log.paused.value ? "play" : "pause"}
          name={log.paused.value ? "Resume" : "Pause"}
          title={log.paused.value ? "Take new lines again (p)" : "Take no new lines for now (p)"}
          testid="pause"
          pressed={log.paused.value}
          onClick={() => log.pause(!log.paused.peek())}
        />
      )}
    </>
  );
}

function Looks({ log }: { log: LogController }) {
  const wrapped = wrap.value === "on";
  const stamps = timestamps.value;
  return (
    <>
      <Tool icon="wrap" name="Wrap" title="Wrap long lines (w)" testid="wrap" pressed={wrapped} onClick={() => { wrap.value = wrapped ? "off" : "on"; }} />
      <Tool
        icon="clock"
        name={stamps === "off" ? "Times" : STAMP_NAMES[stamps]}
        title={`Times: ${STAMP_NAMES[stamps].toLowerCase()} (t)`}
        testid="timestamps"
        pressed={stamps !== "off"}
        onClick={() => log.cycleStamps()}
      />
      {log.hasGroups.value ? (
        <Tool
          icon="fold"
          name={log.allFolded.value ? "Unfold" : "Fold"}
          title={log.allFolded.value ? "Unfold all groups (z)" : "Fold all groups (z)"}
          testid="fold-all"
          onClick={() => log.foldAll(!log.allFolded.peek())}
        />
      ) : null}
      {log.hasJson.value ? (
        <Tool icon="json" name="JSON" title="Lay JSON lines out (j)" testid="json-toggle" pressed={log.json.value} onClick={() => log.setJson(!log.json.peek())} />
      ) : null}
    </>
  );
}

export function Toolbar({ log, actions, ended }: { log: LogController; actions: ToolbarActions; ended: boolean }) {
  return (
    <div class="log-toolbar" role="toolbar" aria-label="Log">
      <LinkBadge link={log.link.value} />
      <Place log={log} />
      {actions.busy !== "" ? <span class="log-busy" role="status">{actions.busy}</span> : null}
      <span class="log-space" />
      <div class="tools">
        <Tool icon="search" name="Search" title="Search the whole log (/)" testid="search-open" pressed={log.search.open.value} onClick={() => (log.search.open.peek() ? log.search.hide() : log.search.show())} />
        <Reading log={log} ended={ended} />
        <Looks log={log} />
        <Tool icon="copy" name="Copy" title="Copy the selected lines, or all (c)" testid="copy" onClick={actions.copy} />
        {actions.download ? <Tool icon="download" name="Raw" title="Download the raw log" testid="download" onClick={actions.download} /> : null}
        <Tool icon="help" name="Keys" title="Keys (?)" testid="help" onClick={actions.help} />
      </div>
    </div>
  );
}
