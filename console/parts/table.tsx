// One table for every list: aligned numbers, columns that give way on a phone, rows that keep their identity.
import type { ComponentChildren } from "preact";

export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => ComponentChildren;
  readonly align?: "right";
  /** To the right of each number is the place of its unit. */
  readonly units?: boolean;
  /** Left out below 860 px. */
  readonly wideOnly?: boolean;
  readonly width?: string;
  /** Where the page is narrow; otherwise `width`. */
  readonly narrowWidth?: string;
  /** The heading is for screen readers only. */
  readonly silentHead?: boolean;
}

interface TableProps<Row> {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  /** Fixed columns do not move when live rows come and go. */
  readonly fixed?: boolean;
}

function widthsOf<Row>({ width = "auto", narrowWidth = width }: Column<Row>) {
  return { "--width": width, "--narrow-width": narrowWidth };
}

export function Table<Row>({ label, columns, rows, keyOf, fixed }: TableProps<Row>) {
  const classOf = (column: Column<Row>): string =>
    `${column.align ?? ""} ${column.wideOnly === true ? "wide-only" : ""}`.trim();
  return (
    <div class="table-wrap">
      <table class={fixed === true ? "table fixed" : "table"} aria-label={label}>
        <colgroup>
          {columns.map((column) => (
            <col
              key={column.head}
              class={column.wideOnly === true ? "wide-only" : ""}
              style={widthsOf(column)}
            />
          ))}
        </colgroup>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.head} scope="col" class={`${classOf(column)} ${column.units === true ? "units" : ""}`.trim()}>
                {column.silentHead === true ? <span class="sr">{column.head}</span> : column.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map((column) => (
                <td key={column.head} class={classOf(column)}>
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
