// What encryption at rest costs: a node as it is started by default (log, state and index of ids closed) against one with
// ATTUNE_ENCRYPTION=off, in turns: CPU an event of intake, checkpoints included, and CPU a list served meanwhile. Then a row of
// the state alone: CPU to write it, in the checkpoint's worker, and to read it.
import { createSecretKey, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StateFile } from "../server/state/state-file.ts";
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

const ROWS = 60_000;
const ROW_BYTES = 800;

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
  await rowCosts();
}

/** In turns, as above; each row is a person's. */
async function rowCosts(): Promise<void> {
  const cpu: Record<Kind, { write: number[]; read: number[]; missing: number[] }> = {
    open: { write: [], read: [], missing: [] },
    closed: { write: [], read: [], missing: [] },
  };
  const bytes = randomBytes(ROW_BYTES);
  for (let round = 0; round < ROUNDS; round++) {
    for (const kind of ["open", "closed"] as const) {
      const folder = mkdtempSync(join(tmpdir(), "attune-rows-"));
      const file = StateFile.open(folder, kind === "open" ? undefined : createSecretKey(randomBytes(32)));
      cpu[kind].write.push(
        await cpuUsARow(async () => {
          for (let i = 0; i < ROWS; i++) file.write(`p:u:user-${i}`, bytes);
          await file.commit();
        }),
      );
      for (const [what, prefix] of [["read", "p:u:user-"], ["missing", "l:a:user-"]] as const) {
        cpu[kind][what].push(
          await cpuUsARow(async () => {
            for (let i = 0; i < ROWS; i++) file.get(prefix + ((i * 7919) % ROWS));
          }),
        );
      }
      await file.close();
      rmSync(folder, { recursive: true, force: true });
    }
  }
  const row = (kind: Kind): (string | number)[] => [kind, ...(["write", "read", "missing"] as const).map((of) => median(cpu[kind][of]))];
  console.log(`${ROUNDS} rounds in turns, ${ROWS} new rows of ${ROW_BYTES} bytes each; medians`);
  printTable(["rows", "CPU µs to write one", "CPU µs to read one", "CPU µs to find none"], [row("open"), row("closed")]);
}

async function cpuUsARow(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / ROWS;
}

async function measure(kind: Kind, keys: string, round: number): Promise<{ intake: number; serving: number }> {
  const target = await startAttune({ ATTUNE_ENCRYPTION: kind === "open" ? "off" : "on", ATTUNE_KEK_FOLDER: keys });
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
