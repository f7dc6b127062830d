// Erasure at size: persons with a canary in every field of everything, some of them erased, and every byte searched that is
// left anywhere: data, backups, copies that somebody took. What must be found before must be gone after, all others must
// be there, and nobody may come back, whatever arrives late.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { anonymousKeyOf, userKeyOf } from "../../core/identity/identity.ts";
import { eventKey } from "../../server/embedded/event-keys.ts";
import { canary } from "./canaries.ts";
import { readyNode, type RunningNode } from "./node.ts";
import { type Scan, scanBackup, scanData, type ScanTally, scanRaw } from "./scan.ts";

const MAIN = fileURLToPath(new URL("../../server/cli/main.ts", import.meta.url));
const PERSONS_A_TURN = 16;

/** Where a canary is planted: what is stored of a person, by the API that takes it. */
export const FIELDS = [
  "event_id", "user_id", "anonymous_id", "session_id", "item_id", "page_url", "device", "os", "browser", "locale", "timezone",
  "country", "region", "referrer", "weather", "variant", "data_name", "data_value", "data_nested", "search", "attribute_name",
  "attribute_value", "consent_source", "consent_version", "dead_letter",
] as const;
type Field = (typeof FIELDS)[number];

export interface ErasureTally {
  readonly persons: number;
  readonly erased: number;
  readonly fields: number;
  /** Canaries of the erased, of persons × fields: planted, found before, found after. */
  readonly planted: number;
  readonly foundBefore: number;
  readonly foundAfter: number;
  /** What was found after, as person/field; the first few. */
  readonly left: readonly string[];
  /** Canaries of the others that are not where they were. */
  readonly othersLost: number;
  /** Fingerprints of the erased persons' event ids in indexes of ids, before and after. */
  readonly fingerprintsBefore: number;
  readonly fingerprintsAfter: number;
  /** Persons who had a profile again after late events, retries, replay and a restored backup. */
  readonly recreated: number;
  /** Until all jobs were done, ms; wall time. */
  readonly jobsMs: number;
  readonly scanned: ScanTally;
}

interface Rig {
  readonly data: string;
  readonly kek: string;
  readonly backup: string;
  readonly backupKeys: string;
  readonly copies: string;
  readonly environment: Record<string, string>;
}

export async function erasureScan(options: { folder: string; persons: number; erased: number }): Promise<ErasureTally> {
  const { folder, persons, erased } = options;
  const rig = rigIn(folder);
  let node = await readyNode({ dataFolder: rig.data, environment: rig.environment });
  await plant(node, persons);
  await attune(rig, ["backup", "--to", rig.backup]);
  await node.stop();

  const before = newScan(persons, erased);
  await scanAll(rig, before.scan);
  // What somebody took: the folder, the wrapped keys, a backup with the keys to it.
  cpSync(rig.data, join(rig.copies, "data"), { recursive: true });
  cpSync(rig.backup, join(rig.copies, "backup"), { recursive: true });
  // And a backup that was put away with its keys: it opens, and must not bring anybody back.
  cpSync(rig.backup, join(folder, "put-away/backup"), { recursive: true });
  cpSync(rig.backupKeys, join(folder, "put-away/keys"), { recursive: true });

  node = await readyNode({ dataFolder: rig.data, environment: rig.environment });
  const startMs = performance.now();
  await erase(node, erased);
  const jobsMs = performance.now() - startMs;
  await attune(rig, ["backup", "--to", rig.backup]);
  await node.stop();

  const after = newScan(persons, erased);
  await scanAll(rig, after.scan);
  scanRaw(rig.copies, after.scan);
  await scanData(join(rig.copies, "data"), rig.kek, after.scan);
  await scanBackup(join(rig.copies, "backup"), rig.backupKeys, after.scan);

  const recreated = await resurrect(rig, erased);
  const restored = newScan(persons, erased);
  scanRaw(join(folder, "restored"), restored.scan);
  await scanData(join(folder, "restored"), rig.kek, restored.scan);
  return {
    persons,
    erased,
    fields: FIELDS.length,
    planted: erased * FIELDS.length,
    foundBefore: before.erased.size,
    foundAfter: after.erased.size + restored.erased.size,
    left: [...after.erased, ...restored.erased].slice(0, 10),
    othersLost: [before, after, restored].reduce((sum, { others }) => sum + missing(others, persons - erased), 0),
    fingerprintsBefore: before.fingerprints.size,
    fingerprintsAfter: after.fingerprints.size + restored.fingerprints.size,
    recreated,
    jobsMs,
    scanned: after.scan.tally,
  };
}

