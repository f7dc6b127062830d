// The stream as a table: who did what, to which item, from where.
import type { Item, StreamedEvent } from "../../api/types.ts";
import { useItems } from "../../api/use-items.ts";
import { Chip, EventType } from "../../parts/chip.tsx";
import { EventValue } from "../../parts/event-value.tsx";
import { formatClock, formatExact, timeOf } from "../../parts/format.ts";
import { ItemLink, PersonLink } from "../../parts/ids.tsx";
import { Table } from "../../parts/table.tsx";
import { useConsole } from "../../shell/context.ts";
import type { Row } from "./feed.ts";

export function Rows({ rows }: { rows: readonly Row[] }) {
  const items = useItems(rows.map((row) => (row.kind === "event" ? row.event.item_id : undefined)));
  return (
    <Table
      label="Events"
      fixed
      rows={rows}
      keyOf={(row) => row.key}
      columns={[
        {
          head: "Time",
          width: "80px",
          narrowWidth: "72px",
          cell: (row) => <When at={row.kind === "event" ? row.event.received_at : row.rejected.at} />,
        },
        {
          head: "Type",
          width: "128px",
          narrowWidth: "104px",
          cell: (row) =>
            row.kind === "event" ? <EventType type={row.event.event_type} /> : <Chip tone="bad">rejected</Chip>,
        },
        { head: "Person", width: "24%", wideOnly: true, cell: (row) => <Who row={row} /> },
        {
          head: "Item",
          cell: (row) => (
            <>
              <What row={row} items={items} />{" "}
              <span class="narrow-only">
                <Who row={row} />
              </span>
            </>
          ),
        },
        {
          head: "Value",
          width: "128px",
          align: "right",
          units: true,
          wideOnly: true,
          cell: (row) => (row.kind === "event" && row.event.value !== undefined ? <EventValue type={row.event.event_type} value={row.event.value} /> : null),
        },
        {
          head: "From",
          width: "20%",
          wideOnly: true,
          cell: (row) => (row.kind === "event" ? <From event={row.event} /> : null),
        },
      ]}
    />
  );
}

/** On a phone it stands below the item, in the same cell. */
function Who({ row }: { row: Row }) {
  const { links } = useConsole();
  return row.kind === "event" ? (
    <PersonLink person={row.event} />
  ) : (
    <a href={links.view(["dead-letters"], { code: row.rejected.code })}>in the dead letters</a>
  );
}

function When({ at }: { at: string | number }) {
  const timeMs = timeOf(at);
  return (
    <time class="num nowrap" dateTime={new Date(timeMs).toISOString()} title={formatExact(timeMs)}>
      {formatClock(timeMs)}
    </time>
  );
}

function What({ row, items }: { row: Row; items: ReadonlyMap<string, Item> }) {
  if (row.kind === "rejected")
    return (
      <span class="soft" title={row.rejected.path}>
        {row.rejected.message}
      </span>
    );
  const { item_id: id, page_url: page, additional_data: more } = row.event;
  if (id !== undefined) return <ItemLink id={id} item={items.get(id)} />;
  const searched = more?.["query"];
  if (typeof searched === "string") return <span class="breaks">“{searched}”</span>;
  return (
    <div class="soft cut" title={page}>
      {page === undefined ? "" : pathOf(page)}
    </div>
  );
}

function From({ event }: { event: StreamedEvent }) {
  const parts = [event.context?.["device"], event.context?.["browser"], event.context?.["country"]].filter(
    (part) => part !== undefined,
  );
  return (
    <span class="row">
      {event.traffic ? (
        <Chip tone="warn" title="Kept in the log, left out of profiles and models">
          {event.traffic}
        </Chip>
      ) : null}
      <span class="soft cut">{parts.join(", ")}</span>
    </span>
  );
}

function pathOf(address: string): string {
  const url = URL.parse(address);
  return url === null ? address : url.pathname + url.search;
}
