// A project's traffic from visitors to the operator's outputs, in memory, as chance has it.
import type { Rng } from "../../../core/math/rng.ts";
import type { ProgramDocument } from "../../../core/program/program.ts";
import { shopProgram } from "../../../core/program/shop.ts";
import type { Consent, DecisionRecord, PersonRef } from "../../../core/record.ts";
import { START_MS } from "../../../server/embedded/testing.ts";
import type { PersonAges } from "../../../server/privacy/retention.ts";
import type { UnstampedEvent } from "../../wire/record.ts";
import { createOperator } from "../operator.ts";
import { LogHost } from "./log-host.ts";
import type { ProgramInForce } from "./log-reference.ts";
import { randomVisit, ServerLinks } from "./visits.ts";

const EVENTS = 400;
const PERSONS = 12;

export interface PlayOptions {
  servers: number;
  partitions: number;
  /** Programs that come into force by turns; the first one alone without it. Default: the shop's. */
  programs?: readonly ProgramDocument[];
  /** Persons say what they allow, and change their minds. */
  consents?: boolean;
  /** Servers answer slots, too, and visitors react to what they saw. */
  decides?: Decides;
  /** For how long persons are kept after they were last seen; default: for ever. */
  ages?: PersonAges;
}

/** What a server answers somebody; undefined: nothing that is logged. */
export type Decides = (key: string, ref: PersonRef, nowMs: number) => DecisionRecord | undefined;

export interface DecisionEntry {
  readonly key: string;
  readonly timeMs: number;
  readonly decision: DecisionRecord;
}

export interface World {
  host: LogHost;
  programs: ProgramInForce[];
  decisions: DecisionEntry[];
}

/** Traffic into a log, read by the operator as chance has it, to the end. */
export function play(rng: Rng, options: PlayOptions): World {
  const documents = options.programs ?? [shopProgram];
  const operator = createOperator();
  operator.addProject({ passOnAfterMs: 0 });
  if (options.ages !== undefined) operator.setAges(0, options.ages);
  const programs: ProgramInForce[] = [];
  const put = (document: ProgramDocument, at: number): void => {
    const version = programs.length + 1;
    programs.push({ version, at, document });
    operator.addProgram(0, { version, atMs: at, document });
  };
  const host = new LogHost({ operator, partitions: options.partitions, nowMs: START_MS });
  put(documents[0]!, START_MS);
  const decisions: DecisionEntry[] = [];
  const servers = Array.from({ length: options.servers }, (_, i) => new ServerLinks(String(i)));
  const sent: ReturnType<typeof randomVisit>[] = [];
  const keyOfId = new Map<string, string>();
  let told = 0;
  for (let serial = 0; serial < EVENTS; serial++) {
    host.nowMs += rng.between(0, 30) === 0 ? rng.between(0, 4 * 3_600_000) : rng.between(0, 5_000);
    const again = sent.length > 0 && rng.between(0, 9) === 0;
    const shared = options.servers === 1;
    const event = again
      ? sent[Math.max(0, sent.length - rng.between(1, 30))]!
      : randomVisit(rng, { persons: shared ? PERSONS : 3 * Math.ceil(PERSONS / 3), nowMs: host.nowMs, serial });
    const own = shared || again ? event : ownDevice(event);
    const visit = again || options.decides === undefined ? own : reacting(rng, own, decisions);
    sent.push(visit);
    if (visit.traffic !== undefined) {
      host.append(`t:${serial % 7}`, { kind: "event", event: visit });
      continue;
    }
    const server = servers[rng.between(0, servers.length - 1)]!;
    // The one duplicate that a key cannot know: sent again after its device went over to another user.
    if (again && shared && server.keyOf(visit) !== keyOfId.get(visit.event_id)) continue;
    // A page asks before its first event is there, so also for somebody whom nobody knows.
    const { user_id, anonymous_id } = visit;
    const isGuest = anonymous_id !== undefined && (user_id === undefined || serial % 2 === 0);
    const asking: PersonRef = isGuest ? { anonymous_id } : { user_id: user_id! };
    const decision = options.decides?.(server.keyOf(asking), asking, host.nowMs);
    if (decision !== undefined) decisions.push({ key: server.keyOf(asking), timeMs: ++host.nowMs, decision });
    const { key, marker } = server.place(visit);
    keyOfId.set(visit.event_id, server.keyOf(visit));
    if (marker !== undefined) {
      host.append(marker.anonKey, marker);
      let lag = rng.between(0, 6);
      while (lag-- > 0) host.step(rng);
    }
    const ref = refOf(visit);
    const isSure = shared || ref.user_id !== undefined;
    if (isSure && rng.between(0, 15) === 0)
      host.append(key, { kind: "attributes", id: `r${serial}`, ref, attributes: { n: serial } });
    if (options.consents === true && isSure && rng.between(0, 8) === 0)
      host.append(key, { kind: "attributes", id: `c${serial}`, ref, attributes: {}, consent: randomConsent(rng) });
    host.append(key, { kind: "event", event: visit });
    if (rng.between(0, 40) === 0 && servers.length > 1) for (const one of servers) one.learn(server);
    if (documents.length > 1 && rng.between(0, 120) === 0)
      put(documents[programs.length % documents.length]!, host.nowMs + 1_000);
    let steps = rng.between(0, 3);
    while (steps-- > 0) host.step(rng);
    // Who comes back while he is being forgotten, by a link that servers still know, begins anew without it.
    while (host.isForgetting) host.step(rng);
    for (; told < host.forgotten.length; told++) for (const one of servers) one.forget(host.forgotten[told]!);
  }
  while (host.step(rng));
  return { host, programs, decisions };
}

/** Most often he reacts to what he was shown last, under whichever of his ids. */
function reacting(rng: Rng, visit: UnstampedEvent, decisions: readonly DecisionEntry[]): UnstampedEvent {
  const { user_id: user, anonymous_id: anonymous } = visit;
  const last = decisions.findLast(
    ({ decision }) =>
      (user !== undefined && decision.user_id === user) ||
      (anonymous !== undefined && decision.anonymous_id === anonymous),
  );
  if (last === undefined || rng.between(0, 3) === 0) return visit;
  const context = { ...visit.context, decision_id: last.decision.decision_id };
  const type = rng.between(0, 1) === 0 ? { event_type: "impression" } : {};
  return { ...visit, ...type, context };
}

function randomConsent(rng: Rng): Consent {
  const said = (): "granted" | "denied" => (rng.between(0, 2) === 0 ? "granted" : "denied");
  return { personalization: said(), analytics: said(), profiling: said() };
}

function refOf({ user_id: user, anonymous_id: anonymous }: PersonRef): PersonRef {
  return {
    ...(user === undefined ? {} : { user_id: user }),
    ...(anonymous === undefined ? {} : { anonymous_id: anonymous }),
  };
}

/** Where servers learn of links late, a device belongs to one user: a stale link to another one has no order. */
function ownDevice<T extends { user_id?: string; anonymous_id?: string }>(visit: T): T {
  return visit.user_id === undefined || visit.anonymous_id === undefined
    ? visit
    : { ...visit, anonymous_id: `a${visit.user_id.slice(1)}` };
}
