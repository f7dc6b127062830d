// What each model is worth to the blend: in one pass over a log, one ranker learns from all lists and one for each model
// from all lists but that model's, each judged on every step before it learns it. Also: the visitor's last click hidden.
//
//   node bench/ablation.ts SET [LIMIT] [EVERY]     SET: yoochoose, globo_news, ml_100k, yoochoose_64, diginetica
//
// LIMIT events (sessions of the frozen sets, whose last tenth is asked for); every EVERY-th step is asked and learnt.
// The logs lie in ../shared/data, which is no part of the repository.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { LoggedEvent } from "../core/event/event.ts";
import { hash32 } from "../core/math/hash.ts";
import type { CandidateList } from "../core/model/candidates.ts";
import { learningConfig, modelConfig } from "../core/model/config.ts";
import { EASE_DEFAULTS, partsOf, trainEase } from "../core/model/ease.ts";
import { createMix } from "../core/model/mix.ts";
import { createModels, type Asker, type Models } from "../core/model/models.ts";
import { createTrails } from "../core/model/trails.ts";
import { newsProgram } from "../core/program/news.ts";
import type { ProgramDocument } from "../core/program/program.ts";
import { shopProgram } from "../core/program/shop.ts";
import { type Step, stepOf } from "../core/model/step.ts";
import { openEventFile } from "../server/cli/event-file.ts";
import { createIntervalBooks } from "../server/cli/evaluate-intervals.ts";
import { createVisits } from "../server/cli/evaluate-visits.ts";
import { printTable } from "./table.ts";

const FOLDER = resolve(import.meta.dirname, "../../shared/data");
const TOP = 20;
const DRAWS = 200;
const WARM_UP_SHARE = 0.4; // Rankers need some thousand steps before they can be compared.
const TRAINED_SHARE = 0.9; // Of a frozen set's sessions.
const FROZEN_FROM_MS = Date.UTC(2020, 0, 1);
const SEED = 77;

interface DataSet {
  readonly program: ProgramDocument;
  readonly isFrozen?: boolean;
  /** What cannot be the next item. */
  readonly leavesOut: "nothing" | "session" | "seen";
  readonly retrainEvery?: number;
}

const SETS: Readonly<Record<string, DataSet>> = {
  yoochoose: { program: shopProgram, leavesOut: "nothing", retrainEvery: 10_000 },
  globo_news: { program: newsProgram, leavesOut: "session" },
  ml_100k: { program: shopProgram, leavesOut: "seen", retrainEvery: 5_000 },
  yoochoose_64: { program: shopProgram, leavesOut: "nothing", isFrozen: true },
  diginetica: { program: shopProgram, leavesOut: "nothing", isFrozen: true },
};

async function* rowsOf(path: string): AsyncGenerator<Record<string, unknown>> {
  for await (const lines of openEventFile(path).lines()) {
    for (const { text } of lines) yield JSON.parse(text) as Record<string, unknown>;
  }
}

