// How intake grows with persons and items: CPU an event and memory over HTTP in batches of 100, everything else equal.
import { sendAll } from "./load.ts";
import { printTable } from "./table.ts";
import { startAttune } from "./target.ts";
import { traffic } from "./traffic.ts";

const EVENTS_A_REQUEST = 100;
const WARM_REQUESTS = 3_000;
const REQUESTS = 2_000;
const CASES = [
  { persons: 10_000, items: 10_000 },
  { persons: 100_000, items: 10_000 },
  { persons: 1_000_000, items: 10_000 },
  { persons: 100_000, items: 1_000 },
  { persons: 100_000, items: 100_000 },
];

export async function growth(): Promise<void> {
  const rows: (string | number)[][] = [];
  for (const { persons, items } of CASES) {
    const attune = await startAttune();
    const shop = traffic({ seed: 4, persons, items });
    const body = (): Buffer => Buffer.from(JSON.stringify({ events: shop.events(EVENTS_A_REQUEST) }));
    const requests = { method: "POST", path: "/v1/events", body } as const;
    await sendAll(attune.url, requests, { count: WARM_REQUESTS, connections: 4 });
    const before = attune.cpuUs();
    const result = await sendAll(attune.url, requests, { count: REQUESTS, connections: 4 });
    if (result.failed > 0) throw new Error(`${result.failed} requests were refused`);
    const cpuUs = (attune.cpuUs() - before) / (REQUESTS * EVENTS_A_REQUEST);
    rows.push([persons, items, cpuUs, attune.rssBytes() / 1e6]);
    await attune.stop();
  }
  console.log(`after ${WARM_REQUESTS * EVENTS_A_REQUEST} events, over the next ${REQUESTS * EVENTS_A_REQUEST}`);
  printTable(["persons", "items", "CPU µs an event", "memory MB"], rows);
}
