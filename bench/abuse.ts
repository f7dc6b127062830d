// What fake visitors can do to the lists of real ones: a simulated shop, one profile in a hundred a fake that pushes one
// item, with the program's defences and, as the negative control, without. Seeded; the recommender's own code decides.
import { hash32 } from "../core/math/hash.ts";
import { rngFrom, type Rng } from "../core/math/rng.ts";
import type { CrowdDocument } from "../core/program/program.ts";
import { shopProgram } from "../core/program/shop.ts";
import type { RecentItem, Step } from "../core/model/step.ts";
import { createRecommender, type Recommender } from "../core/rank/recommender.ts";
import { stepStream } from "../core/testing/streams.ts";
import { printTable } from "./table.ts";

const ATTACKS = {
  none: "no fakes",
  one_address: "all fakes behind one address, for a day",
  burst: "new fakes, an address each, within two hours",
  sleepers: "fakes with an address each, known for days, for a day",
} as const;
export type Attack = keyof typeof ATTACKS;

export const DEFENCES: CrowdDocument = { min_persons: 10, max_share: 0.03, young: "1d", young_weight: 0.1 };

export interface ShopOptions {
  readonly persons: number;
  readonly items: number;
  readonly attack: Attack;
  readonly target: number;
  readonly defences: CrowdDocument;
  readonly seed: number;
  /** Fakes say that they buy what they push; real visitors buy one in 33 of what they look at. */
  readonly buys?: boolean;
}

export interface Exposure {
  /** Lists of real visitors at the end, and those of them that show the target. */
  lists: number;
  exposed: number;
  /** Place of the target in trending when the attack ends, from 1; Infinity where it is not among 20. */
  trendingRank: number;
}

const DAY_MS = 86_400_000;
const DAYS = 6;
const THEME = 10;
const FAKE_SHARE = 0.01;
const FAKE_PUSHES = 40; // Clicks of one fake on the item that it pushes.
const BUYS_ONE_IN = 33;
const PURCHASE_WEIGHT = 10; // As in `shop`.
const LIST = 10;
const START_MS = 1_760_000_000_000;

/** Items are more popular the smaller their number; neighbours within a theme follow each other. */
export function simulateShop(options: ShopOptions): Exposure {
  const { persons, items, target, defences, seed, buys = false } = options;
  const recommender = createRecommender({ models: { crowd: defences, item_ttl: "300d" }, learning: shopProgram.learning });
  for (let i = 0; i < items; i++) {
    recommender.putItem({ item_id: `i${i}`, categories: [`theme${Math.floor(i / THEME)}`], tags: [] }, START_MS);
  }
  const events = [...realVisits(rngFrom(seed), persons, items), ...fakeVisits(rngFrom(seed + 1), { ...options, fakes: persons * FAKE_SHARE })];
  events.sort((a, b) => a.timeMs - b.timeMs);
  const histories = new Map<string, RecentItem[]>();
  const since = new Map<string, number>();
  const exposure: Exposure = { lists: 0, exposed: 0, trendingRank: Infinity };
  const measuredFromMs = START_MS + (DAYS - 0.5) * DAY_MS;
  for (const [n, event] of events.entries()) {
    const history = histories.get(event.personKey) ?? [];
    const knownSinceMs = since.get(event.personKey) ?? event.timeMs;
    since.set(event.personKey, knownSinceMs);
    if (event.timeMs >= measuredFromMs && event.personKey.startsWith("a:real") && n % 4 === 0) look(recommender, event, history, { target, exposure });
    const sampled = recommender.learningSample(`e${n}`, event.timeMs);
    const isPush = event.personKey.startsWith("a:fake") && event.itemId === `i${target}`;
    const isBought = buys && (isPush || hash32(`${n}`, seed) % BUYS_ONE_IN === 0);
    const act = isBought ? { eventType: "purchase", weight: PURCHASE_WEIGHT } : { eventType: "click", weight: 1 };
    recommender.learn({ ...event, ...act, sampled, history, knownSinceMs });
    histories.set(event.personKey, [{ item_id: event.itemId, event_type: "click", timestamp: event.timeMs }, ...history].slice(0, 50));
  }
  const trending = recommender.trending({ limit: 20, nowMs: events.at(-1)!.timeMs });
  const at = trending.items.findIndex(({ itemId }) => itemId === `i${target}`);
  if (at >= 0) exposure.trendingRank = at + 1;
  return exposure;
}

type Visit = Pick<Step, "personKey" | "itemId" | "timeMs" | "source">;

