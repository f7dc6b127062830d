// `GET /v1/recommendations` over 40,000 items, for persons with a history, while 2,000 events a second come in: CPU a
// list against a bare GET, and the answer's p99 at 1,000 a second.
import { setTimeout } from "node:timers/promises";
import { percentile, sendAll, sendPaced } from "./load.ts";
import { median, printTable } from "./table.ts";
import { startAttune, startBare, type Target } from "./target.ts";
import { traffic } from "./traffic.ts";

const ITEMS = 40_000;
const PERSONS = 5_000;
const WARM_EVENTS = 200_000;
const ROUNDS = 3;
const REQUESTS = 5_000;
const CONNECTIONS = 8;
const LISTS_A_SECOND = 1_000;
const EVENTS_A_SECOND = 2_000;
const EVENTS_A_REQUEST = 20;
const PACED_SECONDS = 10;
const TRAINED_WITHIN_S = 300;

/** Steps through the persons in an order that is not theirs of arrival. */
const lists = {
  method: "GET",
  path: (n: number) => `/v1/recommendations?user_id=user-${1 + ((n * 7) % PERSONS)}`,
} as const;

export async function recommend(): Promise<void> {
  const [bare, attune] = [await startBare(), await startAttune()];
  const shop = traffic({ seed: 2, persons: PERSONS, items: ITEMS });
  await warm(attune, shop);
  await untilTrained(attune);
  const cpu: Record<string, number[]> = { bare: [], attune: [] };
  for (let round = 0; round <= ROUNDS; round++) {
    for (const target of [bare, attune]) {
      const before = target.cpuUs();
      const { failed } = await sendAll(target.url, lists, { count: REQUESTS, connections: CONNECTIONS });
      if (failed > 0) throw new Error(`${target.name} refused ${failed} requests`);
      // The first round warms the compiler.
      if (round > 0) cpu[target.name]!.push((target.cpuUs() - before) / REQUESTS / 1_000);
    }
  }
  const eventsUnderWay = sendPaced(
    attune.url,
    {
      method: "POST",
      path: "/v1/events",
      body: () => Buffer.from(JSON.stringify({ events: shop.events(EVENTS_A_REQUEST) })),
    },
    { perSecond: EVENTS_A_SECOND / EVENTS_A_REQUEST, seconds: PACED_SECONDS },
  );
  const { tookMs } = await sendPaced(attune.url, lists, { perSecond: LISTS_A_SECOND, seconds: PACED_SECONDS });
  await eventsUnderWay;
  console.log(`${ITEMS} items, ${WARM_EVENTS} events learnt, lists of 20 for ${PERSONS} persons`);
  printTable(
    ["server", "CPU ms a request", `p50 ms at ${LISTS_A_SECOND}/s with ${EVENTS_A_SECOND} events/s`, "p99 ms"],
    [
      ["bare GET", median(cpu["bare"]!), "", ""],
      ["attune", median(cpu["attune"]!), percentile(tookMs, 0.5), percentile(tookMs, 0.99)],
      ["ratio", median(cpu["attune"]!.map((value, i) => value / cpu["bare"]![i]!)), "", ""],
    ],
  );
  console.log(`attune holds ${Math.round(attune.rssBytes() / 1e6)} MB`);
  await bare.stop();
  await attune.stop();
}

async function warm(attune: Target, shop: ReturnType<typeof traffic>): Promise<void> {
  const items = shop.items();
  for (let start = 0; start < items.length; start += 1_000) {
    const body = JSON.stringify({ items: items.slice(start, start + 1_000) });
    const put = await fetch(`${attune.url}/v1/items`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body,
    });
    if (!put.ok) throw new Error(`items: ${put.status} ${await put.text()}`);
  }
  const body = (): Buffer => Buffer.from(JSON.stringify({ events: shop.events(500) }));
  await sendAll(attune.url, { method: "POST", path: "/v1/events", body }, { count: WARM_EVENTS / 500, connections: 4 });
}

/** A node trains its background model a minute after its start; lists of before have one model less. */
async function untilTrained({ url }: Target): Promise<void> {
  for (let waitedS = 0; waitedS < TRAINED_WITHIN_S; waitedS++) {
    const { background } = (await (await fetch(`${url}/v1/models`)).json()) as { background: { since: string | null } };
    if (background.since !== null) return;
    await setTimeout(1_000);
  }
  throw new Error(`no background model after ${TRAINED_WITHIN_S} s`);
}
