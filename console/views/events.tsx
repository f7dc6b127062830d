// What intake accepts, as it comes. Paused, it holds still and counts what came meanwhile.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { BUILT_IN_EVENT_TYPES } from "../api/event-types.ts";
import { useStream } from "../api/stream.ts";
import type { Item, StreamedEvent, StreamStatus } from "../api/types.ts";
import { Card, ViewHead } from "../parts/card.tsx";
import { Chip, EventType } from "../parts/chip.tsx";
import { formatClock, formatExact, formatNumber, timeOf } from "../parts/format.ts";
import { Icon } from "../parts/icon.tsx";
import { ItemLink, PersonLink } from "../parts/ids.tsx";
import { SendHint } from "../parts/send-hint.tsx";
import { Empty, Loading } from "../parts/state.tsx";
import { Table } from "../parts/table.tsx";
import { useItems } from "../api/use-items.ts";
import { useConsole } from "../shell/context.ts";
import { go } from "../shell/route.ts";

const EVENTS_SHOWN_MAX = 100;
/** Rows are taken in together at this pace, so that a busy stream can be read. */
const SHOW_EVERY_MS = 500;

interface Rejected {
  code: string;
  path: string;
  message: string;
  at: string;
}

type Row = { kind: "event"; key: string; event: StreamedEvent } | { kind: "rejected"; key: string; rejected: Rejected };

export function EventsView({ query }: { query: URLSearchParams }) {
  const { api, links } = useConsole();
  const type = query.get("type") ?? "";
  const person = query.get("person") ?? "";
  const [paused, setPaused] = useState(false);
  const feed = useFeed(
    api.streamUrl("/v1/events/stream", { ...(type === "" ? {} : { event_type: type }), ...personFilter(person) }),
    paused,
  );
  const setQuery = (next: { type?: string; person?: string }): void =>
    go(links.view(["events"], { type, person, ...next }), { replace: true });

  return (
    <>
      <ViewHead
        title="Live events"
        about={
          <span class="num">
            {feed.status
              ? `${formatNumber(feed.status.per_s)} events/s${feed.status.skipped > 0 ? `, ${feed.status.skipped} of them not shown: the stream is sampled beyond 50 a second` : ""}`
              : "Each event as it is accepted."}
          </span>
        }
        end={
          <Chip tone={feed.state === "open" ? "good" : feed.state === "lost" ? "bad" : undefined}>
            {feed.state === "open"
              ? paused
                ? "paused"
                : "live"
              : feed.state === "lost"
                ? "connection lost, trying again"
                : "connecting"}
          </Chip>
        }
      />
      <Card
        title="Stream"
        flush
        note={paused ? `${feed.waiting} new since the pause` : `newest ${EVENTS_SHOWN_MAX}`}
        end={
          <>
            <TypeFilter type={type} seen={feed.types} onChange={(next) => setQuery({ type: next })} />
            <PersonFilter person={person} onChange={(next) => setQuery({ person: next })} />
            <button type="button" class="btn" aria-pressed={paused} onClick={() => setPaused(!paused)}>
              <Icon name={paused ? "play" : "pause"} /> {paused ? "Resume" : "Pause"}
            </button>
          </>
        }
      >
        {feed.rows.length > 0 ? (
          <Rows rows={feed.rows} />
        ) : feed.state === "connecting" ? (
          <Loading rows={8} />
        ) : (
          <Empty
            icon="events"
            title="Waiting for events"
            action={
              type !== "" || person !== "" ? (
                <button type="button" class="btn" onClick={() => setQuery({ type: "", person: "" })}>
                  Clear the filters
                </button>
              ) : (
                <SendHint />
              )
            }
          >
            {type !== "" || person !== ""
              ? "Nothing has matched the filters since this page was opened."
              : "Nothing has come in since this page was opened. Use the site, or send an event yourself, and it appears here."}
          </Empty>
        )}
      </Card>
    </>
  );
}