/** A ranker for all lists and one for all but each model's. */
function createArms(models: Models, names: readonly string[]) {
  const { union, situation, lists } = models;
  const nothing: CandidateList = { slots: new Int32Array(0), scores: new Float64Array(0), length: 0 };
  const arms = ["blend", ...names].map((name) => {
    const without = models.models.findIndex((model) => model.name === name);
    return { name, mix: createMix(models.models.length), lists: lists.map((list, m) => (m === without ? nothing : list)) };
  });
  const scores = new Float64Array(models.models.length * 100);
  const place = (target: number, isOut: (slot: number) => boolean): number => {
    const at = union.find(target);
    if (at < 0) return -1;
    let above = 0;
    for (let i = 0; i < union.count; i++) {
      if ((scores[i]! > scores[at]! || (scores[i] === scores[at] && i < at)) && !isOut(union.slots[i]!)) above++;
    }
    return above < TOP ? above : -1;
  };
  const weigh = (arm: (typeof arms)[number]): void => {
    union.gather(arm.lists, situation);
    union.describe(arm.lists, situation);
    arm.mix.score(union, situation.lengthBucket, scores);
  };
  return {
    /** Places of `target` by each arm. */
    places(target: number, isOut: (slot: number) => boolean): [name: string, place: number][] {
      return arms.map((arm) => {
        weigh(arm);
        return [arm.name, place(target, isOut)];
      });
    },
    whole(target: number, isOut: (slot: number) => boolean): number {
      weigh(arms[0]!);
      return place(target, isOut);
    },
    learn(target: number): void {
      for (const arm of arms) {
        weigh(arm);
        const at = union.find(target);
        if (at >= 0 && union.isDescribed[at] === 1) arm.mix.learn(union, situation.lengthBucket, at, scores);
      }
      models.blend.learn(lists, situation, target, models.items.slotEnd);
    },
  };
}

interface Question {
  readonly asker: Asker & { readonly trail?: readonly string[] };
  readonly nowMs: number;
  readonly target: string;
  readonly session: string;
  readonly known: readonly string[];
  readonly seen: ReadonlySet<string>;
}

