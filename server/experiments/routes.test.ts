// Experiments and slots over HTTP: from the decision to the number that an analyst reads.
import { deepEqual, equal, ok } from "node:assert/strict";
import { after, test } from "node:test";
import { createRequire } from "node:module";
import type { ProgramDocument } from "../../core/program/program.ts";
import { openApiDocument } from "../http/openapi.ts";
import { ask, startNode } from "../http/testing.ts";

const PROGRAM: ProgramDocument = {
  slots: {
    hero: { policy: "thompson", variants: { a: { text: "A" }, b: { text: "B" } }, reward: { events: { click: 1 } } },
    theme: { policy: "rules", variants: { light: {}, dark: {} }, default: "light" },
  },
  placements: { home: {}, home_b: { diversity: 1 } },
  experiments: {
    dark: {
      variants: { light: {}, dark: { slots: { theme: "dark" } } },
      metrics: { bought: { kind: "conversion", event: "purchase" } },
    },
    order: { variants: { a: {}, b: { placements: { home: "home_b" } } }, metrics: { spent: { kind: "revenue" } } },
  },
};

const node = await startNode({ firstProgram: PROGRAM });
after(() => node.close());

const Ajv = createRequire(import.meta.url)("ajv/dist/2020.js").default;
const ajv = new Ajv({ strict: false, validateFormats: false });
ajv.addSchema({ $id: "openapi", components: openApiDocument.components });
const fits = (schema: string, value: unknown): void => {
  const validate = ajv.compile({ $ref: `openapi#/components/schemas/${schema}` });
  ok(validate(value), JSON.stringify(validate.errors));
};

async function visit(guest: number): Promise<{ variant: string; bought: boolean }> {
  const who = { anonymous_id: `g${guest}` };
  const { json } = await ask(node, "POST /v1/decide", { ...who, slot: "theme" });
  const bought = guest % 3 === 0;
  const base = { ...who, timestamp: Date.now() };
  const events = [
    { ...base, event_id: `i${guest}`, event_type: "impression", context: { decision_id: json.decision_id } },
    ...(bought ? [{ ...base, event_id: `p${guest}`, event_type: "purchase", value: 9 }] : []),
  ];
  equal((await ask(node, "POST /v1/events", { events })).json.accepted, events.length);
  equal(json.experiments.dark, json.variant);
  return { variant: json.variant, bought };
}

test("an experiment's answer is a recount of what was shown and bought", async () => {
  const visits: { variant: string; bought: boolean }[] = [];
  for (let guest = 0; guest < 120; guest++) visits.push(await visit(guest));
  const { status, json } = await ask(node, "GET /v1/experiments/dark");
  equal(status, 200);
  fits("Experiment", json);
  for (const { name, users, exposures, conversions } of json.variants) {
    const own = visits.filter(({ variant }) => variant === name);
    deepEqual([users, exposures, conversions], [own.length, own.length, own.filter(({ bought }) => bought).length]);
  }
  equal(json.sample_ratio.ok, true);
  equal(json.variants[1].off_policy.refused, null);
  ok(json.variants[1].interval === null || json.variants[1].interval.low < json.variants[1].interval.high);
});

test("a list says which variant made it, and is in the experiment when it was seen", async () => {
  const { json } = await ask(node, "GET /v1/recommendations?user_id=ada&placement=home");
  ok(["a", "b"].includes(json.experiments.order));
  fits("RecommendationList", json);
  const event = {
    user_id: "ada",
    event_type: "impression",
    timestamp: Date.now(),
    context: { decision_id: json.decision_id },
  };
  await ask(node, "POST /v1/events", event);
  const { json: order } = await ask(node, "GET /v1/experiments/order");
  equal(order.users, 1);
});

test("all experiments and slots are listed; one that is not there is a problem", async () => {
  const { json } = await ask(node, "GET /v1/experiments");
  deepEqual(
    json.experiments.map(({ name }: { name: string }) => name),
    ["dark", "order"],
  );
  const { json: slots } = await ask(node, "GET /v1/slots");
  for (const slot of slots.slots) fits("Slot", slot);
  deepEqual(
    slots.slots.map(({ name, policy }: { name: string; policy: string }) => [name, policy]),
    [
      ["hero", "thompson"],
      ["theme", "rules"],
    ],
  );
  const missing = await ask(node, "GET /v1/experiments/none");
  deepEqual([missing.status, missing.json.code], [404, "unknown_experiment"]);
});

test("what a slot was rewarded for shows at once", async () => {
  const { json } = await ask(node, "POST /v1/decide", { user_id: "bo", slot: "hero" });
  fits("Decision", json);
  ok(json.propensity > 0 && json.propensity < 1);
  const base = { user_id: "bo", timestamp: Date.now(), context: { decision_id: json.decision_id } };
  await ask(node, "POST /v1/events", [
    { ...base, event_type: "impression" },
    { ...base, event_type: "click" },
  ]);
  const [hero] = (await ask(node, "GET /v1/slots")).json.slots;
  const arm = hero.arms.find(({ variant }: { variant: string }) => variant === json.variant);
  deepEqual([arm.shown, arm.reward, hero.learning.shown], [1, 1, 1]);
});

test("who allows no personalization gets a draw of his own, the same while he asks again", async () => {
  const picks = new Set<string>();
  for (let i = 0; i < 24; i++) {
    const user_id = `private${i}`;
    const consent = { personalization: "denied", analytics: "granted", profiling: "granted" };
    await ask(node, `PUT /v1/privacy/users/${user_id}/consent`, consent);
    const decided = async () => (await ask(node, "POST /v1/decide", { user_id, slot: "hero" })).json;
    const { variant, propensity } = await decided();
    ok(propensity > 0.3 && propensity < 0.7, "nothing that was learnt decides");
    equal((await decided()).variant, variant);
    picks.add(variant);
  }
  equal(picks.size, 2, "one draw for all of them would be one choice, logged as many");
});
