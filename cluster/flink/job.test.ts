// The job on a real broker and a real session cluster, through everything that happens to a job in its life: each time
// every person must have the bytes that the embedded host makes of the same log.
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { refOfKey } from "../../core/identity/identity.ts";
import { rngFrom } from "../../core/math/rng.ts";
import { newsProgram } from "../../core/program/news.ts";
import { shopProgram } from "../../core/program/shop.ts";
import { START_MS } from "../../server/embedded/testing.ts";
import { FOR_EVER } from "../../server/privacy/retention.ts";
import { readCommitted } from "../kafka/committed.ts";
import { createTopics, needsOf } from "../kafka/topics.ts";
import { buildOperator } from "../operator/build.ts";
import type { LogEntry } from "../operator/testing/log-reference.ts";
import { differences, foldOfLog } from "../operator/testing/reference.ts";
import { clusterMissing } from "../testing/servers.ts";
import { PROGRAM_DELAY_MS } from "../wire/documents.ts";
import { decodeOutcome } from "../wire/outcome.ts";
import { decodeClusterRecord } from "../wire/record.ts";
import { decodeStep } from "../wire/step.ts";
import { projectTopics } from "../wire/topics.ts";
import { committedJson } from "./testing/committed.ts";
import { KEPT_PREFIX, KEPT_VERSIONS, keptRecords } from "./testing/kept.ts";
import { Rig } from "./testing/rig.ts";
import { Traffic } from "./testing/traffic.ts";

const PERSONS = 60;
const VISITS = 20;
const VISITS_EVERY_MS = 300;
const FAULTY = new Set(["poison", "endless", "large"]);
/** What somebody else may write to a topic of ours: text, JSON of another kind, nothing, a length that is none, more than fits anywhere else. */
const FOREIGN = ["garbage", '{"kind":"erasure"}', "", "\u0001\u007f\u007f\u007f\u007f", "g".repeat(890_000)].map((text) => Buffer.from(text));
/** Written by the release of that number (testing/keep-savepoint.ts). */
const PARTITIONS = 4;
const KEPT_SAVEPOINT = join(import.meta.dirname, "savepoints/1");
/** Room for the marker that ends a transaction (78 bytes), and for no person: where Kafka cannot write markers it aborts nothing, ever. */
const MARKER_BYTES = 100;
/** Kafka's default. */
const MESSAGE_BYTES = 1_048_588;
const missing = clusterMissing();

/** Records of whoever was erased, once somebody was. */
let isErasedEntry: (entry: LogEntry) => boolean = () => false;

async function untilEqual(rig: Rig): Promise<void> {
  let records = -1;
  let fold: Awaited<ReturnType<typeof foldOfLog>> | undefined;
  let found: string[] = [];
  await rig.until(
    () => `the persons of the embedded host; ${found.length} differ, e.g. ${found.slice(0, 3).join("; ")}`,
    async () => {
      const log = rig.outputs.log.filter((entry) => !isKept(entry.key) && !isFaulty(entry.value) && !isErasedEntry(entry));
      if (log.length !== records) {
        fold = await foldOfLog(log, rig.programs);
        records = log.length;
      }
      const profiles = new Map([...rig.outputs.profiles].filter(([key]) => !isKept(key)));
      found = differences(profiles, fold!, { programs: rig.programs, untilMs: Date.now() + 1_000_000 });
      return found.length === 0 && records > 0;
    },
  );
  deepEqual(rig.outputs.contradictions, []);
}

/** Their history lies in the savepoint and not in this log. */
const isKept = (key: string): boolean => key.slice(2).startsWith(KEPT_PREFIX);

function isFaulty(value: Uint8Array): boolean {
  const record = decodeClusterRecord(value);
  return record.kind === "event" && FAULTY.has(record.event.item_id ?? "");
}

