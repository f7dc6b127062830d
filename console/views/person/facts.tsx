// The plain facts of a profile: segments, features with their units, session, surroundings.
import { Fragment } from "preact";
import { nodeNowMs } from "../../api/node-clock.ts";
import type { PersonRef, Profile } from "../../api/types.ts";
import { Card } from "../../parts/card.tsx";
import { Chip } from "../../parts/chip.tsx";
import { FirstOf } from "../../parts/first-of.tsx";
import { formatCount, formatDuration, formatNumber, formatShare } from "../../parts/format.ts";
import { PersonLink, SegmentChip } from "../../parts/ids.tsx";
import { RelativeTime } from "../../parts/relative-time.tsx";
import { surroundingWords } from "./fact-words.ts";

/** Shown before somebody asks for all: a person may be in 200 segments and have 32 devices. */
const SEGMENTS_FIRST = 24;
const IDS_FIRST = 8;

export function Segments({ names, fresh }: { names: readonly string[]; fresh: readonly string[] }) {
  return (
    <Card title="Segments" note={names.length === 0 ? undefined : String(names.length)}>
      {names.length === 0 ? (
        <p class="soft">In none yet. Membership is looked at again with every event, and on time without one.</p>
      ) : (
        <FirstOf all={names} first={SEGMENTS_FIRST}>
          {(shown) => (
            <div class="row">
              {shown.map((name) => (
                <SegmentChip key={name} name={name} fresh={fresh.includes(name)} />
              ))}
            </div>
          )}
        </FirstOf>
      )}
    </Card>
  );
}

/** What the built-in features count, for the hover and the unit. */
const BUILT_IN: Readonly<Record<string, { unit: string; about: string }>> = {
  recency_s: { unit: "ago", about: "since the last interaction" },
  frequency: { unit: "in 10 min", about: "interactions in the last 10 minutes" },
  diversity: { unit: "of 1", about: "normalised entropy of the categories among the recent items" },
  velocity: { unit: "×", about: "rate of the last 5 minutes over that of the last hour; 1 is steady" },
  engagement: { unit: "points", about: "decayed sum of event weights" },
  scroll_depth: { unit: "", about: "deepest scroll, as a share of the page" },
  interactions: { unit: "", about: "interactions ever" },
};

export function Features({ features }: { features: Profile["features"] }) {
  const names = Object.keys(features);
  const own = names.filter((name) => BUILT_IN[name] === undefined && !name.endsWith("_s"));
  const ordered = [...names.filter((name) => !own.includes(name)), ...own.sort()];
  return (
    <Card title="Features">
      <dl class="facts numbers">
        {ordered.map((name) => (
          <Fragment key={name}>
            <dt class="cut" title={BUILT_IN[name]?.about ?? name}>
              {name}
            </dt>
            <dd>
              <FeatureValue name={name} value={features[name] ?? null} />
            </dd>
          </Fragment>
        ))}
      </dl>
    </Card>
  );
}

function FeatureValue({ name, value }: { name: string; value: number | string | null }) {
  if (value === null) return <span class="faint">never</span>;
  if (typeof value === "string") return <span class="text" dir="auto">{value}</span>;
  if (name === "scroll_depth") return <>{formatShare(value)}</>;
  if (name === "recency_s")
    return value < 1 ? (
      <>now</>
    ) : (
      <>
        {formatDuration(Math.floor(value) * 1000)}
        <span class="unit"> ago</span>
      </>
    );
  if (name.endsWith("_s")) return <>{formatDuration(value < 1 ? 0 : value * 1000)}</>;
  const unit = BUILT_IN[name]?.unit ?? "";
  return (
    <>
      {Number.isInteger(value) ? formatCount(value) : <span title={String(value)}>{formatNumber(value)}</span>}
      {unit === "" ? null : <span class="unit"> {unit}</span>}
    </>
  );
}