function TypeFilter({
  type,
  seen,
  onChange,
}: {
  type: string;
  seen: readonly string[];
  onChange: (type: string) => void;
}) {
  const types = [...new Set([...BUILT_IN_EVENT_TYPES, ...seen, ...(type === "" ? [] : [type])])].sort();
  return (
    <select
      class="field"
      aria-label="Event type"
      value={type}
      onChange={(event) => onChange(event.currentTarget.value)}
    >
      <option value="">All types</option>
      {types.map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  );
}

/** `ID` is a user, `anonymous:ID` a visitor. */
function PersonFilter({ person, onChange }: { person: string; onChange: (person: string) => void }) {
  const [text, setText] = useState(person);
  useEffect(() => setText(person), [person]);
  return (
    <form
      class="row"
      onSubmit={(event) => {
        event.preventDefault();
        onChange(text.trim());
      }}
    >
      <input
        class="field person-filter"
        type="search"
        aria-label="Person: a user id, or anonymous: and a visitor id"
        title="A user id, or anonymous: and a visitor id. Enter applies it."
        placeholder="user id, or anonymous:id"
        value={text}
        spellcheck={false}
        autocomplete="off"
        onInput={(event) => {
          setText(event.currentTarget.value);
          if (event.currentTarget.value === "") onChange("");
        }}
      />
    </form>
  );
}

function personFilter(person: string): Record<string, string> {
  if (person === "") return {};
  return person.startsWith("anonymous:") ? { anonymous_id: person.slice("anonymous:".length) } : { user_id: person };
}

function Rows({ rows }: { rows: readonly Row[] }) {
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
          cell: (row) => <When at={row.kind === "event" ? row.event.received_at : row.rejected.at} />,
        },
        {
          head: "Type",
          width: "128px",
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
          width: "88px",
          align: "right",
          wideOnly: true,
          cell: (row) => (row.kind === "event" && row.event.value !== undefined ? <Value event={row.event} /> : null),
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
    <a href={links.view(["dead-letters"])}>in the dead letters</a>
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
  if (typeof searched === "string") return <span>“{searched}”</span>;
  return (
    <span class="soft cut" title={page}>
      {page === undefined ? "" : pathOf(page)}
    </span>
  );
}

const VALUE_UNITS: Readonly<Record<string, string>> = { dwell: "s", hover: "s" };

function Value({ event }: { event: StreamedEvent }) {
  if (event.event_type === "scroll")
    return (
      <>
        {Math.round((event.value ?? 0) * 100)}
        <span class="unit"> %</span>
      </>
    );
  return (
    <>
      {formatNumber(event.value ?? 0)}
      <span class="unit"> {VALUE_UNITS[event.event_type] ?? ""}</span>
    </>
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

/** Gathers the stream and shows it in beats; the newest row first. */
function useFeed(url: string, paused: boolean) {
  const [rows, setRows] = useState<readonly Row[]>([]);
  const [waiting, setWaiting] = useState(0);
  const [status, setStatus] = useState<StreamStatus | undefined>(undefined);
  const arrived = useRef<Row[]>([]);
  const count = useRef(0);
  const take = (row: Row): void => {
    arrived.current = [row, ...arrived.current].slice(0, EVENTS_SHOWN_MAX);
    count.current++;
  };

  const state = useStream(url, {
    event: (event: StreamedEvent) => take({ kind: "event", key: event.event_id, event }),
    rejected: (rejected: Rejected) =>
      take({ kind: "rejected", key: `rejected ${rejected.at} ${count.current}`, rejected }),
    status: setStatus,
  });
  useEffect(() => {
    arrived.current = [];
    count.current = 0;
    setRows([]);
    setStatus(undefined);
  }, [url]);
  useEffect(() => {
    const show = (): void => {
      if (arrived.current.length === 0) return;
      if (paused) {
        setWaiting(count.current);
        return;
      }
      const fresh = arrived.current;
      const known = new Set(fresh.map((row) => row.key));
      arrived.current = [];
      count.current = 0;
      setWaiting(0);
      setRows((shown) => [...fresh, ...shown.filter((row) => !known.has(row.key))].slice(0, EVENTS_SHOWN_MAX));
    };
    show();
    const timer = setInterval(show, SHOW_EVERY_MS);
    return () => clearInterval(timer);
  }, [paused]);

  const types = useMemo(
    () => [...new Set(rows.flatMap((row) => (row.kind === "event" ? [row.event.event_type] : [])))],
    [rows],
  );
  return { rows, waiting, status, state, types };
}