function rigIn(folder: string): Rig {
  const [data, kek, backup, backupKeys, copies] = ["data", "kek", "backup", "backup-keys", "copies"].map((name) => join(folder, name)) as
    [string, string, string, string, string];
  mkdirSync(copies, { recursive: true });
  return { data, kek, backup, backupKeys, copies, environment: { ATTUNE_KEK_FOLDER: kek, ATTUNE_BACKUP_KEYS: backupKeys } };
}

const missing = (found: ReadonlySet<string>, persons: number): number => persons * FIELDS.length - found.size;

function newScan(persons: number, erased: number): { scan: Scan; erased: Set<string>; others: Set<string>; fingerprints: Set<string> } {
  const [gone, others, fingerprints] = [new Set<string>(), new Set<string>(), new Set<string>()];
  const theirs = new Set<string>();
  for (let person = 0; person < erased; person++) {
    for (const [key, id] of eventIds(person)) {
      const { hi, lo } = eventKey(key, id);
      theirs.add(`${hi}/${lo}`);
    }
  }
  const scan: Scan = {
    tally: { files: 0, bytes: 0, opened: 0, unopened: 0 },
    found({ person, field }) {
      if (person < persons && field < FIELDS.length) (person < erased ? gone : others).add(`${person}/${FIELDS[field]}`);
    },
    fingerprint(hi, lo) {
      if (theirs.has(`${hi}/${lo}`)) fingerprints.add(`${hi}/${lo}`);
    },
  };
  return { scan, erased: gone, others, fingerprints };
}

async function scanAll(rig: Rig, scan: Scan): Promise<void> {
  for (const folder of [rig.data, rig.kek, rig.backup, rig.backupKeys]) scanRaw(folder, scan);
  await scanData(rig.data, rig.kek, scan);
  await scanBackup(rig.backup, rig.backupKeys, scan);
}

const of = (person: number, field: Field): string => canary(person, FIELDS.indexOf(field));
const userOf = (person: number): string => of(person, "user_id");

function* eventIds(person: number): Generator<[personKey: string, eventId: string]> {
  for (const id of [of(person, "event_id"), `${of(person, "event_id")}-2`]) {
    yield [userKeyOf(userOf(person)), id];
    yield [anonymousKeyOf(of(person, "anonymous_id")), id];
  }
}

function eventsOf(person: number, timestamp: number): object[] {
  const at = (field: Field): string => of(person, field);
  const context = Object.fromEntries(
    (["device", "os", "browser", "locale", "timezone", "country", "region", "weather", "variant"] as const).map((f) => [f, at(f)]),
  );
  const who = { user_id: userOf(person), anonymous_id: at("anonymous_id"), session_id: at("session_id") };
  const view = {
    ...who, event_id: at("event_id"), event_type: "view", item_id: `item-${person % 5}`, timestamp,
    page_url: `https://shop.example/p?q=${at("page_url")}`,
    context: { ...context, referrer: `https://shop.example/r?q=${at("referrer")}` },
    additional_data: { [at("data_name")]: at("data_value"), nested: { deep: [at("data_nested")] } },
  };
  const search = { ...who, event_id: `${at("event_id")}-2`, event_type: "search", timestamp, additional_data: { query: at("search") } };
  return [view, search];
}

/** Everything that is stored of a person, by every way in. */
async function plant(node: RunningNode, persons: number): Promise<void> {
  const timestamp = Date.now() - 60_000;
  await inTurns(persons, async (person) => {
    const user = userOf(person);
    await call(node, "POST", "/v1/events", { events: eventsOf(person, timestamp) }, 202);
    await call(node, "PATCH", `/v1/users/${user}/profile`, { attributes: { [of(person, "attribute_name")]: of(person, "attribute_value") } }, 200);
    const consent = { personalization: "granted", source: of(person, "consent_source"), policy_version: of(person, "consent_version") };
    await call(node, "PUT", `/v1/privacy/users/${user}/consent`, consent, 200);
    await call(node, "POST", "/v1/events", { user_id: user, event_type: "Nonsense", timestamp, note: of(person, "dead_letter") }, 400);
    await call(node, "GET", `/v1/recommendations?user_id=${user}&limit=5`, undefined, 200);
    await call(node, "GET", `/v1/privacy/users/${user}/export`, undefined, 200);
  });
  // Last: an item that he alone has seen would be shown to others, and what they were shown is theirs.
  await inTurns(persons, async (person) => {
    const event = { user_id: userOf(person), event_type: "purchase", item_id: of(person, "item_id"), value: 5, timestamp };
    await call(node, "POST", "/v1/events", event, 202);
  });
}

