// Persons who are forgotten by age, one turn at a time: what a turn says of the time, what a look writes, what reading it does.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { shopProgram } from "../../core/program/shop.ts";
import { MONDAY_MS } from "../../core/testing/programs.ts";
import type { PersonRef } from "../../core/record.ts";
import { decodeOutcome } from "../wire/outcome.ts";
import { decodeProfile } from "../wire/profile.ts";
import { type ClusterRecord, decodeClusterRecord, encodeClusterRecord } from "../wire/record.ts";
import { decodeStep } from "../wire/step.ts";
import { OPERATION, type TurnInput } from "./frame.ts";
import { createOperator, type Operator } from "./operator.ts";
import { type ReadResult, run } from "./testing/log-host.ts";

const DAY_MS = 86_400_000;
const AGES = { profiles: 395 * DAY_MS, visitors: 30 * DAY_MS };
const EMPTY = new Uint8Array(0);
type Expiry = Extract<ClusterRecord, { kind: "expiry" }>;

function shopOperator({ passOnAfterMs = 0, ages = AGES } = {}): Operator {
  const operator = createOperator();
  operator.addProject({ passOnAfterMs });
  operator.addProgram(0, { version: 1, atMs: 0, document: shopProgram });
  operator.setAges(0, ages);
  return operator;
}

type Operation = TurnInput["operations"][number];
const record = (value: ClusterRecord, atMs: number): Operation => ({ kind: OPERATION.record, atMs, value: encodeClusterRecord(value) });
const look = (atMs: number): Operation => ({ kind: OPERATION.time, atMs, value: EMPTY });
const view = (id: string, ref: PersonRef, atMs = MONDAY_MS): Operation =>
  record({ kind: "event", event: { event_id: id, event_type: "view", timestamp: atMs, item_id: "lamp", ...ref } }, atMs);

function turn(operator: Operator, key: string, state: Uint8Array | undefined, ...operations: Operation[]): ReadResult {
  return run(operator, { project: 0, key, state: state ?? EMPTY, operations });
}

/** What the turn has written into the log, by key. */
function written({ outputs }: ReadResult): [string, Expiry][] {
  const events = outputs.filter(({ channel }) => channel === "events");
  return events.map(({ key, value }) => [key, decodeClusterRecord(value) as Expiry]);
}

test("a turn says when its person is to be looked at: a visitor of one session, one who came back, a user", () => {
  const operator = shopOperator();
  const visitor = turn(operator, "a:1", EMPTY, view("e1", { anonymous_id: "1" }));
  equal(visitor.expiresMs, MONDAY_MS + AGES.visitors + 1);
  const later = MONDAY_MS + 2 * DAY_MS;
  const back = turn(operator, "a:1", visitor.state, view("e2", { anonymous_id: "1" }, later));
  equal(back.expiresMs, later + AGES.profiles + 1);
  equal(turn(operator, "u:1", EMPTY, view("e1", { user_id: "1" })).expiresMs, MONDAY_MS + AGES.profiles + 1);
  const short = shopOperator({ ages: { profiles: DAY_MS, visitors: 30 * DAY_MS } });
  equal(turn(short, "a:1", EMPTY, view("e1", { anonymous_id: "1" })).expiresMs, MONDAY_MS + DAY_MS + 1);
});

test("without ages, and behind a signpost, nobody is ever looked at", () => {
  const operator = shopOperator({ ages: { profiles: Infinity, visitors: Infinity } });
  const { state, expiresMs } = turn(operator, "a:1", EMPTY, view("e1", { anonymous_id: "1" }));
  equal(expiresMs, Infinity);
  const link = record({ kind: "link", id: "l", anonKey: "a:1", userKey: "u:1" }, MONDAY_MS);
  equal(turn(shopOperator(), "a:1", state, link).expiresMs, Infinity);
});

test("events of long ago that come today are kept from today on", () => {
  const event = { event_id: "e1", event_type: "view", timestamp: MONDAY_MS - 400 * DAY_MS, user_id: "1" };
  const { expiresMs } = turn(shopOperator(), "u:1", EMPTY, record({ kind: "event", event }, MONDAY_MS));
  equal(expiresMs, MONDAY_MS + AGES.profiles + 1);
});

test("a look writes that he is to be forgotten, not a millisecond too early; reading it forgets him and his devices' links", () => {
  const operator = shopOperator();
  const named = view("e1", { user_id: "1", anonymous_id: "phone" });
  const { state, expiresMs } = turn(operator, "u:1", EMPTY, { ...named, kind: OPERATION.waited });
  deepEqual(written(turn(operator, "u:1", state, look(expiresMs - 1))), []);
  const looked = turn(operator, "u:1", state, look(expiresMs));
  const called: Expiry = { kind: "expiry", key: "u:1", untilMs: MONDAY_MS };
  deepEqual(written(looked), [["u:1", called]]);
  const gone = turn(operator, "u:1", looked.state ?? state, record(called, expiresMs + 5));
  deepEqual([gone.state?.length, gone.dueMs, gone.expiresMs], [0, Infinity, Infinity]);
  const follows: Expiry = { kind: "expiry", key: "a:phone", untilMs: MONDAY_MS + 60_000, userKey: "u:1" };
  deepEqual(written(gone), [["a:phone", follows]]);
  const [, profile, step, outcome] = gone.outputs;
  deepEqual([profile!.channel, profile!.key, profile!.value.length], ["profiles", "u:1", 0]);
  deepEqual(decodeStep(step!.value), { kind: "forget", key: "u:1", at: expiresMs + 5 });
  deepEqual(decodeOutcome(outcome!.value), { kind: "forget", at: expiresMs + 5 });
  deepEqual(turn(operator, "u:1", EMPTY, record(called, expiresMs + 6)).outputs, [], "a second one finds nobody");
});