function look(recommender: Recommender, event: Visit, history: readonly RecentItem[], into: { target: number; exposure: Exposure }): void {
  const { personKey, timeMs: nowMs } = event;
  const list = recommender.recommend({ personKey, nowMs, limit: LIST, history, interests: [] });
  into.exposure.lists++;
  if (list.items.some(({ itemId }) => itemId === `i${into.target}`)) into.exposure.exposed++;
}

function* realVisits(rng: Rng, persons: number, items: number): Generator<Visit> {
  for (let p = 0; p < persons; p++) {
    const source = `home${hash32(`${p}`) % Math.ceil(persons / 2)}`;
    const sessions = rng.between(1, 4);
    for (let s = 0; s < sessions; s++) {
      let timeMs = START_MS + rng.between(0, DAYS * DAY_MS);
      let item = popular(rng, items);
      for (let step = rng.between(2, 8); step > 0; step--) {
        yield { personKey: `a:real${p}`, itemId: `i${item}`, timeMs, source };
        timeMs += rng.between(10_000, 240_000);
        const theme = Math.floor(item / THEME) * THEME;
        item = rng.between(0, 3) === 0 ? popular(rng, items) : theme + ((item - theme + rng.between(1, 3)) % THEME);
      }
    }
  }
}

function* fakeVisits(rng: Rng, { fakes, items, attack, target }: ShopOptions & { fakes: number }): Generator<Visit> {
  if (attack === "none") return;
  const hours = attack === "burst" ? 2 : 24;
  for (let p = 0; p < fakes; p++) {
    const personKey = `a:fake${p}`;
    const source = attack === "one_address" ? "farm" : `farm${p}`;
    if (attack === "sleepers") {
      for (let i = 0; i < 3; i++) yield { personKey, itemId: `i${popular(rng, items)}`, timeMs: START_MS + i * 60_000, source };
    }
    const gapMs = Math.floor((hours * 3_600_000) / FAKE_PUSHES);
    for (let i = 0; i < FAKE_PUSHES; i++) {
      const timeMs = START_MS + DAYS * DAY_MS - hours * 3_600_000 + i * gapMs + rng.between(0, gapMs - 20_000);
      // Beside what everybody looks at, so that it is taken for what goes with it.
      yield { personKey, itemId: `i${popular(rng, items)}`, timeMs, source };
      yield { personKey, itemId: `i${target}`, timeMs: timeMs + 10_000, source };
    }
  }
}

function popular(rng: Rng, items: number): number {
  const x = rng.between(0, 9_999) / 10_000;
  return Math.min(items - 1, Math.floor(x * x * items));
}

/** CPU time of learning alone, with each defence and without, in turns on the same steps. */
function costs(): void {
  const steps = stepStream(rngFrom(5), { steps: 60_000, persons: 5_000, items: 5_000, groupSize: 10 });
  const { min_persons, ...others } = DEFENCES;
  const variants: [label: string, crowd: CrowdDocument, times: number[]][] = [
    ["none", {}, []],
    ["min_persons", { min_persons: min_persons! }, []],
    ["the others", others, []],
    ["all", DEFENCES, []],
  ];
  for (let turn = 0; turn < 6; turn++) {
    for (const [, crowd, times] of variants) {
      const recommender = createRecommender({ models: { crowd }, learning: { share: 0 } });
      const from = process.cpuUsage();
      for (const step of steps) recommender.learn({ ...step, sampled: false, source: step.personKey, knownSinceMs: step.timeMs });
      const { user, system } = process.cpuUsage(from);
      if (turn > 0) times.push((user + system) / steps.length);
    }
  }
  printTable(["defences", "µs CPU an event learnt"], variants.map(([label, , times]) => [label, Math.min(...times)]));
}

export async function abuse(): Promise<void> {
  costs();
  const size = { persons: 1_500, items: 200 };
  const targets = [40, 75, 110, 145];
  const rows: (string | number)[][] = [];
  for (const [label, defences] of [["off", {}], ["on", DEFENCES]] as const) {
    for (const buys of [false, true]) {
      let base = 0;
      for (const attack of Object.keys(ATTACKS) as Attack[]) {
        const seen = targets.map((target, i) => simulateShop({ ...size, attack, target, defences, seed: 11 + i, buys }));
        const share = seen.reduce((sum, { exposed, lists }) => sum + exposed / lists, 0) / seen.length;
        if (attack === "none") base = share;
        const trending = seen.filter(({ trendingRank }) => trendingRank <= 10).length;
        rows.push([label, buys ? "purchases" : "clicks", ATTACKS[attack], share * 100, share / base, `${trending} of ${seen.length}`]);
      }
    }
  }
  printTable(["defences", "by", "attack", "lists that show the item, %", "× without fakes", "in trending's first 10"], rows);
}
