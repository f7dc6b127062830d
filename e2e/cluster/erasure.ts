// Erasure at size in the cluster: persons with a canary in every field of everything, some of them erased, and every place
// searched where Kafka, Flink, Redis or a server may keep a byte of them. What must be found before must be gone after, all
// others must be there, and nobody may come back, whatever arrives late and from whatever the servers are filled again.
import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { topicsOf } from "../../cluster/cli/backup.ts";
import { takeClusterBackup } from "../../cluster/backup/take.ts";
import { RedisLink } from "../../cluster/redis/link.ts";
import { rngFrom } from "../../core/math/rng.ts";
import { auditedJobs, FIELDS, type FoundTally, knownOf, missing, of, plant, proofsOf, requestErasures, sendLate, userOf, viewOn } from "../faults/plant.ts";
import { PlacesScan, type PlacesTally, scanBackup, scanFiles, scanRedis, scanTopics, storeOpenly } from "./places.ts";
import { ClusterRig } from "./rig.ts";

export interface ClusterErasureTally extends FoundTally {
  /** Canaries of the erased by the place that held them, before and after. */
  readonly placesBefore: Readonly<Record<string, number>>;
  readonly placesAfter: Readonly<Record<string, number>>;
  /** What `cluster verify` found. */
  readonly differences: number;
  /** From the last proof to the search, ms: the ledger's hashes and newer checkpoints take the place of what was there. */
  readonly scannedAfterMs: number;
  readonly scanned: PlacesTally;
}

const CONFIG = { rocksdb: "./erasure.config.ts", heap: "./erasure-heap.config.ts" };
const MODELS_HEAD = "attune:{default}:g1:models:head";
const POLL_MS = 250;
const PATIENCE_MS = 300_000;
/** Files are compacted for a tenth of the time: after a compaction of 20 s on a starved machine the next one comes 3 minutes later. */
const REPLACED_WITHIN_MS = 400_000;
const LEFT_MAX = 20;

interface Who {
  readonly persons: number;
  readonly erased: number;
}

interface Options extends Who {
  readonly folder: string;
  /** Where Flink keeps its state; default `rocksdb`. */
  readonly backend?: keyof typeof CONFIG;
  readonly say?: (line: string) => void;
}

/** Folders of a backup and of its keys. */
interface Backup {
  readonly to: string;
  readonly backupKeys: string;
}

export async function clusterErasureScan(options: Options): Promise<ClusterErasureTally> {
  const { folder, backend = "rocksdb", say = () => undefined, ...who } = options;
  const config = fileURLToPath(new URL(CONFIG[backend], import.meta.url));
  const rig = await ClusterRig.open({ folder, config, rng: rngFrom(1), say });
  const backup = { to: join(folder, "backup"), backupKeys: join(folder, "backup-keys") };
  const copy = { ...backup, to: join(folder, "copy") };
  try {
    const before = await plantAndFind(rig, who);
    await backUp(rig, backup);
    await scanBackup(backup, before.at("backup").scan);
    // What somebody took of it.
    cpSync(backup.to, copy.to, { recursive: true });
    say(`found before: ${JSON.stringify(before.counts())}`);
    const jobsMs = await erase(rig, who);
    say("all jobs are done");
    const provenMs = performance.now();
    const recreated = await resurrect(rig, who);
    const { differences } = await rig.verify();
    say(`verified: ${differences.length} differences`);
    await untilReplaced(rig, who);

    const scannedAfterMs = performance.now() - provenMs;
    const after = new PlacesScan(who);
    await scanTopics(rig.settings.connection, after);
    await scanRedis(rig.settings.plan.redis.url, after);
    await backUp(rig, backup);
    await scanBackup(backup, after.at("backup").scan);
    await scanBackup(copy, after.at("copy of the backup").scan);
    await rig.stop();
    // Nothing is written any more: what a file held a moment ago is in no other one.
    scanFiles(rig.settings.folder, after);
    const { persons, erased } = who;
    return {
      persons,
      erased,
      fields: FIELDS.length,
      planted: erased * FIELDS.length,
      foundBefore: before.erased.size,
      foundAfter: after.erased.size,
      placesBefore: before.counts(),
      placesAfter: after.counts(),
      left: after.left().slice(0, LEFT_MAX),
      othersLost: lostOf(before, who) + lostOf(after, who),
      recreated,
      differences: differences.length,
      jobsMs,
      scannedAfterMs,
      scanned: after.tally,
    };
  } finally {
    await rig.stop();
  }
}

