/** The log view: toolbar, search, the lines, the scroll bar, and what lies over them. */
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { toastError } from "../../app/toast";
import { ErrorBox, Spinner } from "../../ui";
import type { LogHandle } from "./source";
import type { LogEvents, Status } from "../model";
import { copy, onCopy, onKey, onRowClick, type Sheets } from "./actions";
import { LogController } from "./controller";
import { downloadLog } from "./download";
import { GoTo } from "./go-to";
import { HelpSheet } from "./help-sheet";
import { queryOfUrl, type Query } from "./matcher";
import { parsePermalink, type LineRange } from "./permalink";
import { Scrollbar } from "./scrollbar";
import { SearchBar } from "./search-bar";
import { lines } from "./time";
import { Toolbar } from "./toolbar";
import "./log-colours.css";
import "./log-rows.css";
import "./log-view.css";

export interface LogViewProps {
  /** What a screen reader calls it. */
  label: string;
  makeSource(anchor: "end" | number, on: Partial<LogEvents>): LogHandle;
  /** The address's fragment and query as they are now; without them the view has no permalinks. */
  hash?: string;
  search?: string;
  onRange?: (range: LineRange | null) => void;
  onQuery?: (query: Query) => void;
  onStatus?: (status: Status) => void;
  /** The execution whose raw log may be downloaded. */
  download?: string;
  startedAt?: string | null | undefined;
  ended: boolean;
  /** Keys pressed anywhere in the page are for this view; else only those pressed in it. */
  keys?: boolean;
}

function useController(props: LogViewProps): LogController {
  const latest = useRef(props);
  latest.current = props;
  const [log] = useState(
    () =>
      new LogController({
        makeSource: props.makeSource,
        anchor: parsePermalink(props.hash ?? ""),
        onRange: (range) => latest.current.onRange?.(range),
        onQuery: (query) => latest.current.onQuery?.(query),
        onStatus: (status) => latest.current.onStatus?.(status),
      }),
  );
  useEffect(() => () => log.close(), []);
  useEffect(() => {
    const query = queryOfUrl(latest.current.search ?? "");
    if (query.text !== "") log.search.show(query);
  }, []);
  useEffect(() => { if (props.hash !== undefined) log.setRange(parsePermalink(props.hash)); }, [props.hash]);
  useEffect(() => { if (props.startedAt) log.setStart(Date.parse(props.startedAt)); }, [props.startedAt]);
  return log;
}

/** Selections by the mouse hold the rows they began in; one that is made stops the following. */
function useSelection(log: LogController, sheets: Sheets): void {
  useEffect(() => {
    const abort = new AbortController();
    const { signal } = abort;
    let pressed = false;
    document.addEventListener("pointerdown", (event) => { pressed = event.isPrimary && event.button === 0; }, { signal });
    const up = (): void => {
      pressed = false;
      log.hold(false);
    };
    document.addEventListener("pointerup", up, { signal });
    document.addEventListener("pointercancel", up, { signal });
    document.addEventListener("selectionchange", () => {
      if (log.selection?.read() !== true) return;
      if (pressed) log.hold(true);
      if (log.following.peek()) log.follow(false);
    }, { signal });
    document.addEventListener("copy", (event) => onCopy(event, log, sheets), { signal });
    return () => abort.abort();
  }, []);
}

function NewLines({ log }: { log: LogController }) {
  const fresh = log.fresh.value;
  if (fresh === 0 || log.following.value) return null;
  return (
    <button type="button" class="new-lines" data-testid="new-lines" onClick={() => log.goTo("end")}>
      {`${fresh === 1 ? "1 new line" : lines(fresh).replace(" lines", " new lines")} ↓`}
    </button>
  );
}

function Overlay({ log, ended }: { log: LogController; ended: boolean }) {
  const link = log.link.value;
  if (link.kind === "refused" && !log.loaded.value) return <div class="log-overlay"><ErrorBox error={link.reason} /></div>;
  if (log.loaded.value) return null;
  if (log.failure.value !== "") return <div class="log-overlay"><ErrorBox error={log.failure.value} /></div>;
  if (!log.empty.value || link.kind === "connecting") return <div class="log-overlay"><Spinner label="Loading lines …" /></div>;
  return (
    <div class="log-overlay">
      <p class="log-nothing">{ended || link.kind === "ended" ? "The command printed nothing." : "Nothing printed yet. Lines appear here as they come."}</p>
    </div>
  );
}

function useSheets() {
  const [sheet, setSheet] = useState<"" | "help" | "go-to">("");
  const [busy, setBusy] = useState("");
  const [sheets] = useState<Sheets>(() => ({ help: () => setSheet("help"), goTo: () => setSheet("go-to"), busy: setBusy }));
  return { sheet, busy, sheets, close: () => setSheet("") };
}

export function LogView(props: LogViewProps) {
  const log = useController(props);
  const { sheet, busy, sheets, close } = useSheets();
  const [root, scroller, sizer, block] = [useRef<HTMLDivElement>(null), useRef<HTMLDivElement>(null), useRef<HTMLDivElement>(null), useRef<HTMLDivElement>(null)];
  const id = useId();

  useLayoutEffect(() => {
    if (scroller.current && sizer.current && block.current) log.attach({ scroller: scroller.current, sizer: sizer.current, block: block.current });
  }, []);
  useSelection(log, sheets);
  useEffect(() => {
    const target: HTMLElement | Document | null = props.keys === false ? root.current : document;
    const press = (event: Event): void => {
      if (event instanceof KeyboardEvent && scroller.current) onKey(event, log, scroller.current, sheets);
    };
    target?.addEventListener("keydown", press);
    return () => target?.removeEventListener("keydown", press);
  }, [props.keys]);

  const download = (): void => {
    if (props.download === undefined) return;
    sheets.busy("downloading …");
    downloadLog(props.download).catch(toastError).finally(() => sheets.busy(""));
  };
  const actions = { copy: () => copy(log, sheets), download: props.download === undefined ? undefined : download, help: () => sheets.help(), busy };
  return (
    <div class="log-view" ref={root}>
      <Toolbar log={log} actions={actions} ended={props.ended} />
      {log.search.open.value ? <SearchBar log={log} /> : null}
      <div class="log-frame">
        <div class="log-clip">
          <div ref={scroller} id={id} class="log-scroller" role="log" aria-live="off" aria-label={props.label} tabIndex={0} data-testid="log">
            <div ref={sizer} class="log-sizer">
              <div ref={block} class="log-block" onClick={(event) => onRowClick(event, log)} />
            </div>
          </div>
        </div>
        <Scrollbar log={log} controls={id} />
        <Overlay log={log} ended={props.ended} />
        <NewLines log={log} />
      </div>
      <div class="sr-only" role="status" aria-live="polite">
        {log.summary.value}
      </div>
      {sheet === "help" ? <HelpSheet onClose={close} /> : null}
      {sheet === "go-to" ? <GoTo log={log} onClose={close} /> : null}
    </div>
  );
}
