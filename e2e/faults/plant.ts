// What is planted of a person, by every way in over the HTTP API of any host, and who of them a scan has found.
import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import { anonymousKeyOf, userKeyOf } from "../../core/identity/identity.ts";
import { eventKey } from "../../server/embedded/event-keys.ts";
import { canary } from "./canaries.ts";
import type { Scan } from "./scan.ts";

/** Where a canary is planted: what is stored of a person, by the API that takes it. */
export const FIELDS = [
  "event_id", "user_id", "anonymous_id", "session_id", "item_id", "page_url", "device", "os", "browser", "locale", "timezone",
  "country", "region", "referrer", "weather", "variant", "data_name", "data_value", "data_nested", "search", "attribute_name",
  "attribute_value", "consent_source", "consent_version", "dead_letter",
] as const;
type Field = (typeof FIELDS)[number];

const PERSONS_A_TURN = 16;
const POLL_MS = 50;
const AUDIT_PAGE = 500;
const LATE_MS = 86_400_000;

/** What a search for the erased came to. */
export interface FoundTally {
  readonly persons: number;
  readonly erased: number;
  readonly fields: number;
  /** Canaries of the erased, of persons × fields: planted, found before, found after in whatever place. */
  readonly planted: number;
  readonly foundBefore: number;
  readonly foundAfter: number;
  /** What was found after: where it tells, the place, then person/field; the first few. */
  readonly left: readonly string[];
  /** Canaries of the others that are not where they were. */
  readonly othersLost: number;
  /** Persons who had a profile again, whatever came late or was filled, replayed or restored. */
  readonly recreated: number;
  /** Until all jobs were done, ms; wall time. */
  readonly jobsMs: number;
}

export interface CanaryScan {
  readonly scan: Scan;
  /** Canaries of the erased that were found, as person/field; then those of the others. */
  readonly erased: ReadonlySet<string>;
  readonly others: ReadonlySet<string>;
  /** Of the erased persons' event ids, in indexes of ids. */
  readonly fingerprints: ReadonlySet<string>;
}

/** Persons below `erased` are those to be erased. */
export function newScan(persons: number, erased: number): CanaryScan {
  const [gone, others, fingerprints] = [new Set<string>(), new Set<string>(), new Set<string>()];
  const theirs = new Set<string>();
  for (let person = 0; person < erased; person++) {
    for (const [key, id] of eventIds(person)) {
      const { hi, lo } = eventKey(key, id);
      theirs.add(`${hi}/${lo}`);
    }
  }
  const scan: Scan = {
    tally: { files: 0, bytes: 0, opened: 0, unopened: 0 },
    found({ person, field }) {
      if (person < persons && field < FIELDS.length) (person < erased ? gone : others).add(`${person}/${FIELDS[field]}`);
    },
    fingerprint(hi, lo) {
      if (theirs.has(`${hi}/${lo}`)) fingerprints.add(`${hi}/${lo}`);
    },
  };
  return { scan, erased: gone, others, fingerprints };
}

/** Canaries of so many persons that were not found. */
export const missing = (found: ReadonlySet<string>, persons: number): number => persons * FIELDS.length - found.size;

export const of = (person: number, field: Field): string => canary(person, FIELDS.indexOf(field));
export const userOf = (person: number): string => of(person, "user_id");

function* eventIds(person: number): Generator<[personKey: string, eventId: string]> {
  for (const id of [of(person, "event_id"), `${of(person, "event_id")}-2`]) {
    yield [userKeyOf(userOf(person)), id];
    yield [anonymousKeyOf(of(person, "anonymous_id")), id];
  }
}

function eventsOf(person: number, timestamp: number): object[] {
  const at = (field: Field): string => of(person, field);
  const context = Object.fromEntries(
    (["device", "os", "browser", "locale", "timezone", "country", "region", "weather", "variant"] as const).map((f) => [f, at(f)]),
  );
  const who = { user_id: userOf(person), anonymous_id: at("anonymous_id"), session_id: at("session_id") };
  const view = {
    ...who, event_id: at("event_id"), event_type: "view", item_id: `item-${person % 5}`, timestamp,
    page_url: `https://shop.example/p?q=${at("page_url")}`,
    context: { ...context, referrer: `https://shop.example/r?q=${at("referrer")}` },
    additional_data: { [at("data_name")]: at("data_value"), nested: { deep: [at("data_nested")] } },
  };
  const search = { ...who, event_id: `${at("event_id")}-2`, event_type: "search", timestamp, additional_data: { query: at("search") } };
  return [view, search];
}

/** Everything that is stored of a person, by every way in; of those below `exported` everything is read once, too. */
export async function plant(url: string, { persons, exported }: { persons: number; exported: number }): Promise<void> {
  const timestamp = Date.now() - 60_000;
  await inTurns(persons, async (person) => {
    const user = userOf(person);
    await call(url, "POST", "/v1/events", { events: eventsOf(person, timestamp) }, 202);
    await call(url, "PATCH", `/v1/users/${user}/profile`, { attributes: { [of(person, "attribute_name")]: of(person, "attribute_value") } }, 200);
    const consent = { personalization: "granted", source: of(person, "consent_source"), policy_version: of(person, "consent_version") };
    await call(url, "PUT", `/v1/privacy/users/${user}/consent`, consent, 200);
    await call(url, "POST", "/v1/events", { user_id: user, event_type: "Nonsense", timestamp, note: of(person, "dead_letter") }, 400);
    await call(url, "GET", `/v1/recommendations?user_id=${user}&limit=5`, undefined, 200);
    if (person < exported) await call(url, "GET", `/v1/privacy/users/${user}/export`, undefined, 200);
  });
  // Last: an item that he alone has seen would be shown to others, and what they were shown is theirs.
  await inTurns(persons, async (person) => {
    const event = { user_id: userOf(person), event_type: "purchase", item_id: of(person, "item_id"), value: 5, timestamp };
    await call(url, "POST", "/v1/events", event, 202);
  });
}