async function ablate(name: string, limit: number, every: number): Promise<void> {
  const set = SETS[name]!;
  const models = createModels(modelConfig(set.program.models), learningConfig(set.program.learning));
  const arms = createArms(models, models.models.map((model) => model.name));
  const books = createIntervalBooks();
  const sums = new Map<string, [hits: number, gain: number]>();
  let asked = 0;

  const note = (arm: string, place: number): void => {
    books.note(arm, place);
    const sum = sums.get(arm) ?? [0, 0];
    sums.set(arm, place < 0 ? sum : [sum[0] + 1, sum[1] + 1 / (place + 1)]);
  };

  const ask = ({ asker, nowMs, target, session, known, seen }: Question): void => {
    const slot = models.items.slotOf(target);
    const isOut = (other: number): boolean => {
      if (set.leavesOut === "nothing") return false;
      const id = models.items.idAt(other);
      return set.leavesOut === "session" ? known.includes(id) : seen.has(id);
    };
    models.list({ ...asker, trail: known.slice(1), history: asker.history.slice(1) }, nowMs);
    note("last click hidden", arms.whole(slot, isOut));
    models.list(asker, nowMs);
    for (const [arm, place] of arms.places(slot, isOut)) note(arm, place);
    books.close(session, asked++);
  };

  if (set.isFrozen === true) await frozen();
  else await prequential();
  report();

  async function prequential(): Promise<void> {
    const visits = createVisits({ keepSeen: set.leavesOut === "seen" });
    const trails = createTrails();
    const itemsPath = resolve(FOLDER, name, "items.ndjson.gz");
    if (existsSync(itemsPath)) {
      for await (const row of rowsOf(itemsPath)) {
        const { categories = [], tags = [] } = row as { categories?: string[]; tags?: string[] };
        models.put({ ...row, item_id: String(row["item_id"]), categories, tags }, 0);
      }
    }
    let events = 0;
    for await (const row of rowsOf(resolve(FOLDER, name, "events.ndjson.gz"))) {
      if (events++ >= limit) break;
      const timestamp = Date.parse(row["timestamp"] as string);
      const event = { ...row, timestamp, received_at: timestamp } as unknown as LoggedEvent;
      const personKey = `u:${event.user_id}`;
      const history = visits.history(personKey).slice();
      const weight = set.program.events?.[event.event_type]?.weight ?? 1;
      const step = stepOf(event, { personKey, weight, sampled: false, history });
      if (step === undefined) continue;
      const known = visits.trail(step);
      const seen = visits.seen(personKey);
      const isNew = known[0] !== step.itemId || visits.sawType(step);
      if (isNew && hash32(event.event_id, SEED) % every === 0) {
        const canCome = set.leavesOut === "nothing" || !(set.leavesOut === "session" ? known : [...seen]).includes(step.itemId);
        const hasContext = set.leavesOut === "seen" ? history.length > 0 : known.length > 0;
        const session = step.sessionId ?? personKey;
        if (events > WARM_UP_SHARE * limit && canCome && hasContext) {
          ask({ asker: step, nowMs: step.timeMs, target: step.itemId, session, known, seen });
        }
        models.list(step, step.timeMs);
        arms.learn(models.items.slotOf(step.itemId));
      }
      if (set.retrainEvery !== undefined) {
        if (events % set.retrainEvery === 0) {
          const { itemIds, sequences } = trails.corpus();
          for (const part of partsOf(trainEase(itemIds, sequences, EASE_DEFAULTS))) models.takeBackground(part);
        }
        trails.add(personKey, step.itemId);
      }
      models.learn(step);
      visits.add(step);
    }
  }

  async function frozen(): Promise<void> {
    const sessions: string[][] = [];
    for await (const row of rowsOf(resolve(FOLDER, name, "train.ndjson.gz"))) {
      if (sessions.length >= limit) break;
      sessions.push(row["items"] as string[]);
    }
    const cut = Math.floor(sessions.length * TRAINED_SHARE);
    let nowMs = FROZEN_FROM_MS;
    for (const [number, itemIds] of sessions.slice(0, cut).entries()) {
      const personKey = `s${number}`;
      for (const [k, itemId] of itemIds.entries()) {
        nowMs += 1000;
        const step: Step = { personKey, itemId, eventType: "click", weight: 1, timeMs: nowMs, sampled: false, history: [] };
        if (hash32(`${personKey}-${k}`, SEED) % every === 0) {
          models.list(step, nowMs);
          arms.learn(models.items.slotOf(itemId));
        }
        models.learn(step);
      }
    }
    for (const [number, itemIds] of sessions.slice(cut).entries()) {
      for (let k = 1; k < itemIds.length; k++) {
        if (hash32(`asked ${number}-${k}`, SEED) % every !== 0) continue;
        const known = [...new Set(itemIds.slice(0, k).reverse())];
        const asker = { personKey: `asked-${number}`, history: [], trail: itemIds.slice(0, k).reverse() };
        ask({ asker, nowMs, target: itemIds[k]!, session: String(number), known, seen: new Set() });
      }
    }
  }

  function report(): void {
    const intervals = books.intervals(DRAWS, 0);
    if (intervals === undefined) throw new Error("nothing was asked: take a larger LIMIT");
    const [allHits, allGain] = sums.get("blend")!;
    const percent = (value: number): string => (100 * value).toFixed(2);
    const range = ([low, high]: [number, number]): string => `${percent(low)} to ${percent(high)}`;
    console.log(`${name}: ${asked} steps asked of the first ${limit}, one in ${every}; blend HR@${TOP} ${percent(allHits / asked)} ` +
      `(${range(intervals.hr20["blend"]!)}), MRR@${TOP} ${percent(allGain / asked)} (${range(intervals.mrr20["blend"]!)})`);
    const rows = [...sums].filter(([arm]) => arm !== "blend").map(([arm, [hits, gain]]) => {
      const { hr20, mrr20 } = intervals.behind[arm]!;
      return [arm, percent((hits - allHits) / asked), range(hr20), percent((gain - allGain) / asked), range(mrr20)];
    });
    printTable(["without", "HR@20", "95 %", "MRR@20", "95 %"], rows);
  }
}

const [name = "", limit = "50000", every = "4"] = process.argv.slice(2);
if (SETS[name] === undefined) throw new Error(`which set? ${Object.keys(SETS).join(", ")}`);
if (!existsSync(resolve(FOLDER, name))) console.log(`skipped: ${FOLDER}/${name} is not there`);
else await ablate(name, Number(limit), Number(every));
