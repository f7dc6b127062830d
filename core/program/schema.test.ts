// The schema that editors use and the checker that decides say the same of a document's structure.
import { deepEqual, equal } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Ajv } from "ajv";
import { learningConfig, modelConfig } from "../model/config.ts";
import { compiled } from "../testing/programs.ts";
import { forEachSeed } from "../testing/seeds.ts";
import { checkProgram } from "./compile.ts";
import { durationMs } from "./duration.ts";
import { newsProgram } from "./news.ts";
import { shopProgram } from "./shop.ts";

const schema = JSON.parse(readFileSync(new URL("program.schema.json", import.meta.url), "utf8"));
const validate = new Ajv({ allErrors: true, strict: true, strictRequired: false, allowUnionTypes: true }).compile(
  schema,
);

const slot = (extra: object): object => ({ slots: { hero: { policy: "rules", variants: { a: 1 }, ...extra } } });
const placement = (extra: object): object => ({ placements: { p: extra } });
const bandit = (extra: object): object => ({
  slots: { hero: { policy: "thompson", variants: { a: 1, b: 2 }, reward: { events: { click: 1 } }, ...extra } },
});
const experiment = (extra: object): object => ({
  slots: { hero: { policy: "rules", variants: { a: 1 } }, other: { policy: "rules", variants: { a: 1 } } },
  placements: { p: {}, q: {} },
  experiments: {
    e: { variants: { a: {}, b: {} }, metrics: { m: { kind: "conversion", event: "purchase" } }, ...extra },
  },
});
const metric = (metric: object): object => experiment({ metrics: { m: metric } });
const feature = (extra: object): object => ({ features: { f: { kind: "count", ...extra } } });

const GOOD: readonly unknown[] = [
  {},
  shopProgram,
  newsProgram,
  { $schema: "x", version: 3, created_at: "2026-01-01T00:00:00Z" },
  { events: { view: { weight: 1, description: "d" }, custom_thing: { weight: -2.5 } } },
  { interests: { by: ["tags"], half_life: "30s" } },
  { interests: {} },
  { interests: { by: [] } },
  feature({}),
  feature({ event: "view", window: "366d", where: "event.value > 1", of: "value" }),
  feature({ event: ["view", "click"], of: "additional_data.query" }),
  { features: { f: { kind: "decayed", half_life: "1d" } } },
  { segments: { a: { when: "true" } } },
  { segments: { a: { clusters: {} }, b: { when: 'in_segment("a_2") || in_segment("a")' } } },
  { segments: { a: { clusters: { method: "dbscan", interests: false, features: ["engagement"], reach: 1, max: 12, min_size: 0.5, every: "1h" } } } },
  { triggers: { t: { when: "true", once_per: "session", push: true, webhook: "https://example.org/x?y#z" } } },
  {
    placements: {
      p: { limit: 1, filter: "item.price < 3", boost: [{ when: "true", by: 0 }], diversity: 0.5, exclude: ["seen"] },
    },
  },
  placement({ pin: [{ item: "lamp", at: 1 }, { when: '"new" in item.tags', at: 200 }] }),
  placement({ cap: [{ by: "category", max: 2 }, { by: "tags", max: 200 }, { by: "attributes.brand", max: 1 }] }),
  placement({ frequency: { shows: 3, window: "1d" }, exclude: ["session"], purchased_for: "90d" }),
  placement({ frequency: { shows: 50, window: "30s", by: 0.5 }, freshness: { weight: 0, half_life: "12h" } }),
  slot({ rules: [{ when: "true", variant: "a" }], default: "a" }),
  bandit({}),
  slot({ policy: "thompson" }),
  { catalogue_only: true, models: { catalogue_only: false } },
  bandit({ policy: "epsilon_greedy", exploration: 0, half_life: "1d", rules: [{ when: "true", variant: "a" }] }),
  bandit({ policy: "squarecb", features: ["device", "hour"], shadow: true, default: "a" }),
  bandit({ among: ["a", "b"] }),
  bandit({ reward: { events: { click: 1, dismiss: -1 }, when: "event.value > 1", max: 3, window: "10m" } }),
  experiment({}),
  experiment({ share: 0.5, seed: "s", window: "1d", covariate: "frequency", primary: "m", control: "b" }),
  experiment({ when: 'context.device == "mobile"', guards: [{ metric: "m", worse_by: 0.1 }] }),
  experiment({ variants: { a: { weight: 2 }, b: { slots: { hero: "a" } }, c: { slots: { hero: { like: "other" } } } } }),
  experiment({ variants: { a: {}, b: { placements: { p: "q" } } }, interleave: "p" }),
  experiment({
    metrics: {
      a: { kind: "count", event: ["view", "click"], where: "event.value > 1", max: 10 },
      b: { kind: "revenue" },
      c: { kind: "engagement", better: "lower" },
      d: { kind: "time_on_site" },
      e: { kind: "bounce" },
      f: { kind: "retention", after: "2d" },
    },
  }),
  { experiments: { all: { holdout: 0.1, metrics: { m: { kind: "revenue" } } } } },
  { models: { knn: { neighbours: 5 }, item_ttl: "3d" } },
  { models: { next: { enabled: false }, background: { every: "12h", ridge: 100 } } },
  { models: { alerts: { webhook: "https://example.org/x" } } },
  { models: { crowd: { min_persons: 10, max_share: 0.05, young: "1d", young_weight: 0.1 } } },
  { models: { context: { attributes: ["age_group", "plan"] } } },
  { learning: { share: 0 } },
];