/** Plants, waits until every place has its share, and searches them all. */
async function plantAndFind(rig: ClusterRig, { persons, erased }: Who): Promise<PlacesScan> {
  const { connection, folder, plan } = rig.settings;
  await storeOpenly(connection);
  const modelsBefore = await modelsVersion(plan.redis.url);
  await plant(rig.urls[0]!, { persons, exported: erased });
  await untilVisible(rig.urls, persons);
  await until("a snapshot of the models", async () => (await modelsVersion(plan.redis.url)) > modelsBefore);
  await rig.untilCommitted();
  const scan = new PlacesScan({ persons, erased });
  await scanTopics(connection, scan);
  await scanRedis(plan.redis.url, scan);
  scanFiles(folder, scan);
  return scan;
}

/** Canaries of the others that are nowhere, and those that the backup lacks. */
const lostOf = (scan: PlacesScan, { persons, erased }: Who): number =>
  [scan.others, scan.at("backup").others].reduce((sum, others) => sum + missing(others, persons - erased), 0);

/** As `attune cluster backup` does, beside the cluster. */
async function backUp({ settings }: ClusterRig, backup: Backup): Promise<void> {
  const { plan, connection } = settings;
  const { clusterKey, demo, partitions } = plan;
  const projects = topicsOf(Object.keys(plan.projects));
  await takeClusterBackup({ connection, projects, settings: { clusterKey, demo, partitions }, ...backup, now: Date.now });
}

/** Erases while the others go on; the milliseconds until the last proof. */
async function erase(rig: ClusterRig, { persons, erased }: Who): Promise<number> {
  const [one, two] = rig.urls as [string, string];
  const startMs = performance.now();
  const jobs = await requestErasures(one, erased);
  await viewOn(one, { from: erased, persons });
  for (const proof of await proofsOf(two, jobs)) assert.equal(proof.is_complete, true, JSON.stringify(proof));
  const tookMs = performance.now() - startMs;
  const audited = await auditedJobs(two);
  for (const id of jobs) assert.equal(audited.get(id)?.is_complete, true, `the proof of ${id} is in the audit trail`);
  return tookMs;
}

/** Late events, retries of refused events, and a Redis that is filled anew: how many of them have a profile? */
async function resurrect(rig: ClusterRig, { persons, erased }: Who): Promise<number> {
  const back = new Set<number>();
  const look = async (whoOf: (url: string, erased: number) => Promise<Set<number>>): Promise<void> => {
    for (const url of rig.urls) for (const person of await whoOf(url, erased)) back.add(person);
  };
  await look(sendLate);
  await look(knownOf);
  await rig.flushRedis();
  await untilVisible(rig.urls, persons, erased);
  await look(knownOf);
  return back.size;
}

/** Waits until every server shows of each person, from the given one on, what was planted last. */
async function untilVisible(urls: readonly string[], persons: number, from = 0): Promise<void> {
  for (const url of urls) {
    for (let person = from; person < persons; person++) {
      await until(`person ${person} at ${url}`, async () => {
        const text = await (await fetch(`${url}/v1/users/${userOf(person)}/profile`)).text();
        return text.includes(of(person, "item_id")) && text.includes(of(person, "attribute_value"));
      });
    }
  }
}

/**
 * What the proof does not wait for, while others go on: in the ledger hashes take the place of ids just after it; the job's
 * files are compacted, and the checkpoints that Flink keeps begin after that. What is left then the search tells.
 */
async function untilReplaced(rig: ClusterRig, { persons, erased }: Who): Promise<void> {
  const { connection, folder } = rig.settings;
  const deadline = performance.now() + REPLACED_WITHIN_MS;
  for (let left = Infinity; left > 0 && performance.now() < deadline; ) {
    await viewOn(rig.urls[0]!, { from: erased, persons });
    await rig.untilCommitted();
    const scan = new PlacesScan({ persons, erased });
    await scanTopics(connection, scan);
    scanFiles(folder, scan, "flink");
    left = scan.erased.size;
  }
}

async function modelsVersion(redisUrl: string): Promise<number> {
  const link = await RedisLink.open({ urls: [redisUrl] });
  const head = (await link.write(MODELS_HEAD, ["GET", MODELS_HEAD])) as Buffer | null;
  link.close();
  return head === null ? 0 : (JSON.parse(head.toString()) as { version: number }).version;
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await isSo())) {
    assert.ok(performance.now() < deadline, `not within ${PATIENCE_MS / 1_000} s: ${what}`);
    await setTimeout(POLL_MS);
  }
}
