// What the models hold after a million sessions over 50,000 items, what a step costs then, and the longest pause of one
// call. Bounded: 1,000,000 sessions of one to six steps, each started by a person of his own; some 20 s. With
// `node --expose-gc`, objects and arrays are what the models hold, not what waits for the collector.
import { rngFrom } from "../core/math/rng.ts";
import type { Step } from "../core/model/step.ts";
import { createRecommender } from "../core/rank/recommender.ts";
import { shopProgram } from "../core/program/shop.ts";
import { printTable } from "./table.ts";

const ITEMS = 50_000;
const SESSIONS = 1_000_000;
const SESSION_EVERY_MS = 100; // Some 18,000 sessions are open at a time.
const NEIGHBOURHOOD = 30;
const RECOMMEND_EVERY = 50;

export async function modelMemory(): Promise<void> {
  const rng = rngFrom(11);
  const recommender = createRecommender({ models: shopProgram.models, learning: shopProgram.learning });
  const listMs: number[] = [];
  const pauses: number[] = [];
  let steps = 0;
  const baseMb = process.memoryUsage.rss() / 1e6;
  const cpu = process.cpuUsage();
  const timed = (run: () => unknown): number => {
    const fromMs = performance.now();
    run();
    return performance.now() - fromMs;
  };
  for (let session = 0; session < SESSIONS; session++) {
    const home = Math.min(rng.between(1, ITEMS), rng.between(1, ITEMS));
    const personKey = `a:visitor-${session}`;
    for (let left = rng.between(1, 6); left > 0; left--) {
      steps++;
      const timeMs = session * SESSION_EVERY_MS + 1;
      const step: Step = {
        personKey,
        sessionId: undefined,
        itemId: `item-${1 + ((home + rng.between(0, NEIGHBOURHOOD)) % ITEMS)}`,
        eventType: "click",
        weight: 1,
        timeMs,
        sampled: recommender.learningSample(`e${steps}`, timeMs),
        history: [],
        country: "NO",
        device: "mobile",
      };
      const ms = timed(() => recommender.learn(step));
      if (ms > 2) pauses.push(ms);
    }
    if (session % RECOMMEND_EVERY === 0) {
      listMs.push(
        timed(() =>
          recommender.recommend({
            personKey,
            nowMs: session * SESSION_EVERY_MS + 2,
            limit: 20,
            history: [],
            interests: [],
          }),
        ),
      );
    }
  }
  const used = process.cpuUsage(cpu);
  globalThis.gc?.();
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  listMs.sort((a, b) => a - b);
  pauses.sort((a, b) => b - a);
  const quantile = (q: number): number => listMs[Math.floor((listMs.length - 1) * q)]! * 1_000;
  const mb = (bytes: number): number => Math.round(bytes / 1e6);
  printTable(
    ["models", "value"],
    [
      ["items", recommender.itemCount],
      ["sessions", SESSIONS],
      ["steps", steps],
      ["CPU a step with its share of the lists, µs", (used.user + used.system) / steps],
      ["resident MB", mb(rss)],
      ["of them before the first step", Math.round(baseMb)],
      ["objects MB", mb(heapUsed)],
      ["arrays MB", mb(arrayBuffers)],
      ["recommend p50, µs", quantile(0.5)],
      ["recommend p99, µs", quantile(0.99)],
      ["recommend longest, ms", listMs.at(-1)!],
      ["learn longest, ms", pauses[0] ?? 0],
      ["learn calls above 5 ms", pauses.filter((ms) => ms > 5).length],
    ],
  );
}