const BAD: readonly unknown[] = [
  { segments: { a: { clusters: { max: 1 } } } },
  { segments: { a: { clusters: { method: "k" } } } },
  { segments: { a: { clusters: {}, when: "true" } } },
  { models: { crowd: { min_persons: 25 } } },
  { models: { alerts: { webhook: "ftp://x" } } },
  { models: { crowd: { min_persons: 2.5 } } },
  { models: { crowd: { max_share: 0 } } },
  { models: { crowd: { young_weight: 2, k: 1 } } },
  null,
  [],
  3,
  { experiments: [] },
  { evnts: {} },
  { name: 3 },
  { description: [] },
  { events: [] },
  { events: { View: { weight: 1 } } },
  { events: { view: {} } },
  { events: { view: { weight: "1" } } },
  { events: { view: { weight: 1, x: 1 } } },
  { events: { view: 1 } },
  { events: { view: { weight: 1001 } } },
  { interests: { by: ["colours"] } },
  { interests: { by: ["tags", "tags"] } },
  { interests: { half_life: "0d" } },
  { interests: { half_life: "1w" } },
  { interests: { half_life: 3 } },
  feature({ kind: "median" }),
  { features: { f: {} } },
  feature({ event: [] }),
  feature({ event: 3 }),
  feature({ of: "item.colour" }),
  feature({ window: "1.5h" }),
  feature({ half_life: "1d" }),
  { features: { f: { kind: "decayed" } } },
  { features: { f: { kind: "decayed", half_life: "1d", window: "1d" } } },
  feature({ where: 3 }),
  { segments: { a: {} } },
  { segments: { a: { when: true } } },
  { segments: { a: { when: "true", clusters: {} } } },
  { segments: { "a-b": { when: "true" } } },
  { segments: { a: { when: "true".padEnd(2001) } } },
  { triggers: { t: { when: "true", once_per: "visit" } } },
  { triggers: { t: { when: "true", push: 1 } } },
  { triggers: { t: { when: "true", webhook: "ftp://x" } } },
  { triggers: { t: { when: "true", webhook: "https://u@x" } } },
  { placements: { p: { limit: 0 } } },
  { placements: { p: { limit: 2.5 } } },
  { placements: { p: { diversity: 2 } } },
  { placements: { p: { boost: [{ when: "true" }] } } },
  { placements: { p: { boost: [{ when: "true", by: -1 }] } } },
  { placements: { p: { exclude: ["seen", "seen"] } } },
  { placements: { p: { exclude: "seen" } } },
  placement({ pin: [{ at: 1 }] }),
  placement({ pin: [{ item: "lamp", when: "true", at: 1 }] }),
  placement({ pin: [{ item: "lamp" }] }),
  placement({ pin: [{ item: "", at: 1 }] }),
  placement({ pin: [{ item: "lamp", at: 0 }] }),
  placement({ pin: [{ item: "lamp", at: 1, x: 1 }] }),
  placement({ pin: { item: "lamp", at: 1 } }),
  placement({ cap: [{ by: "brand", max: 1 }] }),
  placement({ cap: [{ by: "attributes.a-b", max: 1 }] }),
  placement({ cap: [{ by: "category", max: 0 }] }),
  placement({ cap: [{ max: 1 }] }),
  placement({ frequency: { shows: 3 } }),
  placement({ frequency: { window: "1d" } }),
  placement({ frequency: { shows: 0, window: "1d" } }),
  placement({ frequency: { shows: 3, window: "1d", by: 2 } }),
  placement({ freshness: { weight: 0.5 } }),
  placement({ freshness: { weight: 1.5, half_life: "1d" } }),
  placement({ freshness: { weight: 1, half_life: 3 } }),
  placement({ purchased_for: 3 }),
  { slots: { hero: { policy: "rules" } } },
  { slots: { hero: { variants: {} } } },
  slot({ policy: "thompson_sampling" }),
  { catalogue_only: "yes" },
  slot({ reward: { events: { click: 1 } } }),
  slot({ shadow: true }),
  bandit({ features: ["device"] }),
  bandit({ policy: "squarecb", features: ["device", "device"] }),
  bandit({ policy: "squarecb", features: ["weather"] }),
  bandit({ shadow: true }),
  bandit({ among: ["a"] }),
  bandit({ among: ["a", "a"] }),
  bandit({ exploration: 2 }),
  bandit({ half_life: 3 }),
  bandit({ reward: {} }),
  bandit({ reward: { events: {} } }),
  bandit({ reward: { events: { click: "1" } } }),
  bandit({ reward: { events: { click: 1 }, max: 0 } }),
  bandit({ reward: { events: { click: 1 }, window: "1w" } }),
  experiment({ variants: { a: {} } }),
  experiment({ variants: undefined }),
  experiment({ variants: { a: {}, b: { weight: 0 } } }),
  experiment({ variants: { a: {}, b: { slots: { hero: 3 } } } }),
  experiment({ variants: { a: {}, b: { slots: { hero: { like: "other", x: 1 } } } } }),
  experiment({ variants: { a: {}, b: { placements: { p: {} } } } }),
  experiment({ metrics: undefined }),
  experiment({ metrics: {} }),
  experiment({ share: 0 }),
  experiment({ guards: [{}] }),
  experiment({ guards: [{ metric: "m", worse_by: 2 }] }),
  experiment({ holdout: 0.1 }),
  experiment({ window: "7" }),
  metric({}),
  metric({ kind: "clicks" }),
  metric({ kind: "conversion" }),
  metric({ kind: "bounce", event: "view" }),
  metric({ kind: "time_on_site", where: "true" }),
  metric({ kind: "revenue", after: "1d" }),
  metric({ kind: "revenue", max: 0 }),
  metric({ kind: "revenue", better: "more" }),
  { experiments: { all: { holdout: 0.7, metrics: { m: { kind: "revenue" } } } } },
  slot({ rules: [{ when: "true" }] }),
  slot({ rules: {} }),
  slot({ default: 3 }),
  { slots: { hero: { policy: "rules", variants: { "A b": 1 } } } },
  { models: { gru: {} } },
  { models: { context: { attributes: ["a-b"] } } },
  { models: { context: { attributes: ["a", "a"] } } },
  { models: { context: { attributes: "age" } } },
  { models: { background: { every: 3 } } },
  { models: { trend: { half_life: "1h" } } },
  { models: { knn: { neighbours: 0 } } },
  { models: { rules: { row_max: 1.5 } } },
  { models: { repeats: { enabled: 1 } } },
  { learning: { share: 1.1 } },
];