test("a job's life on real servers", { skip: missing ?? false }, async (t) => {
  const rig = await Rig.start({ taskManagers: 2, slots: 2, partitions: PARTITIONS });
  after(() => rig.stop());
  const connection = { brokers: [rig.kafka.bootstrap] };
  await rig.putProgram({ version: 1, at: START_MS, document: shopProgram });
  for (const record of keptRecords()) await rig.write([record]);
  let jobId = await rig.submit({ from: KEPT_SAVEPOINT, settings: { "state.backend.type": "rocksdb" } });
  rig.startTicking();
  let ofBefore = "";
  const traffic = new Traffic(rig, rngFrom(7), { persons: PERSONS });

  await t.test("the state of an earlier release goes on", async () => {
    for (const key of KEPT_VERSIONS.keys()) {
      const event = { event_id: `new ${key}`, event_type: "view", timestamp: Date.now(), ...refOfKey(key) };
      await rig.write([{ key, record: { kind: "event", event } }]);
    }
    const versions = (): string =>
      [...KEPT_VERSIONS.keys()].map((key) => rig.outputs.profiles.get(key)?.version).join();
    const expected = [...KEPT_VERSIONS.values()].map((version) => version + 1).join();
    await rig.until(
      () => `versions ${versions()}, expected ${expected}`,
      () => versions() === expected,
    );
  });

  await t.test("parity on RocksDB, through a change of the program", async () => {
    await traffic.run(500);
    const at = Date.now() + PROGRAM_DELAY_MS;
    await rig.putProgram({ version: 2, at, document: newsProgram });
    await traffic.run(250);
    // A quick machine writes all of these within the delay; the change must lie between records.
    await rig.until(
      () => "the program in force",
      () => Date.now() > at,
    );
    await traffic.run(250);
    await untilEqual(rig);
    ok(
      rig.outputs.log.some(({ value }) => (value[2]! & 2) !== 0),
      "records were passed on",
    );
  });

  const added = await rig.addPartitions(3);
  await t.test("a savepoint, and on with four subtasks on the heap, in topics that somebody gave more partitions", async () => {
    const writing = traffic.run(300);
    const savepoint = await rig.rest.stop(jobId);
    const settings = { "state.backend.type": "hashmap" };
    await createTopics(connection, needsOf(projectTopics("other")), { partitions: PARTITIONS, replicas: 1 });
    const ofOthers = { from: savepoint, args: { projects: "other,shop" }, settings: { ...settings, "restart-strategy.type": "none" } };
    const refusal = /the state is of projects shop, and the job was given other,shop: each must keep its place/;
    await rejects(rig.submit(ofOthers), refusal, "persons of one project are not taken for another's");
    jobId = await rig.submit({ parallelism: 4, from: savepoint, settings });
    await writing;
    await untilEqual(rig);
  });

  await t.test("kill -9 of a TaskManager under load", async () => {
    const writing = traffic.run(1_000);
    const [victim] = rig.flink.taskManagers;
    await victim!.kill();
    await victim!.start();
    await writing;
    await untilEqual(rig);
  });

  await t.test("a topic that takes nothing restarts the job, and ends no TaskManager", async () => {
    const pids = rig.flink.taskManagers.map(({ pid }) => pid);
    await rig.setMessageBytes(rig.topics.profiles, MARKER_BYTES);
    const writing = traffic.run(100);
    let failure: string | undefined;
    await rig.until(
      () => `what Kafka said; ${failure}`,
      async () => /RecordTooLargeException/.test((failure = (await rig.rest.lastFailure(jobId))?.stackTrace) ?? ""),
    );
    await rig.setMessageBytes(rig.topics.profiles, MESSAGE_BYTES);
    await writing;
    await untilEqual(rig);
    deepEqual(rig.flink.taskManagers.map(({ pid }) => pid), pids);
  });

  await t.test("what was committed holds each event once", async () => {
    const { completed } = await rig.rest.checkpoints(jobId);
    await rig.until(
      () => "two more checkpoints",
      async () => (await rig.rest.checkpoints(jobId)).completed > completed + 1,
    );
    const steps = (await committedJson(rig.kafka.bootstrap, rig.topics.steps)).map((line) =>
      decodeStep(Buffer.from(line)),
    );
    const ids = steps.flatMap((step) => (step.kind === "step" ? [step.eventId] : []));
    equal(new Set(ids).size, ids.length);
    const learnt = new Set(rig.outputs.steps.flatMap((step) => (step.kind === "step" ? [step.eventId] : [])));
    equal(ids.length, learnt.size);
    const told: string[] = [];
    for (let partition = 0; partition < PARTITIONS; partition++)
      for await (const records of readCommitted({ connection, topic: rig.topics.outcomes, partition }))
        for (const { value } of records) {
          const outcome = decodeOutcome(value!);
          if (outcome.kind === "acted") told.push(outcome.event.event_id);
        }
    equal(new Set(told).size, told.length);
    ok(told.length > 300, `${told.length} outcomes`);
    const astray: string[] = [];
    for (const place of added)
      for await (const records of readCommitted({ connection, ...place }))
        for (const { value } of records) if (decodeClusterRecord(value!).kind !== "tick") astray.push(place.topic);
    deepEqual(astray, [], "partitions that somebody added stay empty");
  });

  await t.test("who is erased is forgotten, whatever comes late", async () => {
    const visit = (id: string, ref: object) => ({ event_id: id, event_type: "view", timestamp: Date.now(), ...ref });
    const write = (key: string, event: ReturnType<typeof visit>) => rig.write([{ key, record: { kind: "event", event } }]);
    await write("a:gone-phone", visit("gone 1", { anonymous_id: "gone-phone" }));
    const link = { kind: "link", id: "gone link", anonKey: "a:gone-phone", userKey: "u:gone" } as const;
    await rig.write([{ key: "a:gone-phone", record: link }]);
    await write("u:gone", visit("gone 2", { user_id: "gone", anonymous_id: "gone-phone" }));
    const isThere = (key: string): boolean => rig.outputs.profiles.has(key);
    await rig.until(() => "his profile", () => isThere("u:gone") && isThere("a:gone-phone"));
    ofBefore = await rig.rest.savepoint(jobId);
    const keys = ["u:gone", "a:gone-phone"];
    const at = await rig.erase(keys);
    await rig.until(() => "nobody", () => !keys.some(isThere));
    await rig.until(() => "a new beginning", () => Date.now() > at + 100);
    // It came late, by a server that did not know yet.
    await write("u:gone", { ...visit("gone 3", { user_id: "gone" }), timestamp: at - 500 });
    await write("u:gone", visit("gone 4", { user_id: "gone" }));
    const isErased = (key: string, atMs: number, value: Uint8Array): boolean => {
      const record = decodeClusterRecord(value);
      return keys.includes(key) && (atMs <= at || (record.kind === "event" && record.event.timestamp <= at));
    };
    const isGone = ({ key, atMs, value }: { key: string; atMs: number; value: Uint8Array }) => isErased(key, atMs, value);
    isErasedEntry = isGone;
    await rig.until(() => "what he did since", () => isThere("u:gone"));
    await untilEqual(rig);
    equal(rig.outputs.profiles.get("u:gone")!.sequence, 1);
    await rig.finishErasure(at, keys);
  });

  await t.test("an event that throws and one that never ends are put aside; all others count", async () => {
    // From a savepoint that holds who was erased since; the ledger names nobody in the open any more.
    await rig.rest.stop(jobId);
    const bundle = join(rig.flink.folder, "poison.js");
    writeFileSync(bundle, await buildOperator("cluster/flink/testing/poison-entry.ts"));
    jobId = await rig.submit({ parallelism: 2, from: ofBefore, args: { bundle, "watchdog-ms": 500 } });
    const event = { event_type: "view", timestamp: Date.now(), user_id: "u1" };
    await traffic.run(100);
    for (const item_id of ["poison", "endless"])
      await rig.write([{ key: "u:u1", record: { kind: "event", event: { ...event, event_id: item_id, item_id } } }]);
    const large = { ...event, event_id: "i".repeat(440_000), item_id: "large" };
    await rig.write([{ key: `u:${"k".repeat(440_000)}`, record: { kind: "event", event: large } }]);
    await rig.writeRaw("u:u1", Buffer.from("not a record at all"));
    for (const foreign of FOREIGN) await rig.writeForeign("handover", foreign);
    // Of these nothing is put aside: they are no records of persons.
    for (const foreign of FOREIGN) await rig.writeForeign("erasures", foreign);
    for (const foreign of FOREIGN) await rig.writeForeign("control", foreign);
    await traffic.run(100);
    await rig.until(
      () => "what is none of ours in quarantine",
      () => rig.outputs.quarantine.length >= 4 + FOREIGN.length,
    );
    const log = rig.outputs.log.findIndex(({ value }) => Buffer.from(value).equals(Buffer.from("not a record at all")));
    rig.outputs.log.splice(log, 1);
    await untilEqual(rig);
    deepEqual([rig.outputs.profiles.get("u:gone")!.sequence, rig.outputs.profiles.has("a:gone-phone")], [1, false]);
    const reasons = rig.outputs.quarantine.map(({ reason, key }) => `${key} ${reason}`).sort();
    const ofLarge = `u:${"k".repeat(998)} too_large`;
    deepEqual(reasons, [...FOREIGN.map(() => "u:foreign threw"), ofLarge, "u:u1 endless", "u:u1 threw", "u:u1 threw"]);
    const poison = rig.outputs.quarantine.find(({ message }) => message.includes("poison"))!;
    equal(decodeClusterRecord(Buffer.from(poison.record, "base64")).kind, "event");
    equal(
      (await rig.rest.checkpoints(jobId)).restored,
      1,
      "the job never failed; it was restored once, from the savepoint",
    );
  });

  await t.test("who is not seen for long enough is forgotten, also who was there before there were ages", async () => {
    const { profiles } = rig.outputs;
    const persons = [...profiles.values()].filter(({ signpost }) => signpost === undefined).length;
    const ages = { profiles: 3_000, visitors: 3_000 };
    await rig.setAges(ages);
    const left = (): string => `nobody; ${[...profiles.keys()].slice(0, 3)} of ${profiles.size} are left`;
    await rig.until(left, () => profiles.size === 0);
    let expired = 0;
    const counts = async (): Promise<boolean> => (expired = await rig.counter(jobId, "expired")) >= persons;
    await rig.until(() => `${expired} of ${persons} are counted`, counts);
    // Whoever keeps coming stays.
    for (let visit = 1; visit <= VISITS; visit++) {
      const event = { event_id: `visit ${visit}`, event_type: "view", timestamp: Date.now(), user_id: "busy" };
      await rig.write([{ key: "u:busy", record: { kind: "event", event } }]);
      await setTimeout(VISITS_EVERY_MS);
    }
    await rig.until(() => "all of his visits", () => profiles.get("u:busy")?.sequence === VISITS);
    await rig.setAges(FOR_EVER);
    const visit = { event_id: "anew", event_type: "view", timestamp: Date.now(), user_id: "u1" };
    await rig.write([{ key: "u:u1", record: { kind: "event", event: visit } }]);
    await rig.until(() => "a new beginning", () => profiles.get("u:u1")?.sequence === 1);
    await untilEqual(rig);
    const savepoint = await rig.rest.stop(jobId);
    jobId = await rig.submit({ parallelism: 4, from: savepoint });
    await rig.setAges(ages);
    await rig.until(left, () => profiles.size === 0);
    await untilEqual(rig);
  });
});
