// What intake accepts, as it comes. Paused, it holds still and counts what came meanwhile.
import { useState } from "preact/hooks";
import { refQuery } from "../api/client.ts";
import { BUILT_IN_EVENT_TYPES } from "../api/event-types.ts";
import { Card, ViewHead } from "../parts/card.tsx";
import { Chip } from "../parts/chip.tsx";
import { formatNumber } from "../parts/format.ts";
import { Icon } from "../parts/icon.tsx";
import { PersonFilter } from "../parts/person-filter.tsx";
import { SendHint } from "../parts/send-hint.tsx";
import { Empty, Loading } from "../parts/state.tsx";
import { useConsole } from "../shell/context.ts";
import { personOfQuery } from "../shell/person-query.ts";
import { go } from "../shell/route.ts";
import { EVENTS_SHOWN_MAX, useFeed } from "./events/feed.ts";
import { Rows } from "./events/rows.tsx";

export function EventsView({ query }: { query: URLSearchParams }) {
  const { api, links } = useConsole();
  const type = query.get("type") ?? "";
  const person = query.get("person") ?? "";
  const [paused, setPaused] = useState(false);
  const feed = useFeed(
    api.streamUrl("/v1/events/stream", { ...(type === "" ? {} : { event_type: type }), ...(person === "" ? {} : refQuery(personOfQuery(person))) }),
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
              ? `${formatNumber(feed.status.per_s)} ${feed.status.per_s === 1 ? "event" : "events"}/s${feed.status.skipped > 0 ? `, ${feed.status.skipped} of them not shown: the stream is sampled beyond 50 a second` : ""}`
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
        ) : feed.state === "lost" ? (
          <Empty icon="warning" title="The stream is interrupted">
            The node does not answer. Check that it is running; events appear again by themselves when it is back.
          </Empty>
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
            {type !== "" || person !== "" ? (
              <>
                Nothing has matched the filters since this page was opened. What was refused is not matched: it is in the{" "}
                <a href={links.view(["dead-letters"], { person })}>dead letters</a>.
              </>
            ) : (
              "Nothing has come in since this page was opened. Use the site, or send an event yourself, and it appears here."
            )}
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
