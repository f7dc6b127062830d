// Finding a person: by the start of an id, or among those who act right now.
import { useEffect, useState } from "preact/hooks";
import { useRead } from "../api/use-read.ts";
import { useStream } from "../api/stream.ts";
import type { PersonRef, StreamedEvent } from "../api/types.ts";
import { Card, ViewHead } from "../parts/card.tsx";
import { Chip, EventType } from "../parts/chip.tsx";
import { formatCount, formatCounted } from "../parts/format.ts";
import { nameOf, PersonLink } from "../parts/ids.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { usePaused } from "../parts/paced.ts";
import { PersonList } from "../parts/person-list.tsx";
import { SendHint } from "../parts/send-hint.tsx";
import { Empty, Failed, Loading } from "../parts/state.tsx";
import { Table } from "../parts/table.tsx";
import { useConsole } from "../shell/context.ts";
import { go } from "../shell/route.ts";
import { useStats } from "../shell/stats.ts";

const ACTIVE_MAX = 25;
const SHOW_EVERY_MS = 1000;
const PERSONS_FIRST = 60;
/** The search answers with no more. */
const PERSONS_SHOWN_MAX = 200;

export function PeopleView({ query }: { query: URLSearchParams }) {
  const { links } = useConsole();
  const stats = useStats();
  const text = query.get("find") ?? "";
  const asked = usePaused(text.trim());
  return (
    <>
      <ViewHead
        title="People"
        about={
          stats.data
            ? `${formatCounted(stats.data.totals.persons, "person")}, known users and anonymous visitors`
            : "Known users and anonymous visitors"
        }
      />
      <div class="stack">
        <input
          class="field wide"
          type="search"
          aria-label="Find a person by the start of an id"
          placeholder="The start of a user id or visitor id"
          spellcheck={false}
          autocomplete="off"
          value={text}
          onInput={({ currentTarget }) => go(links.view(["people"], { find: currentTarget.value }), { replace: true })}
        />
        {asked === "" ? (
          <>
            <ActiveNow />
            <Found prefix="" />
          </>
        ) : (
          <Found prefix={asked} />
        )}
      </div>
    </>
  );
}

function Found({ prefix }: { prefix: string }) {
  const { api } = useConsole();
  const found = useRead(`search ${api.project} ${prefix}`, () => api.search(prefix, PERSONS_SHOWN_MAX));
  const [isWhole, setWhole] = useState(false);
  const persons = found.data?.persons ?? [];
  const shown = isWhole ? persons : persons.slice(0, PERSONS_FIRST);
  return (
    <Card
      title={prefix === "" ? "Everybody" : "Found"}
      note={
        shown.length < persons.length || shown.length === PERSONS_SHOWN_MAX ? `the first ${shown.length} by id` : null
      }
      flush
    >
      {found.data === undefined ? (
        found.error === undefined ? (
          <Loading rows={3} />
        ) : (
          <Failed what="The search" error={found.error} onRetry={found.reload} />
        )
      ) : persons.length === 0 && prefix === "" ? (
        <Empty icon="person" title="Nobody is known yet" action={<SendHint />}>
          Somebody is with the first event that names a user or a visitor.
        </Empty>
      ) : persons.length === 0 ? (
        <Empty icon="person" title={`No id starts with “${prefix}”`}>
          Ids are matched from their first letter, with the same case. An erased person is not found.
        </Empty>
      ) : (
        <>
          <PersonList label="Persons found" persons={shown} />
          {shown.length === persons.length ? null : (
            <div class="card-more">
              <button type="button" class="btn" onClick={() => setWhole(true)}>
                Show {persons.length - shown.length} more
              </button>
            </div>
          )}
        </>
      )}
    </Card>
  );
}

function Kind({ person }: { person: PersonRef }) {
  return person.user_id === undefined ? <Chip>visitor</Chip> : <Chip tone="accent">known user</Chip>;
}

interface Active {
  readonly person: PersonRef;
  readonly newest: StreamedEvent;
  readonly events: number;
}

/** Those whose events came in since the page was opened. A person keeps the row; only its figures move. */
function ActiveNow() {
  const { api } = useConsole();
  const [active, setActive] = useState<ReadonlyMap<string, Active>>(new Map());
  const [arrived] = useState<StreamedEvent[]>([]);
  const state = useStream(api.streamUrl("/v1/events/stream", {}), {
    event: (event: StreamedEvent) => void arrived.push(event),
  });
  useEffect(() => {
    const timer = setInterval(() => {
      if (arrived.length > 0) setActive((before) => withEvents(before, arrived.splice(0)));
    }, SHOW_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  const rows = [...active.values()];
  return (
    <Card title="Active now" note="since this page was opened" flush>
      {rows.length === 0 ? (
        state === "lost" ? (
          <Empty icon="warning" title="The stream is not there">
            The node does not answer. The list goes on by itself when it is back.
          </Empty>
        ) : (
          <p class="soft pad">Whoever acts from now on appears here.</p>
        )
      ) : (
        <Table
          label="Active persons"
          rows={rows}
          keyOf={(row) => nameOf(row.person)}
          fixed
          columns={[
            { head: "Person", cell: (row) => <PersonLink person={row.person} /> },
            { head: "Kind", width: "120px", wideOnly: true, cell: (row) => <Kind person={row.person} /> },
            { head: "Last event", width: "140px", cell: (row) => <EventType type={row.newest.event_type} /> },
            { head: "When", width: "96px", cell: (row) => <RelativeTime at={row.newest.received_at} /> },
            { head: "Events", width: "72px", align: "right", wideOnly: true, cell: (row) => formatCount(row.events) },
          ]}
        />
      )}
    </Card>
  );
}

function withEvents(
  before: ReadonlyMap<string, Active>,
  events: readonly StreamedEvent[],
): ReadonlyMap<string, Active> {
  const after = new Map(before);
  for (const event of events) {
    const person =
      event.user_id === undefined ? { anonymous_id: event.anonymous_id ?? "" } : { user_id: event.user_id };
    const key = nameOf(person);
    const known = after.get(key);
    if (known === undefined && after.size >= ACTIVE_MAX) dropQuietest(after);
    after.set(key, { person, newest: event, events: (known?.events ?? 0) + 1 });
  }
  return after;
}

function dropQuietest(active: Map<string, Active>): void {
  const [quietest] = [...active].sort(([, a], [, b]) =>
    String(a.newest.received_at) < String(b.newest.received_at) ? -1 : 1,
  );
  if (quietest !== undefined) active.delete(quietest[0]);
}
