import type { ComponentChildren } from "preact";

export interface Column<T> {
  title: string;
  cell: (row: T) => ComponentChildren;
  /** What the row is about: on narrow screens, where a row is a card, it stands there without its title. */
  keep?: boolean;
  align?: "end";
}

/** Rows under headings, cards on narrow screens: the roles are said, because display: block takes them away. */
export function Table<T>(props: {
  caption: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  rowKey: (row: T) => string;
  rowAttributes?: (row: T) => Record<string, string | undefined>;
  testid?: string;
}) {
  const classOf = (column: Column<T>) => `${column.keep ? "cell-main" : ""} ${column.align === "end" ? "cell-end" : ""}`.trim() || undefined;
  return (
    <div class="table-scroll">
      <table class="table" role="table" data-testid={props.testid}>
        <caption class="sr-only">{props.caption}</caption>
        <thead role="rowgroup">
          <tr role="row">
            {props.columns.map((column) => (
              <th key={column.title} role="columnheader" scope="col" class={classOf(column)}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {props.rows.map((row) => (
            <tr key={props.rowKey(row)} role="row" {...props.rowAttributes?.(row)}>
              {props.columns.map((column) => (
                <td key={column.title} role="cell" class={classOf(column)} data-title={column.title}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
