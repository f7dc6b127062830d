// Intake over HTTP, in batches of 100 and one by one: CPU an event against the bare server, rate, and the answer's p99
// at half that rate.
import { percentile, sendAll, sendPaced, type LoadResult } from "./load.ts";
import { median, printTable } from "./table.ts";
import { startAttune, startBare, type Target } from "./target.ts";
import { traffic } from "./traffic.ts";

const ROUNDS = 3;
const CONNECTIONS = 16;
const PERSONS = 10_000;
const ITEMS = 10_000;
const PACED_SECONDS = 10;

interface Plan {
  eventsARequest: number;
  /** Sent before anything is measured: until then the compiler works beside the server, and costs more than the events. */
  warmUpRequests: number;
  requests: number;
}

export function intake(): Promise<void> {
  return measure({ eventsARequest: 100, warmUpRequests: 500, requests: 2_000 });
}

export function singles(): Promise<void> {
  return measure({ eventsARequest: 1, warmUpRequests: 60_000, requests: 20_000 });
}

async function measure(plan: Plan): Promise<void> {
  const bodies = bodiesOf(plan);
  const cpu: Record<string, number[]> = { bare: [], attune: [] };
  const rate: Record<string, number[]> = { bare: [], attune: [] };
  const p99: Record<string, number> = {};
  for (let round = 0; round < ROUNDS; round++) {
    for (const target of [await startBare(), await startAttune()]) {
      const body = bodies(`${round}${target.name}`);
      const events = plan.requests * plan.eventsARequest;
      await sendAll(
        target.url,
        post((n) => body(n)),
        { count: plan.warmUpRequests, connections: CONNECTIONS },
      );
      const offset = plan.warmUpRequests;
      const cpuBefore = target.cpuUs();
      const result = await sendAll(
        target.url,
        post((n) => body(offset + n)),
        {
          count: plan.requests,
          connections: CONNECTIONS,
        },
      );
      assertAllTaken(target, result);
      cpu[target.name]!.push((target.cpuUs() - cpuBefore) / events);
      rate[target.name]!.push(events / result.seconds);
      if (round === ROUNDS - 1) {
        const perSecond = median(rate[target.name]!) / plan.eventsARequest / 2;
        const paced = await sendPaced(
          target.url,
          post((n) => body(offset + plan.requests + n)),
          {
            perSecond,
            seconds: PACED_SECONDS,
          },
        );
        assertAllTaken(target, paced);
        p99[target.name] = percentile(paced.tookMs, 0.99);
      }
      await target.stop();
    }
  }
  const row = (name: string): (string | number)[] => [name, median(cpu[name]!), median(rate[name]!), p99[name]!];
  const ratio = median(cpu["attune"]!.map((value, i) => value / cpu["bare"]![i]!));
  console.log(
    `${plan.eventsARequest} event(s) a request, ${CONNECTIONS} connections, median of ${ROUNDS} runs in turns`,
  );
  printTable(
    ["server", "CPU µs an event", "events/s", "p99 ms at half that rate"],
    [row("bare"), row("attune"), ["ratio", ratio, median(rate["attune"]!) / median(rate["bare"]!), ""]],
  );
}

function post(body: (n: number) => Buffer) {
  return { method: "POST", path: "/v1/events", body } as const;
}

/** A body for each request number: made once, the event ids set apart by `run` so that none is a duplicate. */
function bodiesOf(plan: Plan): (run: string) => (n: number) => Buffer {
  const { events } = traffic({ seed: 1, persons: PERSONS, items: ITEMS });
  const made = Array.from({ length: 500 }, () => JSON.stringify({ events: events(plan.eventsARequest) }));
  return (run) => (n) =>
    Buffer.from(
      made[n % made.length]!.replaceAll('"event_id":"b1-', `"event_id":"${run}-${Math.floor(n / made.length)}-`),
    );
}

function assertAllTaken(target: Target, result: LoadResult): void {
  if (result.failed > 0) throw new Error(`${target.name} refused ${result.failed} of ${result.requests} requests`);
}
