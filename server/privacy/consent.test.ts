import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { verifyProject } from "../embedded/verify.ts";
import { decodeRecord } from "../embedded/record-codec.ts";
import { openProject, START_MS, testFolder } from "../embedded/testing.ts";
import { ask, startNode, type TestNode } from "../http/testing.ts";
import { BROWSER, checkConsentTable, CHOICES } from "./testing/consent-table.ts";

const loggedIds = (node: TestNode): string[] =>
  [...node.project.log.read(node.project.log.start)].flatMap(({ type, payload }) => {
    const record = decodeRecord(type, payload);
    return record?.kind === "event" ? [record.event.event_id] : [];
  });

/** The core segment of a TC string (IAB TCF 2) with consent to these purposes and to no vendor. */
function tcString(purposes: readonly number[]): string {
  const number = (value: number, bits: number): string => value.toString(2).padStart(bits, "0");
  const [version, time, cmp, screen, language, list, policy] = [2, 16_000_000_000, 10, 1, 0, 48, 4];
  const head = [
    [version, 6],
    [time, 36],
    [time, 36],
    [cmp, 12],
    [1, 12],
    [screen, 6],
    [language, 12],
    [list, 12],
    [policy, 6],
  ];
  const consents = Array.from({ length: 24 }, (_, i) => (purposes.includes(i + 1) ? "1" : "0")).join("");
  // Not service specific, no stacks, no special features; no legitimate interests, no purpose-one rule, country; no vendors.
  const rest = [
    number(0, 14),
    consents,
    number(0, 24),
    number(0, 1),
    number(0, 12),
    number(0, 17),
    number(0, 17),
    number(0, 12),
  ];
  const bits = head.map(([value, size]) => number(value!, size!)).join("") + rest.join("");
  const bytes = bits.match(/.{1,8}/g)!.map((part) => Number.parseInt(part.padEnd(8, "0"), 2));
  return Buffer.from(bytes).toString("base64url");
}

test("each combination of default, consent and Global Privacy Control does what the table says", async (t) => {
  for (const otherwise of CHOICES) {
    const node = await startNode({ firstProgram: { consent: { default: otherwise }, placements: { home: {} } } });
    t.after(() => node.close());
    await checkConsentTable({ url: node.url, otherwise, loggedIds: () => loggedIds(node), settled() {} });
  }
});

test("a site that answers for it otherwise may ignore Global Privacy Control", async (t) => {
  const node = await startNode({ firstProgram: { consent: { gpc: "ignore" } } });
  t.after(() => node.close());
  const event = { event_id: "e1", user_id: "ada", event_type: "view", item_id: "i1", timestamp: Date.now() };
  await ask(node, "POST /v1/events", event, { headers: { "user-agent": BROWSER, "sec-gpc": "1" } });
  equal((await ask(node, "GET /v1/users/ada/profile")).json.recent.length, 1);
});

test("consent is said in part, as a TCF string, and for visitors; nonsense is a clear error", async (t) => {
  const node = await startNode();
  t.after(() => node.close());
  const path = "/v1/privacy/visitors/v1/consent";
  deepEqual((await ask(node, `PUT ${path}`, { profiling: "denied", source: "banner" })).json, {
    anonymous_id: "v1",
    personalization: "granted",
    analytics: "granted",
    profiling: "denied",
    source: "banner",
  });
  const tcf = (await ask(node, `PUT ${path}`, { tcf: tcString([1, 6, 8, 9]) })).json;
  deepEqual([tcf.personalization, tcf.analytics, tcf.profiling, tcf.source], ["granted", "granted", "denied", "tcf"]);
  for (const body of [{ profiling: "maybe" }, { ads: "granted" }, { tcf: "nonsense" }, { source: 7 }, { source: "" }]) {
    const { status, json } = await ask(node, `PUT ${path}`, body);
    deepEqual([status, json.code], [400, "bad_parameter"], JSON.stringify(body));
  }
});

test("a denial outlives checkpoints and crashes, comes along with a login, and replays", async () => {
  const folder = testFolder();
  const clock = { nowMs: START_MS };
  const project = await openProject(folder, clock);
  const denied = { personalization: "granted", analytics: "denied", profiling: "granted" } as const;
  const view = (id: string, who: object) =>
    ({
      event_id: id,
      ...who,
      event_type: "view",
      item_id: "lamp",
      timestamp: clock.nowMs,
      received_at: clock.nowMs,
    }) as never;
  await project.setConsent({ anonymous_id: "v" }, denied);
  await project.checkpoint();
  deepEqual(await project.submit({ events: [view("e1", { anonymous_id: "v" })], deadLetters: [] }), ["refused"]);
  const again = await openProject(folder.crashed(), clock);
  deepEqual(await again.submit({ events: [view("e2", { anonymous_id: "v" })], deadLetters: [] }), ["refused"]);
  await again.setAttributes({ user_id: "ada", anonymous_id: "v" }, {});
  deepEqual(await again.submit({ events: [view("e3", { user_id: "ada" })], deadLetters: [] }), ["refused"]);
  deepEqual((await again.consent({ user_id: "ada" })).consent, denied);
  await again.setConsent({ user_id: "ada" }, { ...denied, analytics: "granted" });
  deepEqual(await again.submit({ events: [view("e4", { user_id: "ada" })], deadLetters: [] }), ["accepted"]);
  deepEqual((await verifyProject(again, { now: () => clock.nowMs })).differences, []);
});

test("what is said holds for what comes behind it, also where both are written together", async () => {
  const clock = { nowMs: START_MS };
  const saying = (analytics: "granted" | "denied") =>
    ({ personalization: "granted", analytics, profiling: "granted" }) as const;
  const view = (id: string, who: object) => {
    const times = { timestamp: clock.nowMs, received_at: clock.nowMs };
    return { event_id: id, ...who, event_type: "view", item_id: "lamp", ...times } as never;
  };
  const [ada, phone, both] = [{ user_id: "ada" }, { anonymous_id: "phone" }, { user_id: "ada", anonymous_id: "phone" }];
  const free = await openProject(testFolder(), clock);
  const send = (project: typeof free, id: string, who: object) => project.submit({ events: [view(id, who)], deadLetters: [] });
  const denied = await Promise.all([
    free.setConsent(phone, saying("denied")),
    send(free, "e1", phone),
    send(free, "e2", both),
    send(free, "e3", ada),
  ]);
  deepEqual(denied.slice(1), [["refused"], ["refused"], ["refused"]]);
  const changed = await Promise.all([
    free.setConsent(ada, saying("granted")),
    send(free, "e4", ada),
    free.setConsent(ada, saying("denied")),
    send(free, "e5", ada),
  ]);
  deepEqual([changed[1], changed[3]], [["accepted"], ["refused"]]);
  const asksFirst = await openProject(testFolder(), clock, { firstProgram: { consent: { default: "denied" } } });
  const granted = await Promise.all([
    asksFirst.setConsent(phone, saying("granted")),
    send(asksFirst, "e1", phone),
    asksFirst.setAttributes(both, { plan: "free" }),
    send(asksFirst, "e2", ada),
  ]);
  deepEqual([granted[1], granted[3]], [["accepted"], ["accepted"]]);
  for (const project of [free, asksFirst]) {
    deepEqual((await verifyProject(project, { now: () => clock.nowMs })).differences, []);
  }
});
