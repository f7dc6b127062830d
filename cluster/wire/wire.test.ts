import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import vm from "node:vm";
import { build } from "esbuild";
import type { LoggedEvent } from "../../core/event/event.ts";
import { rngFrom } from "../../core/math/rng.ts";
import { visitorEvents } from "../../core/testing/events.ts";
import { agesOf, decodeDocument, encodeDocument, type QuarantineValue, retentionOf, type RetentionValue } from "./documents.ts";
import { decodeHandover, encodeHandover } from "./handover.ts";
import { decodeProfile, encodeProfile, type ProfileValue } from "./profile.ts";
import {
  type ClusterRecord,
  decodeClusterRecord,
  encodeClusterRecord,
  fingerprintOf,
  RECORD_HEAD_BYTES,
} from "./record.ts";
import { decodeStep, encodeStep, type StepValue } from "./step.ts";
import { FAMILIES, familyOf, projectTopics } from "./topics.ts";
import { decodeUtf8, encodeUtf8 } from "./utf8.ts";

const CORRUPT = { code: "corrupt" };
const TEXTS = [
  "",
  "a",
  "grüße 日本 🙂 x",
  "é".repeat(5000),
  "z".repeat(5000),
  `${"y".repeat(1023)}é${"y".repeat(2048)}`,
];

test("text comes back, and is the UTF-8 that others write", () => {
  for (const text of TEXTS) {
    const bytes = encodeUtf8(text);
    deepEqual(Buffer.from(bytes), Buffer.from(text, "utf8"));
    equal(decodeUtf8(bytes), text);
  }
  for (const bytes of [[0xc3], [0xff], [0xe6, 0x97], [0xf0, 0x9f, 0x99]])
    throws(() => decodeUtf8(Uint8Array.from(bytes)), CORRUPT);
});

const unstamped = ({ received_at: _, ...event }: LoggedEvent) => event;
const RECORDS: ClusterRecord[] = [
  ...visitorEvents(rngFrom(1), 50).map((event): ClusterRecord => ({ kind: "event", event: unstamped(event) })),
  {
    kind: "event",
    event: { event_id: "b", user_id: "ü🙂", event_type: "view", timestamp: 5, traffic: "bot" },
    passedOn: true,
  },
  { kind: "expiry", key: "u:1", untilMs: 7 },
  { kind: "expiry", key: "a:1", untilMs: 8, userKey: "u:2" },
  { kind: "attributes", id: "r1", ref: { anonymous_id: "a" }, attributes: { tier: null, nested: [1, "x"] } },
  { kind: "link", id: "l1", anonKey: "a:1", userKey: "u:2" },
  { kind: "tick" },
];

test("records come back; their head says kind, flags and id without the rest", () => {
  for (const record of RECORDS) deepEqual(decodeClusterRecord(encodeClusterRecord(record)), record);
  const bytes = encodeClusterRecord(RECORDS.at(-6)!);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const { hi, lo } = fingerprintOf("b");
  deepEqual([bytes[0], bytes[1], bytes[2], view.getUint32(3, true), view.getUint32(7, true)], [1, 1, 3, hi, lo]);
  equal(encodeClusterRecord({ kind: "tick" }).length, RECORD_HEAD_BYTES);
});

test("what is no record of this version is refused", () => {
  const bytes = encodeClusterRecord(RECORDS[0]!);
  throws(() => decodeClusterRecord(bytes.subarray(0, 10)), CORRUPT);
  throws(() => decodeClusterRecord(Uint8Array.from(bytes, (byte, i) => (i === 0 ? 2 : byte))), CORRUPT);
  throws(() => decodeClusterRecord(Uint8Array.from(bytes, (byte, i) => (i === 1 ? 9 : byte))), CORRUPT);
  throws(() => decodeClusterRecord(bytes.subarray(0, bytes.length - 1)), SyntaxError);
});

