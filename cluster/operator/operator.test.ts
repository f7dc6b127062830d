import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { test } from "node:test";
import { emptyPerson, encodePerson } from "../../core/profile/person.ts";
import { shopProgram } from "../../core/program/shop.ts";
import { compiled, MONDAY_MS } from "../../core/testing/programs.ts";
import { encodeHandover } from "../wire/handover.ts";
import { decodeOutcome } from "../wire/outcome.ts";
import { decodeProfile } from "../wire/profile.ts";
import { type ClusterRecord, decodeClusterRecord, encodeClusterRecord } from "../wire/record.ts";
import { decodeStep } from "../wire/step.ts";
import { OPERATION } from "./frame.ts";
import { EARLY_MAX, LINKS_MAX } from "./key-state.ts";
import { createOperator, type Operator } from "./operator.ts";
import { type ReadResult, run } from "./testing/log-host.ts";

const EMPTY = new Uint8Array(0);

function shopOperator(passOnAfterMs = 0): Operator {
  const operator = createOperator();
  operator.addProject({ passOnAfterMs });
  operator.addProgram(0, { version: 1, atMs: 0, document: shopProgram });
  return operator;
}

const record = (value: ClusterRecord, atMs = MONDAY_MS, kind: number = OPERATION.record) => ({
  kind,
  atMs,
  value: encodeClusterRecord(value),
});
const view = (id: string, ref: { user_id?: string; anonymous_id?: string }): ClusterRecord => ({
  kind: "event",
  event: { event_id: id, event_type: "view", timestamp: MONDAY_MS, item_id: "lamp", ...ref },
});
const link = (userKey: string, id = "l1"): ClusterRecord => ({ kind: "link", id, anonKey: "a:1", userKey });
const handover = (anonKey: string, atMs = MONDAY_MS) => {
  const person = encodePerson(emptyPerson(compiled(shopProgram).plan));
  return {
    kind: OPERATION.handover,
    atMs: 0,
    value: encodeHandover({ anonKey, userKey: "u:1", linkedAtMs: atMs, programVersion: 0, isShared: false, person }),
  };
};

function turn(
  operator: Operator,
  key: string,
  state: Uint8Array | undefined,
  ...operations: ReturnType<typeof record>[]
): ReadResult {
  return run(operator, { project: 0, key, state: state ?? EMPTY, operations });
}

const channels = ({ outputs }: ReadResult): string[] => outputs.map(({ channel }) => channel);

test("a record gives a state, a step and a profile; several records of one turn give one profile", () => {
  const operator = shopOperator();
  const result = turn(
    operator,
    "u:1",
    EMPTY,
    record(view("e1", { user_id: "1" })),
    record(view("e2", { user_id: "1" })),
  );
  deepEqual([result.done, channels(result)], [2, ["steps", "outcomes", "steps", "outcomes", "profiles"]]);
  const profile = decodeProfile(result.outputs[4]!.value);
  equal(profile.sequence, 2);
  deepEqual(
    profile.changes.map(({ event }) => event?.event_id),
    ["e1", "e2"],
  );
  const step = decodeStep(result.outputs[0]!.value);
  ok(step.kind === "step" && step.step.itemId === "lamp" && step.step.personKey === "u:1" && step.at === MONDAY_MS);
});

test("an event of a time that no server writes is refused, and its person can still be read", () => {
  const operator = shopOperator();
  const at = (timestamp: unknown, id: string) =>
    record({ kind: "event", event: { event_id: id, event_type: "view", timestamp: timestamp as number, user_id: "1" } });
  for (const timestamp of [-1, 1.5, null, "2026", 253_402_300_800_000, 8.64e15, 1e18])
    throws(() => turn(operator, "u:1", EMPTY, at(timestamp, "e1")), /is no timestamp/);
  for (const timestamp of [0, 253_402_300_799_999]) {
    const { state } = turn(operator, "u:1", EMPTY, at(timestamp, "e1"));
    equal(turn(operator, "u:1", state, at(MONDAY_MS, "e2")).done, 1, String(timestamp));
  }
});

test("an event that names an unknown anonymous id waits, and everything behind it", () => {
  const operator = shopOperator();
  const first = record(view("e1", { user_id: "1", anonymous_id: "1" }));
  const second = record(view("e2", { user_id: "1" }));
  const held = turn(operator, "u:1", EMPTY, first, second);
  deepEqual([held.done, held.state, held.outputs], [0, undefined, []]);
  const { state } = turn(operator, "u:1", EMPTY, handover("a:1"));
  const done = turn(operator, "u:1", state, first, second);
  deepEqual([done.done, channels(done)], [2, ["outcomes", "steps", "steps", "outcomes", "steps", "outcomes", "profiles"]]);
  deepEqual(decodeOutcome(done.outputs[0]!.value), { kind: "relink", from: "a:1", to: "u:1", at: MONDAY_MS });
  deepEqual(decodeStep(done.outputs[1]!.value), { kind: "relink", from: "a:1", to: "u:1", at: MONDAY_MS });
  equal(decodeProfile(done.outputs.at(-1)!.value).changes[0]!.mergedFrom, "a:1");
  equal(turn(operator, "u:1", done.state, handover("a:1")).state, undefined);
});

test("who has waited goes on without the handover, and merges at the next record that names it", () => {
  const operator = shopOperator();
  const waited = record(view("e1", { user_id: "1", anonymous_id: "1" }), MONDAY_MS, OPERATION.waited);
  const { state, done } = turn(operator, "u:1", EMPTY, waited);
  equal(done, 1);
  const later = turn(operator, "u:1", state, handover("a:1"), record(view("e2", { user_id: "1", anonymous_id: "1" })));
  equal(decodeProfile(later.outputs.at(-1)!.value).changes.at(-1)!.mergedFrom, "a:1");
});