export function Session({ session }: { session: Profile["session"] }) {
  if (session === null || Object.keys(session).length === 0)
    return (
      <Card title="Session">
        <p class="soft">No session yet: it starts with the next event.</p>
      </Card>
    );
  const number = (name: string): number | undefined =>
    typeof session[name] === "number" ? (session[name] as number) : undefined;
  const scroll = number("scroll_depth");
  const duration = number("duration_s");
  const dwell = number("dwell_s");
  return (
    <Card
      title="Session"
      note={<RelativeTime at={session["started_at"] as string} />}
      end={
        <>
          {session["is_new"] === true ? <Chip tone="accent">first one</Chip> : null}
          {session["bounce"] === true ? <Chip title="one page, no interaction so far">bounce</Chip> : null}
        </>
      }
    >
      <dl class="facts numbers">
        {duration === undefined ? null : (
          <>
            <dt>Duration</dt>
            <dd>{formatDuration(duration * 1000)}</dd>
          </>
        )}
        {number("events") === undefined ? null : (
          <>
            <dt>Events</dt>
            <dd>{formatCount(number("events")!)}</dd>
          </>
        )}
        {number("page_views") === undefined ? null : (
          <>
            <dt>Page views</dt>
            <dd>{formatCount(number("page_views")!)}</dd>
          </>
        )}
        {dwell === undefined ? null : (
          <>
            <dt>Dwell</dt>
            <dd>{formatDuration(dwell * 1000)}</dd>
          </>
        )}
        {scroll === undefined ? null : (
          <>
            <dt>Scroll depth</dt>
            <dd>{formatShare(scroll)}</dd>
          </>
        )}
        {number("clicks") === undefined ? null : (
          <>
            <dt>Clicks</dt>
            <dd>{formatCount(number("clicks")!)}</dd>
          </>
        )}
        {typeof session["id"] === "string" && session["id"] !== "" ? (
          <>
            <dt>Id</dt>
            <dd class="id cut" title={session["id"]}>
              {session["id"]}
            </dd>
          </>
        ) : null}
      </dl>
    </Card>
  );
}

/** The ids that are one person: opening any of them opens this profile. */
export function Identity({ profile, person }: { profile: Profile; person: PersonRef }) {
  const others: PersonRef[] = [
    ...(profile.user_id !== null && person.user_id === undefined ? [{ user_id: profile.user_id }] : []),
    ...(profile.anonymous_ids ?? []).filter((id) => id !== person.anonymous_id).map((id) => ({ anonymous_id: id })),
  ];
  if (others.length === 0) return null;
  return (
    <Card title="Also known as" note={others.length === 1 ? "the same person" : `the same person, ${others.length} ids`}>
      <FirstOf all={others} first={IDS_FIRST}>
        {(shown) => (
          <ul>
            {shown.map((other) => (
              <li key={JSON.stringify(other)}>
                <PersonLink person={other} />{" "}
                <span class="faint small">{other.user_id === undefined ? "visitor" : "known user"}</span>
              </li>
            ))}
          </ul>
        )}
      </FirstOf>
    </Card>
  );
}

const ACTIVITY_DAYS = 30;
const DAY_MS = 86_400_000;

export function Activity({ days }: { days: NonNullable<Profile["activity"]> }) {
  const today = Math.floor(nodeNowMs() / DAY_MS);
  const counts = new Map(days.map((day) => [day.date, day.interactions]));
  const shown = Array.from({ length: ACTIVITY_DAYS }, (_, index) => {
    const date = new Date((today - ACTIVITY_DAYS + 1 + index) * DAY_MS).toISOString().slice(0, 10);
    return { date, count: counts.get(date) ?? 0 };
  });
  const most = Math.max(1, ...shown.map((day) => day.count));
  const total = shown.reduce((sum, day) => sum + day.count, 0);
  return (
    <Card title="Activity" note="interactions a day, 30 days">
      <div class="columns-plot" role="img" aria-label={`${total} interactions in 30 days, at most ${most} in one`}>
        {shown.map((day) => (
          <span key={day.date} title={`${day.date}: ${formatCount(day.count)}`}>
            <i style={{ height: `${(day.count / most) * 100}%` }} />
          </span>
        ))}
      </div>
      <div class="columns-axis faint small num">
        <span>{shown[0]!.date}</span>
        <span>{formatCount(total)} in all</span>
        <span>today</span>
      </div>
    </Card>
  );
}

export function Surroundings({ context, consent }: { context: Profile["context"]; consent: unknown }) {
  const entries = Object.entries(context);
  const purposes =
    typeof consent === "object" && consent !== null
      ? Object.entries(consent).filter(([, value]) => value === "granted" || value === "denied")
      : [];
  return (
    <Card title="Context" note="of the newest event">
      {entries.length === 0 ? (
        <p class="soft">No event told anything about device, country or browser.</p>
      ) : (
        <Facts entries={entries} shown={(name, value) => surroundingWords(name, value, context)} />
      )}
      {purposes.length === 0 ? null : (
        <div class="row spaced">
          {purposes.map(([name, value]) => (
            <Chip key={name} tone={value === "granted" ? "good" : "bad"}>
              {name} {String(value)}
            </Chip>
          ))}
        </div>
      )}
    </Card>
  );
}

interface FactsProps {
  readonly entries: readonly [string, unknown][];
  readonly shown: (name: string, value: unknown) => string;
}

export function Facts({ entries, shown }: FactsProps) {
  return (
    <dl class="facts">
      {entries.map(([name, value]) => (
        <Fragment key={name}>
          <dt class="cut" title={name}>
            {name}
          </dt>
          <dd dir="auto">{shown(name, value)}</dd>
        </Fragment>
      ))}
    </dl>
  );
}