const PROFILE: ProfileValue = {
  sequence: 7,
  asOfMs: 1_767_225_600_000,
  version: 6,
  programVersion: 2,
  nextCheckMs: Infinity,
  memberships: ["buyers", "hot"],
  person: Uint8Array.of(1, 2, 3),
  changes: [
    {
      version: 6,
      atMs: 2,
      event: {
        event_id: "e",
        event_type: "view",
        timestamp: 1,
        received_at: 2,
        item_id: "lamp",
        user_id: "u",
        anonymous_id: "a",
      },
      entered: ["hot"],
      left: [],
      triggers: [{ name: "t", atMs: 3, push: true }],
      mergedFrom: "a:a",
    },
  ],
};

test("profiles, signposts, steps, handovers and documents come back", () => {
  deepEqual(decodeProfile(encodeProfile(PROFILE)), PROFILE);
  const signpost = {
    ...PROFILE,
    changes: [],
    signpost: "u:ü",
    memberships: [],
    person: new Uint8Array(0),
    nextCheckMs: 12,
  };
  deepEqual(decodeProfile(encodeProfile(signpost)), signpost);
  throws(() => decodeProfile(encodeProfile(PROFILE).subarray(0, -1)), CORRUPT);
  const step: StepValue = {
    kind: "step",
    eventId: "e",
    step: {
      personKey: "u:1",
      itemId: "i",
      eventType: "view",
      weight: 1,
      timeMs: 5,
      history: [{ item_id: "j", event_type: "view", timestamp: 4 }],
    },
  };
  deepEqual(decodeStep(encodeStep(step)), step);
  deepEqual(decodeStep(encodeStep({ kind: "relink", from: "a:1", to: "u:1" })), {
    kind: "relink",
    from: "a:1",
    to: "u:1",
  });
  const ages = { profiles: Infinity, visitors: 5 };
  deepEqual(agesOf(decodeDocument("control", encodeDocument("control", retentionOf(ages, 1))) as RetentionValue), ages);
  const handover = { anonKey: "a:1", userKey: "u:1", linkedAtMs: 9, programVersion: 2, person: Uint8Array.of(9) };
  for (const value of [
    { ...handover, isShared: false },
    { ...handover, person: new Uint8Array(0), isShared: true },
    { ...handover, person: new Uint8Array(0), isShared: false },
  ])
    deepEqual(decodeHandover(encodeHandover(value)), value);
  const quarantine: QuarantineValue = { id: "t/0/1", key: "u:1", at: 1, reason: "threw", message: "x", record: "AA==" };
  deepEqual(decodeDocument("quarantine", encodeDocument("quarantine", quarantine)), quarantine);
});

test("topics: one log or three, generations beside each other", () => {
  const one = projectTopics("shop");
  deepEqual(one.log, ["attune.shop.events"]);
  const next = projectTopics("shop", { events: "families", generation: 2 });
  deepEqual(
    next.log,
    FAMILIES.map((family) => `attune.shop.${family}`),
  );
  equal(next.events[familyOf("purchase")], "attune.shop.commerce");
  deepEqual(
    [one.profiles, next.profiles, next.decision],
    ["attune.shop.profiles", "attune.shop.profiles.g2", "attune.shop.decision"],
  );
});

test("bare V8 writes the same bytes", async () => {
  const source = `export * from "./record.ts"; export * from "./profile.ts"; export * from "./step.ts";`;
  const bundle = await build({
    stdin: { contents: source, resolveDir: import.meta.dirname, loader: "ts" },
    bundle: true,
    write: false,
    format: "iife",
    globalName: "wire",
    target: "es2022",
    platform: "neutral",
  });
  const context = vm.createContext(Object.create(null));
  vm.runInContext(bundle.outputFiles[0]!.text, context);
  const call = vm.runInContext(
    `(json) => {
      const { decodeClusterRecord: decode, encodeClusterRecord: encode } = wire;
      return JSON.parse(json).map((record) => Array.from(encode(decode(encode(record)))).join());
    }`,
    context,
  );
  deepEqual(
    [...call(JSON.stringify(RECORDS))],
    RECORDS.map((record) => encodeClusterRecord(record).join()),
  );
});
