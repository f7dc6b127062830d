// What happened, newest first: the last interactions, and what the live connection told since the page was opened.
import { useState } from "preact/hooks";
import { useItems } from "../../api/use-items.ts";
import type { PersonRef, RecentItem } from "../../api/types.ts";
import { Card } from "../../parts/card.tsx";
import { Chip, EventType } from "../../parts/chip.tsx";
import { EventValue } from "../../parts/event-value.tsx";
import { timeOf } from "../../parts/format.ts";
import { ItemLink, SegmentChip } from "../../parts/ids.tsx";
import { RelativeTime } from "../../parts/relative-time.tsx";
import { Empty } from "../../parts/state.tsx";
import { Table } from "../../parts/table.tsx";
import { useConsole } from "../../shell/context.ts";
import { queryOfPerson } from "../../shell/person-query.ts";

const SHOWN_FIRST = 15;

export type Happening = { kind: "entered" | "left" | "trigger"; name: string; at: string; item_id?: string };

type Entry = { key: string; at: string | number } & ({ recent: RecentItem } | { happening: Happening });

interface TimelineProps {
  readonly person: PersonRef;
  readonly recent: readonly RecentItem[];
  readonly happenings: readonly Happening[];
}

export function Timeline({ person, recent, happenings }: TimelineProps) {
  const { links } = useConsole();
  const items = useItems([...recent, ...happenings].map((one) => one.item_id));
  const entries: Entry[] = [
    ...happenings.map((happening): Entry => ({
      key: `${happening.kind} ${happening.name} ${happening.at}`,
      at: happening.at,
      happening,
    })),
    ...keyed(recent),
  ].sort((a, b) => timeOf(b.at) - timeOf(a.at));
  const [all, setAll] = useState(false);
  return (
    <Card
      title="Timeline"
      note="last 50 interactions with items"
      end={
        <a class="btn small" href={links.view(["dead-letters"], { person: queryOfPerson(person) })}>
          What was refused
        </a>
      }
      flush
    >
      {entries.length === 0 ? (
        <Empty icon="events" title="No interaction yet">
          The person has not touched an item. Events with an <code>item_id</code> are listed here.
        </Empty>
      ) : (
        <>
          <Table
            label="Timeline"
            rows={all ? entries : entries.slice(0, SHOWN_FIRST)}
            keyOf={(entry) => entry.key}
            fixed
            columns={[
              { head: "When", width: "96px", narrowWidth: "88px", cell: (entry) => <RelativeTime at={entry.at} /> },
              {
                head: "What",
                width: "152px",
                narrowWidth: "112px",
                cell: (entry) =>
                  "recent" in entry ? (
                    <EventType type={entry.recent.event_type} />
                  ) : (
                    <Chip tone={entry.happening.kind === "trigger" ? "warn" : undefined}>
                      {HAPPENED[entry.happening.kind]}
                    </Chip>
                  ),
              },
              { head: "Item", cell: (entry) => <About entry={entry} items={items} /> },
              {
                head: "Value",
                width: "112px",
                align: "right",
                units: true,
                wideOnly: true,
                cell: (entry) =>
                  "recent" in entry && entry.recent.value !== undefined ? (
                    <EventValue type={entry.recent.event_type} value={entry.recent.value} />
                  ) : null,
              },
            ]}
          />
          {all || entries.length <= SHOWN_FIRST ? null : (
            <div class="card-more">
              <button type="button" class="btn" onClick={() => setAll(true)}>
                Show all {entries.length}
              </button>
            </div>
          )}
        </>
      )}
    </Card>
  );
}

/** Equal interactions in the same millisecond are told apart by their count, so that a row keeps its key as the list moves. */
function keyed(recent: readonly RecentItem[]): Entry[] {
  const seen = new Map<string, number>();
  return recent.map((one) => {
    const name = `${one.timestamp} ${one.item_id} ${one.event_type}`;
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return { key: `${name} ${count}`, at: one.timestamp, recent: one };
  });
}

const HAPPENED: Readonly<Record<Happening["kind"], string>> = {
  entered: "entered segment",
  left: "left segment",
  trigger: "trigger fired",
};

function About({ entry, items }: { entry: Entry; items: ReturnType<typeof useItems> }) {
  if ("recent" in entry) return <ItemLink id={entry.recent.item_id} item={items.get(entry.recent.item_id)} />;
  const { kind, name, item_id: id } = entry.happening;
  if (kind !== "trigger") return <SegmentChip name={name} />;
  return (
    <span>
      {name}
      {id === undefined ? null : (
        <>
          {" "}
          on <ItemLink id={id} item={items.get(id)} />
        </>
      )}
    </span>
  );
}