/** Asks for the first so many to be erased; their jobs. */
export async function requestErasures(url: string, erased: number): Promise<string[]> {
  const jobs: string[] = [];
  await inTurns(erased, async (person) => {
    const { job_id: id } = await call(url, "DELETE", `/v1/privacy/users/${userOf(person)}`, undefined, 202);
    jobs.push(id);
  });
  return jobs;
}

/** Waits until all jobs are done; their proofs. */
export async function proofsOf(url: string, jobs: readonly string[]): Promise<any[]> {
  const proofs: any[] = [];
  for (const id of jobs) {
    for (;;) {
      const job = await call(url, "GET", `/v1/privacy/jobs/${id}`, undefined, 200);
      if (job.status === "done") {
        proofs.push(job.proof);
        break;
      }
      await setTimeout(POLL_MS);
    }
  }
  return proofs;
}

/** What the audit trail keeps of jobs that are done, by their ids. */
export async function auditedJobs(url: string): Promise<Map<string, any>> {
  const path = `/v1/audit?action=${encodeURIComponent("erasure done")}&limit=${AUDIT_PAGE}`;
  const { entries } = await call(url, "GET", path, undefined, 200);
  return new Map((entries as { details: { job_id: string } }[]).map(({ details }) => [details.job_id, details]));
}

/**
 * What happened before and comes after all: it must be refused, also what is no event. The persons of whom a refused event is
 * kept; those are retried.
 */
export async function sendLate(url: string, erased: number): Promise<Set<number>> {
  const timestamp = Date.now() - LATE_MS;
  await inTurns(erased, async (person) => {
    const offline = eventsOf(person, timestamp).map((event, i) => ({ ...event, event_id: `late-${i}` }));
    const [, search] = eventsOf(person, timestamp) as [object, Record<string, unknown>];
    const { user_id: _, ...device } = { ...search, event_id: "late-device" } as Record<string, unknown>;
    const answer = await call(url, "POST", "/v1/events", { events: [...offline, device] }, 400);
    assert.deepEqual(new Set(answer.rejected.map(({ code }: { code: string }) => code)), new Set(["erased"]));
    await call(url, "POST", "/v1/events", { user_id: userOf(person), event_type: "Nonsense", timestamp }, 400);
  });
  const persons = new Map(Array.from({ length: erased }, (_, person) => [userOf(person), person]));
  const { dead_letters: letters } = await call(url, "GET", "/v1/dead-letters?limit=500", undefined, 200);
  const kept = new Set<number>();
  for (const { id, body } of letters as { id: string; body: { user_id?: string } }[]) {
    const person = persons.get(body?.user_id ?? "");
    if (person === undefined) continue;
    kept.add(person);
    await fetch(`${url}/v1/dead-letters/${id}/retry`, { method: "POST" });
  }
  return kept;
}

/** Those of the erased who have a profile, by their user's or their device's id. */
export async function knownOf(url: string, erased: number): Promise<Set<number>> {
  const known = new Set<number>();
  await inTurns(erased, async (person) => {
    for (const path of [`users/${userOf(person)}`, `visitors/${of(person, "anonymous_id")}`])
      if (await isKnown(`${url}/v1/${path}/profile`)) known.add(person);
  });
  return known;
}

/** While a host cannot know, its answer says so, and is asked for again. */
async function isKnown(profileUrl: string): Promise<boolean> {
  for (;;) {
    const response = await fetch(profileUrl);
    const text = await response.text();
    if (response.status === 404) return false;
    if (response.status !== 200 || (JSON.parse(text) as { degraded?: boolean }).degraded !== true) return true;
    await setTimeout(POLL_MS);
  }
}

/** What persons from one on do who are not erased: the traffic goes on. */
export async function viewOn(url: string, { from, persons }: { from: number; persons: number }): Promise<void> {
  await inTurns(persons - from, async (index) => {
    const event = { user_id: userOf(from + index), event_type: "view", item_id: "item-0", timestamp: Date.now() };
    await call(url, "POST", "/v1/events", event, 202);
  });
}

async function inTurns(count: number, work: (index: number) => Promise<void>): Promise<void> {
  for (let from = 0; from < count; from += PERSONS_A_TURN) {
    const size = Math.min(PERSONS_A_TURN, count - from);
    await Promise.all(Array.from({ length: size }, (_, i) => work(from + i)));
  }
}

export async function call(url: string, method: string, path: string, body: unknown, expected: number): Promise<any> {
  const headers = { "user-agent": "attune-faults", ...(body !== undefined && { "content-type": "application/json" }) };
  const response = await fetch(url + path, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
  const text = await response.text();
  assert.equal(response.status, expected, `${method} ${path}: ${text.slice(0, 500)}`);
  return (response.headers.get("content-type") ?? "").includes("ndjson") ? text : JSON.parse(text);
}
