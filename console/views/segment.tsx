// One segment: its rule, its size over time, who is in it.
import { useEffect, useState } from "preact/hooks";
import { ApiProblem } from "../api/client.ts";
import { useRead } from "../api/use-read.ts";
import type { PersonRef, Segment } from "../api/types.ts";
import { Card, ViewHead } from "../parts/card.tsx";
import { Chip } from "../parts/chip.tsx";
import { formatCount } from "../parts/format.ts";
import { LearnedCard } from "../parts/learned.tsx";
import { PersonList } from "../parts/person-list.tsx";
import { Plot } from "../parts/plot.tsx";
import { Empty, Failed, Loading } from "../parts/state.tsx";
import { useConsole } from "../shell/context.ts";
import { seriesSpanS, seriesTimes, useStats } from "../shell/stats.ts";

const MEMBERS_EVERY_MS = 5000;

export function SegmentView({ name }: { name: string }) {
  const { api, links } = useConsole();
  const segments = useRead(`segments ${api.project}`, () => api.segments(), MEMBERS_EVERY_MS);
  const segment = segments.data?.find((one) => one.name === name);
  return (
    <>
      <ViewHead
        title={name}
        about={segment?.description ?? "Segment"}
        end={
          <>
            {segment === undefined ? null : (
              <a class="btn" href={links.program(["segments", segment.learned?.family ?? name])}>
                Edit in the program
              </a>
            )}
            <a class="btn" href={links.view(["segments"])}>
              All segments
            </a>
          </>
        }
      />
      {segment !== undefined ? (
        <Whole segment={segment} />
      ) : (
        <div class="card">
          {segments.error !== undefined ? (
            <Failed what="The segment" error={segments.error} onRetry={segments.reload} />
          ) : segments.data === undefined ? (
            <Loading />
          ) : (
            <Empty
              icon="segments"
              title="The current program has no such segment"
              action={
                <a class="btn" href={links.view(["segments"])}>
                  All segments
                </a>
              }
            >
              It may have been renamed or removed; earlier versions of the program are kept.
            </Empty>
          )}
        </div>
      )}
    </>
  );
}

function Whole({ segment }: { segment: Segment }) {
  const stats = useStats();
  const sizes = stats.data?.series.segments[segment.name];
  return (
    <div class="grid">
      <div class="stack span-8">
        <Card title="Size over time" note="last 10 minutes">
          {stats.data && sizes ? (
            <Plot
              label={`Size of ${segment.name}`}
              times={seriesTimes(stats.data)}
              spanS={seriesSpanS(seriesTimes(stats.data))}
              format={formatCount}
              whole
              series={[{ name: "persons", values: sizes, filled: true }]}
            />
          ) : stats.error === undefined && stats.data === undefined ? (
            <Loading rows={3} />
          ) : (
            <p class="soft">Sizes are taken every five seconds; the first one is on its way.</p>
          )}
        </Card>
        <Members name={segment.name} />
      </div>
      <div class="stack span-4">
        <LearnedCard segment={segment} />
        <Card
          title="Rule"
          end={
            <Chip tone="accent">
              {formatCount(segment.size)} {segment.size === 1 ? "person" : "persons"}
            </Chip>
          }
        >
          <pre class="code wrap">
            <code>{segment.when}</code>
          </pre>
        </Card>
      </div>
    </div>
  );
}

function Members({ name }: { name: string }) {
  const { api, notify } = useConsole();
  const first = useRead(`members ${api.project} ${name}`, () => api.segmentUsers(name), MEMBERS_EVERY_MS);
  const [more, setMore] = useState<{ users: PersonRef[]; next: string | null } | undefined>(undefined);
  useEffect(() => setMore(undefined), [name, api]);
  const next = more === undefined ? (first.data?.next ?? null) : more.next;
  const loadMore = async (): Promise<void> => {
    if (next === null) return;
    try {
      const page = await api.segmentUsers(name, next);
      setMore({ users: [...(more?.users ?? []), ...page.users], next: page.next });
    } catch (error) {
      if (error instanceof ApiProblem && error.code === "page_expired") {
        setMore(undefined);
        first.reload();
        return;
      }
      notify("The next members could not be read. Try again in a moment.", "bad");
    }
  };
  const known = new Set<string>();
  const users = [...(first.data?.users ?? []), ...(more?.users ?? [])].filter((user) => {
    const key = JSON.stringify(user);
    return known.has(key) ? false : known.add(key);
  });
  // A page that was just filled has a next one, which may be empty.
  const isWhole = next === null || users.length >= (first.data?.total ?? 0);
  return (
    <Card
      title="Members"
      note={first.data ? `${formatCount(users.length)} of ${formatCount(first.data.total)}` : undefined}
      flush
    >
      {first.data === undefined ? (
        first.error === undefined ? (
          <Loading rows={6} />
        ) : (
          <Failed what="The members" error={first.error} onRetry={first.reload} />
        )
      ) : users.length === 0 ? (
        <Empty icon="person" title="Nobody is in this segment now">
          A person enters as soon as the rule holds for them, and this list follows.
        </Empty>
      ) : (
        <>
          <PersonList label="Members" persons={users} />
          {isWhole ? null : (
            <div class="card-more">
              <button type="button" class="btn" onClick={() => void loadMore()}>
                Show more
              </button>
            </div>
          )}
        </>
      )}
    </Card>
  );
}