test("a marker makes a signpost: a handover, then records are passed on; a second user gets an empty answer", () => {
  const operator = shopOperator();
  const { state } = turn(operator, "a:1", EMPTY, record(view("e1", { anonymous_id: "1" })));
  const linked = turn(operator, "a:1", state, record(link("u:1")));
  deepEqual(channels(linked), ["handover", "profiles"]);
  deepEqual([decodeProfile(linked.outputs[1]!.value).signpost, linked.dueMs], ["u:1", Infinity]);
  const passed = turn(operator, "a:1", linked.state, record(view("e2", { anonymous_id: "1" })));
  deepEqual([channels(passed), passed.outputs[0]!.key, passed.state], [["events"], "u:1", undefined]);
  const copy = decodeClusterRecord(passed.outputs[0]!.value);
  ok(copy.kind === "event" && copy.passedOn === true && copy.event.event_id === "e2");
  const turned = turn(operator, "a:1", linked.state, record(link("u:2", "l2")));
  deepEqual([channels(turned), turned.outputs[0]!.key], [["answer", "profiles"], "u:2"]);
  const backfill = shopOperator(MONDAY_MS);
  deepEqual(turn(backfill, "a:1", linked.state, record(view("e2", { anonymous_id: "1" }))).outputs, []);
});

test("a marker at a user's key, a tick and marked traffic change nothing", () => {
  const operator = shopOperator();
  const { state } = turn(operator, "u:1", EMPTY, record(view("e1", { user_id: "1" })));
  const bot = { event_id: "b", event_type: "view", timestamp: 1, user_id: "1", traffic: "bot" as const };
  const result = turn(
    operator,
    "u:1",
    state,
    record(link("u:2")),
    record({ kind: "tick" }),
    record({ kind: "event", event: bot }),
  );
  deepEqual([result.done, result.state, result.outputs], [3, undefined, []]);
});

test("lists of a key are bounded: early handovers are merged, old links forgotten and then not waited for", () => {
  const operator = shopOperator();
  let state: Uint8Array | undefined;
  for (let i = 0; i <= EARLY_MAX; i++) state = turn(operator, "u:1", state, handover(`a:${i}`)).state ?? state;
  const merged = turn(operator, "u:1", state, record(view("e0", { user_id: "1", anonymous_id: "0" })));
  equal(merged.done, 1);
  for (let i = 1; i <= LINKS_MAX + 10; i++) {
    const operations = [handover(`a:${i}`), record(view(`e${i}`, { user_id: "1", anonymous_id: String(i) }))];
    const result = turn(operator, "u:1", state, ...operations);
    equal(result.done, 2);
    state = result.state ?? state;
  }
  ok(state!.length < 16_384, `${state!.length} bytes`);
  equal(turn(operator, "u:1", state, record(view("e0", { user_id: "1", anonymous_id: "unknown" }))).done, 1);
});

test("bytes that are none of ours throw, and the next frame is not touched by it", () => {
  const operator = shopOperator();
  const { state } = turn(operator, "u:1", EMPTY, record(view("e1", { user_id: "1" })));
  const next = record(view("e2", { user_id: "1" }));
  const expected = turn(operator, "u:1", state, next);
  throws(() => turn(operator, "u:1", state!.subarray(0, 40), next), { code: "corrupt" });
  throws(
    () =>
      turn(
        operator,
        "u:1",
        Uint8Array.from(state!, (byte, i) => (i === 0 ? 9 : byte)),
        next,
      ),
    { code: "corrupt" },
  );
  throws(() => turn(operator, "u:1", state, { ...next, value: next.value.subarray(0, 30) }), SyntaxError);
  throws(() => operator.process(Uint8Array.of(1, 7)), { code: "corrupt" });
  deepEqual(turn(operator, "u:1", state, next), expected);
});

test("a program that does not compile is refused, one that is known is left alone", () => {
  const operator = shopOperator();
  throws(() => operator.addProgram(0, { version: 2, atMs: 5, document: { nonsense: 1 } }), /does not compile/);
  operator.addProgram(0, { version: 1, atMs: 9, document: {} });
});

test("an erased key is forgotten, with what comes late of it; who has begun anew stays", () => {
  const operator = shopOperator();
  const before = turn(operator, "u:1", EMPTY, record(view("e1", { user_id: "1" })));
  const erase = (state: Uint8Array | undefined, atMs: number): ReadResult =>
    turn(operator, "u:1", state, { kind: OPERATION.erase, atMs, value: EMPTY });
  const at = MONDAY_MS + 10;
  const erased = erase(before.state, at);
  deepEqual([erased.state?.length, erased.dueMs], [0, Infinity]);
  deepEqual(erased.outputs.map(({ channel, key, value }) => [channel, key, value.length]), [["profiles", "u:1", 0]]);
  const late = [record(view("e2", { user_id: "1" }), at), record(view("e3", { user_id: "1" }), at + 5), handover("a:1", at)];
  for (const operation of late) deepEqual(turn(operator, "u:1", EMPTY, operation).state, undefined);
  const event = { event_id: "e4", event_type: "view", timestamp: at + 1, item_id: "lamp", user_id: "1" };
  const anew = turn(operator, "u:1", EMPTY, record({ kind: "event", event }, at + 20));
  equal(decodeProfile(anew.outputs.find(({ channel }) => channel === "profiles")!.value).sequence, 1);
  const again = erase(anew.state, at);
  deepEqual([again.state, again.outputs.length], [undefined, 0], "an erasure of before does not concern him");
  ok(turn(operator, "u:1", anew.state, handover("a:1", at + 1)).state !== undefined);
});
