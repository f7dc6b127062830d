// One person, live: what attune knows, how it moves, what it would show and why.
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiProblem, refQuery } from "../api/client.ts";
import { nodeNowMs } from "../api/node-clock.ts";
import { useRead } from "../api/use-read.ts";
import { useStream, type StreamState } from "../api/stream.ts";
import type { PersonRef, Profile, Program, RecommendationList } from "../api/types.ts";
import { ViewHead } from "../parts/card.tsx";
import { Chip } from "../parts/chip.tsx";
import { timeOf } from "../parts/format.ts";
import { nameOf } from "../parts/ids.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { Empty, Failed, Loading } from "../parts/state.tsx";
import { Words } from "../parts/words.tsx";
import { useConsole } from "../shell/context.ts";
import { queryOfPerson } from "../shell/person-query.ts";
import { Attributes } from "./person/attributes.tsx";
import { Activity, Features, Identity, Segments, Session, Surroundings } from "./person/facts.tsx";
import { Interests } from "./person/interests.tsx";
import { Recommendations } from "./person/recommendations.tsx";
import { Privacy } from "./person/privacy.tsx";
import { WhatIf } from "./person/what-if.tsx";
import { Timeline, type Happening } from "./person/timeline.tsx";

/** Interests decay without an event, so the profile is read again at this pace besides the pushes. */
const PROFILE_EVERY_MS = 2000;
/** Lists that one live connection carries. */
const PLACEMENTS_FOLLOWED_MAX = 8;
const RECOMMENDED_SHOWN = 12;
const HAPPENINGS_MAX = 50;

interface ProfileMessage {
  at: string;
  caused_by?: { received_at: string | number };
}
interface SegmentsMessage {
  segments: string[];
  entered: string[];
  left: string[];
  at: string;
}
interface TriggerMessage {
  name: string;
  item_id?: string;
  fired_at: string;
}

export function PersonView({ person }: { person: PersonRef }) {
  const { api, links } = useConsole();
  const key = `${api.project} ${JSON.stringify(person)}`;
  const below = useRef<HTMLDivElement>(null);
  const read = useRead(`profile ${key}`, () => api.profile(person), PROFILE_EVERY_MS);
  const program = useRead(`program ${api.project}`, () => api.program());
  const placements = Object.keys(program.data?.placements ?? {});
  const [chosen, setChosen] = useState<string | undefined>(undefined);
  const placement = chosen !== undefined && placements.includes(chosen) ? chosen : placements[0];
  const followed = followedOf(placements, placement);
  const [pushed, setPushed] = useState<Pushed>(() => nothing(key));
  const current = pushed.key === key ? pushed : nothing(key);
  const change = (next: (before: Pushed) => Partial<Pushed>): void =>
    setPushed((before) => {
      const base = before.key === key ? before : nothing(key);
      return { ...base, ...next(base) };
    });
  const happened = (before: Pushed, more: Happening[]): Happening[] =>
    [...more, ...before.happenings].slice(0, HAPPENINGS_MAX);

  const nobody = isRefused(read.error);
  const profile = nobody ? undefined : read.data;
  // EventSource tells no status and would ask again for ever, so nobody is followed before his profile is there.
  const url =
    profile === undefined || (program.data === undefined && program.error === undefined)
      ? undefined
      : api.streamUrl("/v1/live", {
          ...refQuery(person),
          ...(followed.length > 0 ? { placements: followed.join(",") } : {}),
          limit: String(RECOMMENDED_SHOWN),
          explain: "1",
        });
  const state = useStream(url, {
    profile: ({ at, caused_by }: ProfileMessage) => {
      read.reload();
      if (caused_by !== undefined) change(() => ({ pushedAfterMs: timeOf(at) - timeOf(caused_by.received_at) }));
    },
    recommendations: (list: RecommendationList) =>
      change((before) => ({ lists: { ...before.lists, [list.placement]: list } })),
    segments: ({ entered, left, at }: SegmentsMessage) =>
      change((before) => ({
        fresh: entered,
        happenings: happened(before, [
          ...entered.map((name): Happening => ({ kind: "entered", name, at })),
          ...left.map((name): Happening => ({ kind: "left", name, at })),
        ]),
      })),
    trigger: ({ name, item_id, fired_at }: TriggerMessage) =>
      change((before) => ({
        happenings: happened(before, [
          { kind: "trigger", name, at: fired_at, ...(item_id === undefined ? {} : { item_id }) },
        ]),
      })),
  });

  return (
    <>
      <ViewHead
        title={<span class="id title-id">{nameOf(person)}</span>}
        about={
          profile === undefined ? (
            person.user_id === undefined ? (
              "Visitor id"
            ) : (
              "User id"
            )
          ) : (
            <Known profile={profile} person={person} />
          )
        }
        end={
          nobody ? null : (
            <>
              <a class="btn" href={links.view(["events"], { person: queryOfPerson(person) })}>
                Events of this person
              </a>
              {profile === undefined ? null : (
                <button type="button" class="btn" onClick={() => toPrivacy(below.current!)}>
                  Privacy
                </button>
              )}
              <Live state={state} pushedAfterMs={current.pushedAfterMs} />
            </>
          )
        }
      />
      {profile !== undefined ? (
        <Whole
          profile={profile}
          pushed={current}
          placements={placements}
          placement={placement}
          onPlacement={setChosen}
          person={person}
          program={program.data}
        />
      ) : (
        <div key="instead" class="card">
          {read.error === undefined ? (
            <Loading rows={8} />
          ) : nobody ? (
            <Nobody person={person} error={read.error} />
          ) : (
            <Failed what="The profile" error={read.error} onRetry={read.reload} />
          )}
        </div>
      )}
      {/* Named, so that what stands above may change without an erasure under way being forgotten. */}
      <div key="privacy" class="below" ref={below}>
        <Privacy key={key} person={person} isKnown={profile !== undefined} onErased={read.reload} />
      </div>
    </>
  );
}