async function erase(node: RunningNode, erased: number): Promise<void> {
  const jobs: string[] = [];
  await inTurns(erased, async (person) => {
    const { job_id: id } = await call(node, "DELETE", `/v1/privacy/users/${userOf(person)}`, undefined, 202);
    jobs.push(id);
  });
  for (const id of jobs) {
    for (;;) {
      const job = await call(node, "GET", `/v1/privacy/jobs/${id}`, undefined, 200);
      if (job.status !== "done") {
        await new Promise((resolve) => setTimeout(resolve, 50));
        continue;
      }
      assert.equal(job.proof.scan.records_found, 0);
      break;
    }
  }
  const { entries } = await call(node, "GET", `/v1/audit?action=${encodeURIComponent("erasure done")}&limit=500`, undefined, 200);
  const proven = new Map((entries as { details: { job_id: string; records_found: number } }[]).map(({ details }) => [details.job_id, details.records_found]));
  for (const id of jobs) assert.equal(proven.get(id), 0, `the proof of ${id} is in the audit trail`);
}

/** Late events, retries of refused events, a fold of the whole log, and the backup from before: who of them has a profile? */
async function resurrect(rig: Rig, erased: number): Promise<number> {
  const back = new Set<number>();
  const look = async (node: RunningNode): Promise<void> => {
    await inTurns(erased, async (person) => {
      for (const path of [`users/${userOf(person)}`, `visitors/${of(person, "anonymous_id")}`]) {
        const { status } = await fetch(`${node.url}/v1/${path}/profile`);
        if (status !== 404) back.add(person);
      }
    });
  };
  const late = async (node: RunningNode): Promise<void> => {
    const timestamp = Date.now() - 86_400_000;
    await inTurns(erased, async (person) => {
      const offline = eventsOf(person, timestamp).map((event, i) => ({ ...event, event_id: `late-${i}` }));
      const [, search] = eventsOf(person, timestamp) as [object, Record<string, unknown>];
      const { user_id: _, ...device } = { ...search, event_id: "late-device" } as Record<string, unknown>;
      const answer = await call(node, "POST", "/v1/events", { events: [...offline, device] }, 400);
      assert.deepEqual(new Set(answer.rejected.map(({ code }: { code: string }) => code)), new Set(["erased"]));
      await call(node, "POST", "/v1/events", { user_id: userOf(person), event_type: "Nonsense", timestamp }, 400);
    });
    const { dead_letters: letters } = await call(node, "GET", "/v1/dead-letters?limit=500", undefined, 200);
    for (const { id, body } of letters as { id: string; body: { user_id?: string } }[]) {
      const person = Array.from({ length: erased }, (_, i) => i).find((i) => body?.user_id === userOf(i));
      if (person === undefined) continue;
      back.add(person);
      await fetch(`${node.url}/v1/dead-letters/${id}/retry`, { method: "POST" });
    }
  };
  const node = await readyNode({ dataFolder: rig.data, environment: rig.environment });
  await late(node);
  await look(node);
  await node.stop();
  assert.match(await attune(rig, ["verify"]), /^0 differences$/m);

  const [backup, keys, restored] = ["put-away/backup", "put-away/keys", "restored"].map((name) => join(rig.copies, "..", name)) as
    [string, string, string];
  const output = await attune(rig, ["restore", "--from", backup, "--data", restored], { ATTUNE_BACKUP_KEYS: keys });
  assert.match(output, new RegExp(`${erased} erasures replayed`));
  const second = await readyNode({ dataFolder: restored, environment: rig.environment });
  await late(second);
  await look(second);
  await second.stop();
  return back.size;
}

async function inTurns(count: number, work: (index: number) => Promise<void>): Promise<void> {
  for (let from = 0; from < count; from += PERSONS_A_TURN) {
    const size = Math.min(PERSONS_A_TURN, count - from);
    await Promise.all(Array.from({ length: size }, (_, i) => work(from + i)));
  }
}

async function call(node: RunningNode, method: string, path: string, body: unknown, expected: number): Promise<any> {
  const headers = { "user-agent": "attune-faults", ...(body !== undefined && { "content-type": "application/json" }) };
  const response = await fetch(node.url + path, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
  const text = await response.text();
  assert.equal(response.status, expected, `${method} ${path}: ${text.slice(0, 500)}`);
  return (response.headers.get("content-type") ?? "").includes("ndjson") ? text : JSON.parse(text);
}

/** A command of the command line; its output. */
async function attune(rig: Rig, args: string[], environment: Record<string, string> = {}): Promise<string> {
  const env = { ...process.env, ATTUNE_DATA: rig.data, ...rig.environment, ...environment };
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, ...args], { stdio: ["ignore", "pipe", "pipe"], env });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  const code = await new Promise<number>((resolve) => child.once("close", (status) => resolve(status ?? -1)));
  assert.equal(code, 0, `attune ${args.join(" ")}: ${output}`);
  return output;
}
