import { useEffect, useRef, useState } from "preact/hooks";
import type { Execution } from "../../api/executions";
import { Button } from "../../ui";
import { ExecutionRow, type RowProps } from "./row";

/** Rows made at once: more come when one gets near their end. */
const STEP = 60;

const headings = ["Status", "Command", "Owner", "Duration", "Exit", "Started"];

/** The arrows go from command to command; Enter opens a row also from its box. */
function onKey(event: KeyboardEvent): void {
  const from = event.target instanceof Element ? event.target : null;
  const row = from?.closest("tr");
  if (event.key === "Enter" && from instanceof HTMLInputElement) row?.querySelector<HTMLElement>("a.command-link")?.click();
  if ((event.key !== "ArrowDown" && event.key !== "ArrowUp") || !from?.matches("a.command-link, input")) return;
  const to = event.key === "ArrowDown" ? row?.nextElementSibling : row?.previousElementSibling;
  const link = to?.querySelector<HTMLElement>("a.command-link");
  if (!link) return;
  event.preventDefault();
  link.focus();
}

function More({ left, onMore }: { left: number; onMore: () => void }) {
  const place = useRef<HTMLDivElement>(null);
  const latest = useRef(onMore);
  latest.current = onMore;
  useEffect(() => {
    const element = place.current;
    if (!element) return undefined;
    const observer = new IntersectionObserver((seen) => seen.some((entry) => entry.isIntersecting) && latest.current(), { rootMargin: "600px" });
    observer.observe(element);
    return () => observer.disconnect();
  }, [left]);
  return (
    <div ref={place} class="list-foot">
      <Button onClick={onMore}>Show {left} more</Button>
    </div>
  );
}

export interface ExecutionTableProps extends Omit<RowProps, "row" | "selected"> {
  rows: readonly Execution[];
  selected: ReadonlySet<string>;
}

export function ExecutionTable({ rows, selected, ...rest }: ExecutionTableProps) {
  const [count, setCount] = useState(STEP);
  return (
    <>
      <table class="executions-table" role="table" data-testid="executions" onKeyDown={onKey}>
        <caption class="sr-only">Executions, newest first</caption>
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader" scope="col" class="col-select">
              <span class="sr-only">Selected</span>
            </th>
            {headings.map((title) => (
              <th key={title} role="columnheader" scope="col" class={`head-${title.toLowerCase()}`}>
                {title}
              </th>
            ))}
            <th role="columnheader" scope="col">
              <span class="sr-only">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.slice(0, count).map((row) => (
            <ExecutionRow key={row.execution_id} row={row} selected={selected.has(row.execution_id)} {...rest} />
          ))}
        </tbody>
      </table>
      {rows.length > count ? <More left={rows.length - count} onMore={() => setCount((old) => old + STEP)} /> : null}
    </>
  );
}
