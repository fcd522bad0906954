import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { LogController } from "./controller";
import { lineCount, markAt, seqAtThumb, thumbOf } from "./scroll-math";
import { countText } from "./time";

/** While the thumb is dragged, lines are asked for that often: pages come from the server. */
const DRAG_MS = 60;

interface Drag {
  top: number;
  grip: number;
}

export function Scrollbar({ log, controls }: { log: LogController; controls: string }) {
  const track = useRef<HTMLDivElement>(null);
  const [height, setHeight] = useState(0);
  const [drag, setDrag] = useState<Drag | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>();
  const target = useRef<number | "end">("end");
  const [extent, sight, range] = [log.extent.value, log.sight.value, log.range.value];
  const match = log.search.current.value;

  useLayoutEffect(() => {
    const el = track.current;
    if (!el) return undefined;
    const observer = new ResizeObserver(() => setHeight(el.clientHeight));
    observer.observe(el);
    return () => observer.disconnect();
  }, []);
  useEffect(() => () => clearTimeout(timer.current), []);

  const thumb = thumbOf(extent, sight, height);
  const go = (): void => {
    timer.current = undefined;
    log.goTo(target.current);
  };
  const move = (y: number, grip: number): void => {
    const top = Math.min(Math.max(0, y - grip), Math.max(0, height - (thumb?.height ?? 0)));
    setDrag({ top, grip });
    target.current = seqAtThumb(extent, sight, height, top);
    timer.current ??= setTimeout(go, DRAG_MS);
  };
  const yOf = (event: PointerEvent): number => event.clientY - (track.current?.getBoundingClientRect().top ?? 0);
  const down = (event: PointerEvent): void => {
    if (event.button !== 0 || !thumb) return;
    event.preventDefault();
    track.current?.setPointerCapture(event.pointerId);
    const y = yOf(event);
    const on = y >= thumb.top && y <= thumb.top + thumb.height;
    const grip = on ? y - thumb.top : thumb.height / 2;
    if (on) setDrag({ top: thumb.top, grip });
    else move(y, grip);
  };
  const end = (): void => {
    if (timer.current !== undefined) {
      clearTimeout(timer.current);
      go();
    }
    setDrag(null);
  };
  const top = drag ? drag.top : (thumb?.top ?? 0);
  return (
    <div
      ref={track}
      class={`scrollbar${thumb ? "" : " scrollbar-idle"}${drag ? " scrollbar-dragged" : ""}`}
      data-testid="scrollbar"
      role="scrollbar"
      aria-label="Place in the log"
      aria-orientation="vertical"
      aria-controls={controls}
      aria-valuemin={extent.first}
      aria-valuemax={Math.max(extent.first, extent.last)}
      aria-valuenow={Math.floor(Math.min(Math.max(sight.top, extent.first), Math.max(extent.first, extent.last)))}
      aria-valuetext={`line ${Math.floor(sight.top)} of ${extent.last}`}
      onPointerDown={down}
      onPointerMove={(event) => { if (drag) move(yOf(event), drag.grip); }}
      onPointerUp={end}
      onPointerCancel={end}
    >
      {range && lineCount(extent) > 0 ? <i class="bar-mark bar-mark-range" style={{ top: `${markAt(extent, range.from, height)}px` }} /> : null}
      {match ? <i class="bar-mark bar-mark-match" style={{ top: `${markAt(extent, match.seq, height)}px` }} /> : null}
      {thumb ? <div class="thumb" style={{ top: `${top}px`, height: `${thumb.height}px` }} /> : null}
      {drag && target.current !== "end" ? (
        <div class="bubble" style={{ top: `${top}px` }}>{`line ${countText(target.current)}`}</div>
      ) : null}
    </div>
  );
}