test("schema and checker take the same documents", () => {
  for (const document of GOOD) {
    equal(validate(document), true, JSON.stringify(validate.errors?.[0]) + JSON.stringify(document).slice(0, 200));
    deepEqual(checkProgram(document), []);
  }
});

test("schema and checker refuse the same documents", () => {
  for (const document of BAD) {
    equal(validate(document), false, `the schema takes ${JSON.stringify(document)}`);
    equal(checkProgram(document).length > 0, true, `the checker takes ${JSON.stringify(document)}`);
  }
});

test("a shipped program with one value damaged is refused by both or by none", () => {
  const damages: readonly unknown[] = [null, 0, -1, "", "x!", [], {}, { x: 1 }, true];
  forEachSeed(400, (rng) => {
    const document = structuredClone(rng.between(0, 1) === 0 ? shopProgram : newsProgram) as unknown as Record<
      string,
      unknown
    >;
    let holder = document;
    const path: string[] = [];
    for (let depth = rng.between(0, 4); ; depth--) {
      const keys = Object.keys(holder);
      const key = keys[rng.between(0, keys.length - 1)];
      if (key === undefined) return;
      path.push(key);
      const inner = holder[key];
      if (depth > 0 && typeof inner === "object" && inner !== null && path[0] !== "slots")
        holder = inner as Record<string, unknown>;
      else {
        holder[key] = damages[rng.between(0, damages.length - 1)];
        break;
      }
    }
    // What only the checker knows: names and expressions, what belongs together across parts.
    const structural = checkProgram(document).filter(
      ({ code }) => !/^(cel_|unknown_(event|segment|variant|function|metric|placement|slot|feature)|window_)/.test(code),
    );
    equal(
      validate(document),
      structural.length === 0,
      `${path.join("/")}: ${JSON.stringify(structural)} ${JSON.stringify(validate.errors?.[0])}`,
    );
  });
});