test("whoever was seen meanwhile stays; whoever comes after it begins anew, also in one turn", () => {
  const operator = shopOperator();
  const first = turn(operator, "u:1", EMPTY, view("e1", { user_id: "1" }));
  const expiry = record({ kind: "expiry", key: "u:1", untilMs: MONDAY_MS }, MONDAY_MS + AGES.profiles + 3);
  const back = view("e2", { user_id: "1" }, MONDAY_MS + AGES.profiles + 2);
  const stays = turn(operator, "u:1", first.state, back, expiry);
  equal(decodeProfile(stays.outputs.at(-1)!.value).sequence, 2);
  const later = view("e3", { user_id: "1" }, MONDAY_MS + AGES.profiles + 9);
  const anew = turn(operator, "u:1", first.state, expiry, later);
  const profiles = anew.outputs.filter(({ channel }) => channel === "profiles");
  equal(profiles[0]!.value.length, 0);
  const { sequence, changes } = decodeProfile(profiles[1]!.value);
  deepEqual([sequence, changes.map(({ event }) => event?.event_id)], [1, ["e3"]]);
  deepEqual(turn(operator, "u:1", EMPTY, later).state, anew.state, "as if he had never been there");
});

test("a device's link goes with its user, unless it was made again or is another user's", () => {
  const operator = shopOperator();
  const link = record({ kind: "link", id: "l", anonKey: "a:1", userKey: "u:1" }, MONDAY_MS);
  const { state } = turn(operator, "a:1", EMPTY, link);
  const follow = (untilMs: number, userKey = "u:1"): ReadResult =>
    turn(operator, "a:1", state, record({ kind: "expiry", key: "a:1", untilMs, userKey }, MONDAY_MS + DAY_MS));
  equal(follow(MONDAY_MS).state?.length, 0);
  deepEqual(follow(MONDAY_MS - 1).outputs, []);
  deepEqual(follow(MONDAY_MS, "u:2").outputs, []);
  const visitor = turn(operator, "a:1", EMPTY, view("e1", { anonymous_id: "1" }));
  const late = record({ kind: "expiry", key: "a:1", untilMs: MONDAY_MS + 1, userKey: "u:1" }, MONDAY_MS + DAY_MS);
  deepEqual(turn(operator, "a:1", visitor.state, late).outputs, [], "a visitor who began anew is no link");
});

test("a record that names a device whose marker was forgotten waits once, and asks for the marker", () => {
  const operator = shopOperator();
  const named = { ...view("e1", { user_id: "1", anonymous_id: "phone" }), kind: OPERATION.waited };
  const { outputs, state } = turn(operator, "u:1", EMPTY, named);
  const [{ key, value }] = outputs.filter(({ channel }) => channel === "events") as [ReadResult["outputs"][number]];
  deepEqual(decodeClusterRecord(value), { kind: "link", id: "u:1 e1", anonKey: "a:phone", userKey: "u:1" });
  const device = turn(operator, key, EMPTY, { kind: OPERATION.record, atMs: MONDAY_MS + 1, value });
  const handover = device.outputs.find(({ channel }) => channel === "handover")!;
  const told = turn(operator, "u:1", state, { kind: OPERATION.handover, atMs: 0, value: handover.value });
  const next = turn(operator, "u:1", told.state, view("e2", { user_id: "1", anonymous_id: "phone" }, MONDAY_MS + 2));
  equal(next.done, 1, "it does not wait");
  equal(turn(operator, "u:1", next.state, view("e3", { anonymous_id: "phone" }, MONDAY_MS + 3)).done, 1);
});

test("a handover that its event never followed goes, too", () => {
  const operator = shopOperator();
  const { state } = turn(operator, "a:1", EMPTY, view("e1", { anonymous_id: "1" }));
  const link = record({ kind: "link", id: "l", anonKey: "a:1", userKey: "u:1" }, MONDAY_MS);
  const handover = turn(operator, "a:1", state, link).outputs.find(({ channel }) => channel === "handover")!;
  const waiting = turn(operator, "u:1", EMPTY, { kind: OPERATION.handover, atMs: 0, value: handover.value });
  equal(waiting.expiresMs, MONDAY_MS + AGES.profiles + 1);
  const [[key, expiry]] = written(turn(operator, "u:1", waiting.state, look(waiting.expiresMs))) as [[string, Expiry]];
  equal(turn(operator, key, waiting.state, record(expiry, waiting.expiresMs + 1)).state?.length, 0);
});

test("a backfill leaves to the log what an earlier job has written", () => {
  const beginsMs = MONDAY_MS + AGES.profiles + DAY_MS;
  const operator = shopOperator({ passOnAfterMs: beginsMs });
  const { state, expiresMs } = turn(operator, "u:1", EMPTY, view("e1", { user_id: "1", anonymous_id: "phone" }));
  ok(state === undefined, "it waits for the handover");
  const waited = { ...view("e1", { user_id: "1", anonymous_id: "phone" }), kind: OPERATION.waited };
  const known = turn(operator, "u:1", EMPTY, waited);
  equal(expiresMs, Infinity);
  equal(known.expiresMs, beginsMs + 1);
  deepEqual(written(turn(operator, "u:1", known.state, look(beginsMs))), []);
  const gone = turn(operator, "u:1", known.state, record({ kind: "expiry", key: "u:1", untilMs: MONDAY_MS }, beginsMs - 1));
  deepEqual([gone.state?.length, written(gone)], [0, []]);
  const after = turn(operator, "u:1", known.state, record({ kind: "expiry", key: "u:1", untilMs: MONDAY_MS }, beginsMs + 1));
  equal(written(after).length, 1);
});
