// What encryption at rest costs: a node as it is started by default (log, state and index of ids closed) against one with
// ATTUNE_ENCRYPTION=off, in turns: CPU an event of intake, checkpoints included, and CPU a list served meanwhile.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sendAll } from "./load.ts";
import { median, printTable } from "./table.ts";
import { startAttune } from "./target.ts";
import { traffic } from "./traffic.ts";

const ROUNDS = 3;
const PERSONS = 10_000;
const ITEMS = 10_000;
const EVENTS_A_REQUEST = 100;
const REQUESTS = 800;
const LISTS = 1_500;
const CONNECTIONS = 8;

type Kind = "open" | "closed";

export async function encryption(): Promise<void> {
  const cpu: Record<Kind, { intake: number[]; serving: number[] }> = {
    open: { intake: [], serving: [] },
    closed: { intake: [], serving: [] },
  };
  const keys = mkdtempSync(join(tmpdir(), "attune-keys-"));
  for (let round = 0; round < ROUNDS; round++) {
    for (const kind of ["open", "closed"] as const) {
      const { intake, serving } = await measure(kind, keys, round);
      cpu[kind].intake.push(intake);
      cpu[kind].serving.push(serving);
    }
  }
  rmSync(keys, { recursive: true, force: true });
  const ratio = (of: "intake" | "serving"): number =>
    median(cpu.closed[of].map((value, i) => value / cpu.open[of][i]!));
  const row = (kind: Kind): (string | number)[] => [kind, median(cpu[kind].intake), median(cpu[kind].serving)];
  console.log(`${ROUNDS} rounds in turns, ${REQUESTS * EVENTS_A_REQUEST} events and ${LISTS} lists each; medians`);
  printTable(
    ["data", "CPU µs an event", "CPU µs a list"],
    [row("open"), row("closed"), ["ratio", ratio("intake"), ratio("serving")]],
  );
}

async function measure(kind: Kind, keys: string, round: number): Promise<{ intake: number; serving: number }> {
  const target = await startAttune({ ATTUNE_ENCRYPTION: kind === "open" ? "off" : "all", ATTUNE_KEK_FOLDER: keys });
  try {
    const { events } = traffic({ seed: round + 1, persons: PERSONS, items: ITEMS });
    const body = (): Buffer => Buffer.from(JSON.stringify({ events: events(EVENTS_A_REQUEST) }));
    const bodies = Array.from({ length: REQUESTS }, body);
    const before = target.cpuUs();
    const plan = { method: "POST", path: "/v1/events", body: (n: number) => bodies[n]! } as const;
    const sent = await sendAll(target.url, plan, { count: REQUESTS, connections: CONNECTIONS });
    if (sent.failed > 0) throw new Error(`${sent.failed} requests were refused`);
    const intake = (target.cpuUs() - before) / (REQUESTS * EVENTS_A_REQUEST);
    const lists = {
      method: "GET",
      path: (n: number) => `/v1/recommendations?user_id=user-${1 + ((n * 7) % PERSONS)}`,
    } as const;
    await sendAll(target.url, lists, { count: LISTS / 3, connections: CONNECTIONS });
    const between = target.cpuUs();
    const asked = await sendAll(target.url, lists, { count: LISTS, connections: CONNECTIONS });
    if (asked.failed > 0) throw new Error(`${asked.failed} lists were refused`);
    return { intake, serving: (target.cpuUs() - between) / LISTS };
  } finally {
    await target.stop();
  }
}