test("every part of the schema is described", () => {
  const visit = (node: Record<string, unknown>, path: string): void => {
    for (const [name, member] of Object.entries(
      (node["properties"] ?? {}) as Record<string, Record<string, unknown> | false>,
    )) {
      if (member === false) continue;
      equal(typeof member["description"], "string", `${path}/${name} has no description`);
      visit(member, `${path}/${name}`);
      if (member["items"] !== undefined) visit(member["items"] as Record<string, unknown>, `${path}/${name}/items`);
    }
  };
  visit(schema, "");
  for (const [name, definition] of Object.entries(schema.$defs as Record<string, Record<string, unknown>>)) {
    // What an editor says of a name that its writer chose.
    equal(typeof definition["description"], "string", `$defs/${name} has no description`);
    visit(definition, `$defs/${name}`);
  }
});

const models = schema.properties.models.properties;

test("the defaults that the schema tells of models are those in force, and so are the ends beyond which nothing changes", () => {
  const told = (description: string): number => {
    const [, text = ""] = /Default (\d+(?:\.\d+)?[smhd]?)/.exec(description) ?? [];
    return durationMs(text) ?? Number(text);
  };
  const config = modelConfig(undefined);
  const { rules, cosine, knn, popularity, item_ttl: ttl } = models;
  deepEqual(
    [popularity.properties.half_life, rules.properties.half_life, rules.properties.row_max, cosine.properties.row_max].map((one) => told(one.description)),
    [config.popularityHalfLifeMs, config.rulesHalfLifeMs, config.rulesRowMax, config.cosineRowMax],
  );
  deepEqual(
    [knn.properties.half_life, knn.properties.neighbours, knn.properties.sessions_per_item, ttl].map((one) => told(one.description)),
    [config.knnHalfLifeMs, config.knnNeighbours, config.knnSessionsPerItem, config.itemTtlMs],
  );
  const learning = schema.properties.learning.properties;
  deepEqual([learning.share, learning.max_per_second].map((one) => told(one.description)), Object.values(learningConfig(undefined)));
  const ends = (rowMax: number): number[] => {
    const { rulesRowMax, cosineRowMax, knnSessionsPerItem } = modelConfig({
      rules: { row_max: rowMax },
      cosine: { row_max: rowMax },
      knn: { sessions_per_item: rowMax },
    });
    return [rulesRowMax, cosineRowMax, knnSessionsPerItem];
  };
  deepEqual([ends(1), ends(7), ends(9)], [[8, 8, 8], [8, 8, 8], [9, 9, 9]]);
  deepEqual(ends(1_000), [128, 128, 1_000]);
  equal(modelConfig({ knn: { neighbours: 2_000 } }).knnNeighbours, 500);
});

test("the exploration that the schema tells of each policy is the one in force", () => {
  const { policy: policies, exploration } = schema.$defs.slot.properties;
  for (const policy of (policies.enum as string[]).filter((name) => name !== "rules")) {
    const { description } = exploration as { description: string };
    const [, told] = new RegExp(`([\\d.]+) for ${policy}\\b`).exec(description) ?? /([\d.]+) for the others/.exec(description)!;
    equal(compiled(bandit({ policy })).slots.get("hero")!.bandit!.exploration, Number(told), policy);
  }
});