/** It is below everything that others come for. */
function toPrivacy(below: HTMLElement): void {
  below.scrollIntoView({ block: "center" });
  below.querySelector<HTMLElement>("button, a")?.focus({ preventScroll: true });
}

/** The first placements, and the one that is looked at: the same while that one is among them. */
function followedOf(placements: readonly string[], looked: string | undefined): string[] {
  const first = placements.slice(0, PLACEMENTS_FOLLOWED_MAX);
  if (looked === undefined || first.includes(looked)) return first;
  return [...first.slice(0, -1), looked];
}

/** The node knows nobody by this id, or nobody can have it: asking the same again brings nothing else. */
function isRefused(error: unknown): error is ApiProblem {
  return error instanceof ApiProblem && (error.status === 404 || error.status === 400);
}

function Nobody({ person, error }: { person: PersonRef; error: ApiProblem }) {
  const { links } = useConsole();
  const search = (
    <a class="btn" href={links.view(["people"])}>
      Search people
    </a>
  );
  if (error.status !== 404)
    return (
      <Empty icon="warning" title="Nobody can have this id" action={search}>
        <Words text={error.message} />
      </Empty>
    );
  return (
    <Empty
      icon="person"
      title="Nobody is known by this id"
      action={
        <>
          <a class="btn" href={links.view(["dead-letters"], { person: queryOfPerson(person) })}>
            What was refused
          </a>
          {search}
        </>
      }
    >
      No event with this {person.user_id === undefined ? "anonymous_id" : "user_id"} is kept. As soon as one comes in,
      the profile appears here by itself.
    </Empty>
  );
}

/** What the live connection told about one person since the page was opened. */
interface Pushed {
  readonly key: string;
  readonly lists: Record<string, RecommendationList>;
  /** Segments entered by the last change. */
  readonly fresh: string[];
  readonly happenings: Happening[];
  /** From the event's arrival at the node to the push, for the newest change. */
  readonly pushedAfterMs: number | undefined;
}

function nothing(key: string): Pushed {
  return { key, lists: {}, fresh: [], happenings: [], pushedAfterMs: undefined };
}

function Live({ state, pushedAfterMs }: { state: StreamState; pushedAfterMs: number | undefined }) {
  if (state !== "open")
    return (
      <Chip tone={state === "lost" ? "bad" : undefined}>
        {state === "lost" ? "connection lost, trying again" : "connecting"}
      </Chip>
    );
  if (pushedAfterMs === undefined) return <Chip tone="good">live</Chip>;
  return (
    <Chip tone="good" title="from the event's arrival to the changed profile on its way here">
      live, last change in {Math.max(0, Math.round(pushedAfterMs))} ms
    </Chip>
  );
}

function Known({ profile, person }: { profile: Profile; person: PersonRef }) {
  return (
    <span class="num">
      {person.user_id === undefined ? "Anonymous visitor" : "Known user"}, last changed{" "}
      <RelativeTime at={profile.updated_at} />, version {profile.version}
    </span>
  );
}

interface WholeProps {
  readonly profile: Profile;
  readonly person: PersonRef;
  readonly placements: readonly string[];
  /** The one whose list is shown. */
  readonly placement: string | undefined;
  readonly onPlacement: (name: string) => void;
  readonly program: Program | undefined;
  readonly pushed: Pushed;
}

function Whole({ profile, person, placements, placement, onPlacement, program, pushed }: WholeProps) {
  const [readAt, setReadAt] = useState(nodeNowMs);
  useEffect(() => setReadAt(nodeNowMs()), [profile]);
  return (
    <div class="grid">
      <div class="stack span-8">
        <Interests
          key={nameOf(person)}
          profile={profile}
          readAtMs={readAt}
          halfLife={program?.interests?.half_life}
          weights={program?.events ?? {}}
        />
        <Recommendations
          person={person}
          placements={placements}
          placement={placement}
          onPlacement={onPlacement}
          pushed={pushed.lists}
        />
        <WhatIf key={`what if ${nameOf(person)}`} person={person} profile={profile} placements={placements} />
        <Timeline person={person} recent={profile.recent} happenings={pushed.happenings} />
      </div>
      <div class="stack span-4">
        <Segments names={profile.segments} fresh={pushed.fresh} />
        <Features features={profile.features} />
        <Activity days={profile.activity ?? []} />
        <Session session={profile.session} />
        <Attributes key={`attributes ${nameOf(person)}`} person={person} attributes={profile.attributes} />
        <Identity profile={profile} person={person} />
        <Surroundings context={profile.context} consent={profile.consent} />
      </div>
    </div>
  );
}
