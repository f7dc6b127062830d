// What each protection costs: a node as a process of its own without any of them, with each, and with all, in turns: CPU an
// event of intake, checkpoints included, and CPU a list. Then a row of the state alone, open and closed: CPU to write it, in
// the checkpoint's worker, and to read it.
import { execFileSync } from "node:child_process";
import { createSecretKey, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { KEY_FILE } from "../server/access/key-file.ts";
import { openKeyRing } from "../server/access/key-ring.ts";
import { signUserToken } from "../server/access/user-token.ts";
import { StateFile } from "../server/state/state-file.ts";
import { sendAll } from "./load.ts";
import { median, printTable } from "./table.ts";
import { startAttune } from "./target.ts";
import { traffic } from "./traffic.ts";

const ROUNDS = 5;
const PERSONS = 10_000;
const ITEMS = 10_000;
const EVENTS_A_REQUEST = 100;
const REQUESTS = 800;
const LISTS = 1_500;
/** Of one visitor, one after the other, with one token. */
const LISTS_A_VISIT = 5;
/** Before the lists that count. */
const LISTS_BEFORE = 500;
const CONNECTIONS = 8;
const TOKEN_S = 3_600;

const ROWS = 60_000;
const ROW_BYTES = 800;

const PARTS = ["closed data", "keys and tokens", "TLS"] as const;
type Part = (typeof PARTS)[number];

const KINDS: ReadonlyMap<string, ReadonlySet<Part>> = new Map([
  ["none", new Set<Part>()],
  ...PARTS.map((part) => [part, new Set([part])] as const),
  ["all three", new Set(PARTS)],
]);

interface Costs {
  intake: number[];
  serving: number[];
}

const CONFIG = fileURLToPath(new URL("./protections.config.ts", import.meta.url));

export async function protections(): Promise<void> {
  const costs = new Map<string, Costs>([...KINDS.keys()].map((kind) => [kind, { intake: [], serving: [] }]));
  const folder = mkdtempSync(join(tmpdir(), "attune-bench-keys-"));
  certify(folder);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [kind, parts] of KINDS) {
      const { intake, serving } = await measure(parts, folder, round);
      costs.get(kind)!.intake.push(intake);
      costs.get(kind)!.serving.push(serving);
    }
  }
  rmSync(folder, { recursive: true, force: true });
  const bare = costs.get("none")!;
  const ratio = (of: Costs, what: keyof Costs): number => median(of[what].map((value, i) => value / bare[what][i]!));
  console.log(`${ROUNDS} rounds in turns, ${REQUESTS * EVENTS_A_REQUEST} events and ${LISTS} lists each; medians`);
  printTable(
    ["protection", "CPU µs an event", "ratio", "CPU µs a list", "ratio"],
    [...costs].map(([kind, of]) => [kind, median(of.intake), ratio(of, "intake"), median(of.serving), ratio(of, "serving")]),
  );
  await rowCosts();
}

const certificateIn = (folder: string): { cert: string; key: string } => ({
  cert: join(folder, "cert.pem"),
  key: join(folder, "key.pem"),
});

function certify(folder: string): void {
  const { cert, key } = certificateIn(folder);
  const subject = ["-subj", "/CN=bench", "-addext", "subjectAltName=IP:127.0.0.1"];
  const made = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  execFileSync("openssl", ["req", ...made, "-keyout", key, "-out", cert, ...subject], { stdio: "ignore" });
}

async function measure(parts: ReadonlySet<Part>, folder: string, round: number): Promise<Record<keyof Costs, number>> {
  const { cert, key } = certificateIn(folder);
  const personOf = (visit: number): string => `user-${1 + ((visit * 7) % PERSONS)}`;
  const visitOf = (n: number): number => Math.floor(n / LISTS_A_VISIT);
  const tokens: string[] = [];
  const headers: Record<string, string> = {};
  const environment = {
    ATTUNE_KEK_FOLDER: join(folder, "kek"),
    ATTUNE_ENCRYPTION: parts.has("closed data") ? "on" : "off",
    ...(parts.has("TLS") ? { ATTUNE_TLS_CERT: cert, ATTUNE_TLS_KEY: key } : {}),
  };
  const prepare = async (data: string): Promise<void> => {
    if (!parts.has("keys and tokens")) return;
    const ring = openKeyRing(join(data, KEY_FILE), Date.now);
    headers["authorization"] = `Bearer ${ring.issue({ project: "default", role: "write", name: "site" }).key}`;
    const secret = ring.rotateSecret("default", 0);
    for (let visit = 0; visit <= visitOf(LISTS); visit++)
      tokens.push(await signUserToken(personOf(visit), secret, Date.now(), TOKEN_S));
  };
  const target = await startAttune(environment, { config: CONFIG, prepare });
  const certificate = parts.has("TLS") ? readFileSync(cert) : undefined;
  try {
    const { events } = traffic({ seed: round + 1, persons: PERSONS, items: ITEMS });
    const body = (): Buffer => Buffer.from(JSON.stringify({ events: events(EVENTS_A_REQUEST) }));
    const bodies = Array.from({ length: REQUESTS }, body);
    const batches = { method: "POST", path: "/v1/events", body: (n: number) => bodies[n]!, headers: () => headers } as const;
    const lists = {
      method: "GET",
      path: (n: number) => `/v1/recommendations?user_id=${personOf(visitOf(n))}`,
      headers: (n: number) => ({ ...headers, ...(tokens.length > 0 ? { "attune-user-token": tokens[visitOf(n)]! } : {}) }),
    } as const;
    const cpuOf = async (requests: typeof batches | typeof lists, count: number): Promise<number> => {
      const before = target.cpuUs();
      const { failed } = await sendAll(target.url, requests, { count, connections: CONNECTIONS, certificate });
      if (failed > 0) throw new Error(`${failed} of ${count} requests were refused`);
      return target.cpuUs() - before;
    };
    const intake = (await cpuOf(batches, REQUESTS)) / (REQUESTS * EVENTS_A_REQUEST);
    await cpuOf(lists, LISTS_BEFORE);
    return { intake, serving: (await cpuOf(lists, LISTS)) / LISTS };
  } finally {
    await target.stop();
  }
}

type RowKind = "open" | "closed";

/** In turns, as above; each row is a person's. */
async function rowCosts(): Promise<void> {
  const cpu: Record<RowKind, { write: number[]; read: number[]; missing: number[] }> = {
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
  const row = (kind: RowKind): (string | number)[] => [kind, ...(["write", "read", "missing"] as const).map((of) => median(cpu[kind][of]))];
  console.log(`${ROUNDS} rounds in turns, ${ROWS} new rows of ${ROW_BYTES} bytes each; medians`);
  printTable(["rows", "CPU µs to write one", "CPU µs to read one", "CPU µs to find none"], [row("open"), row("closed")]);
}

async function cpuUsARow(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / ROWS;
}
