// How long an answer takes at a fixed rate of events, with checkpoints under way: an open loop, so that what waits
// behind a pause counts. Bare and attune in turns, at the same rates, in one run.
import { percentile, sendPaced, type LoadResult } from "./load.ts";
import { printTable } from "./table.ts";
import { startAttune, startBare, type Target } from "./target.ts";
import { traffic } from "./traffic.ts";

const EVENTS_A_SECOND = [10_000, 25_000];
const EVENTS_A_REQUEST = 100;
const PERSONS = 10_000;
const ITEMS = 10_000;
/** Long enough that every person and item has a row, and that the compiler is done. */
const WARM_SECONDS = 10;
/** Two checkpoints at least: one is taken every 10 s. */
const PACED_SECONDS = 25;
/** Beside the events: requests that cost nothing, so that the longest of them is the longest pause. */
const PROBES_A_SECOND = 200;
const BODIES = 2_000;

export async function latency(): Promise<void> {
  const rows: (string | number)[][] = [];
  for (const rate of EVENTS_A_SECOND) {
    for (const target of [await startBare(), await startAttune()]) {
      const body = bodiesOf();
      let sent = 0;
      const paced = (seconds: number): Promise<LoadResult> =>
        sendPaced(
          target.url,
          { method: "POST", path: "/v1/events", body: () => body(sent++) },
          { perSecond: rate / EVENTS_A_REQUEST, seconds },
        );
      await paced(WARM_SECONDS);
      const cpuBeforeUs = target.cpuUs();
      const [events, probes] = await Promise.all([
        paced(PACED_SECONDS),
        sendPaced(
          target.url,
          { method: "GET", path: "/healthz" },
          { perSecond: PROBES_A_SECOND, seconds: PACED_SECONDS },
        ),
      ]);
      const cpuShare = (target.cpuUs() - cpuBeforeUs) / (PACED_SECONDS * 1e6);
      rows.push(rowOf(target, rate, { events, probes, cpuShare }));
      await target.stop();
    }
  }
  console.log(`${EVENTS_A_REQUEST} events a request, ${PERSONS} persons, ${ITEMS} items, ${PACED_SECONDS} s each`);
  printTable(["server", "events/s", "p50 ms", "p99 ms", "p99.9 ms", "max ms", "longest pause ms", "cores"], rows);
}

function rowOf(
  target: Target,
  rate: number,
  measured: { events: LoadResult; probes: LoadResult; cpuShare: number },
): (string | number)[] {
  const { events, probes, cpuShare } = measured;
  if (events.failed + probes.failed > 0)
    throw new Error(`${target.name} refused ${events.failed} of ${events.requests}`);
  const shares = [0.5, 0.99, 0.999, 1].map((share) => percentile(events.tookMs, share));
  return [target.name, rate, ...shares, percentile(probes.tookMs, 1), cpuShare];
}

/**
 * Bodies made once, so that making them takes no time from the load; ids and times are those of the moment they are
 * sent.
 */
function bodiesOf(): (n: number) => Buffer {
  const { events } = traffic({ seed: 1, persons: PERSONS, items: ITEMS });
  const made = Array.from({ length: BODIES }, () =>
    JSON.stringify({
      events: events(EVENTS_A_REQUEST).map((event) => Object.assign(event as object, { timestamp: 0 })),
    }),
  );
  return (n) =>
    Buffer.from(
      made[n % BODIES]!.replaceAll('"event_id":"b1-', `"event_id":"${Math.floor(n / BODIES)}-`).replaceAll(
        '"timestamp":0',
        `"timestamp":${Date.now()}`,
      ),
    );
}
