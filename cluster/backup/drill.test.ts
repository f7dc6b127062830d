// The drill: a backup of a cluster that works, restored into brokers that hold nothing.
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { lookAgain } from "../../core/engine.ts";
import { encodePerson } from "../../core/profile/person.ts";
import { shopProgram } from "../../core/program/shop.ts";
import { BackupError } from "../../server/backup/place.ts";
import { ErasureBook } from "../erasure/book.ts";
import { type CopiedLedger, ledgerCopyPath, readLedgerCopy } from "../erasure/ledger-copy.ts";
import { readBook } from "../erasure/read-book.ts";
import type { ReadRecord } from "../kafka/batches.ts";
import { readCommitted } from "../kafka/committed.ts";
import type { KafkaConnection } from "../kafka/connection.ts";
import { MergedLog } from "../kafka/merged-log.ts";
import { offsetsOf } from "../kafka/offsets.ts";
import { KafkaSender } from "../kafka/sender.ts";
import { checkTopics, createTopics, needsOf, withAdmin } from "../kafka/topics.ts";
import type { ClusterProject } from "../server/project.ts";
import { startCluster, type TestCluster, type TestProject } from "../server/testing/cluster.ts";
import { startDevJob } from "../server/testing/dev-job.ts";
import { clusterMissing, startKafka, type TestKafka } from "../testing/servers.ts";
import { LogFold } from "../verify/log-fold.ts";
import { openScratch } from "../verify/scratch.ts";
import { verifyCluster } from "../verify/verify.ts";
import { decodeDocument } from "../wire/documents.ts";
import { personKeyOf, TICK_KEY } from "../wire/record-key.ts";
import { projectTopics, sharedTopics } from "../wire/topics.ts";
import { openClusterBackup } from "./manifest.ts";
import { type ClusterRestored, type ClusterRestoreOptions, restoreLog } from "./restore.ts";
import { type ClusterBackupReport, takeClusterBackup } from "./take.ts";
import { truthOf } from "./truth.ts";

const missing = clusterMissing();
const options = { skip: missing };
const ERASED = "user-7";
const USERS = 12;
/** Small, so that a topic has more boxes than one. */
const BOX_BYTES_MAX = 20_000;
/** Records of topics that are copied whole each time. */
const SMALL = 10;
/** One moment for all folds. */
const LOOK_MS = Date.now() + 3_600_000;
const settings = { clusterKey: "", demo: false, partitions: 3 };

let cluster: TestCluster;
let fresh: TestKafka;
let root: string;

before(async () => {
  if (missing) return;
  root = mkdtempSync(join(tmpdir(), "attune-drill-"));
  [cluster, fresh] = await Promise.all([startCluster(), startKafka()]);
});
after(async () => {
  await Promise.all([cluster?.stop(), fresh?.stop()]);
  if (root !== undefined) rmSync(root, { recursive: true, force: true });
});

/** Views of persons who come as visitors and sign in later, as fast as they are answered, until it is stopped. */
function visits(server: ClusterProject): { acknowledged: () => number; stop: () => Promise<void> } {
  let [count, isOn] = [0, true];
  const work = (async () => {
    for (let i = 0; isOn; i++) {
      const user = `user-${i % USERS}`;
      const ref = i < 3 * USERS ? { anonymous_id: `phone-${user}` } : { user_id: user, anonymous_id: `phone-${user}` };
      const event = { event_id: `e${i}`, ...ref, event_type: "view", item_id: `i${i % 50}`, timestamp: Date.now() };
      await server.submit({ events: [event as never], deadLetters: [] });
      count++;
    }
  })();
  return {
    acknowledged: () => count,
    async stop() {
      isOn = false;
      await work;
    },
  };
}

/** Each person of the log as it is at one moment: his place in it, and his bytes. */
async function foldOf(connection: KafkaConnection, name: string, atMs = Infinity): Promise<Map<string, string>> {
  const topics = projectTopics(name);
  const places = await offsetsOf(connection, topics.log);
  const partitions = new Map([...places].map(([topic, { ends }]) => [topic, ends.length]));
  const scratch = openScratch();
  try {
    const book = new ErasureBook();
    await readBook(book, connection, topics.erasures);
    const fold = new LogFold(scratch, book);
    for await (const records of readCommitted({ connection, topic: topics.control, partition: 0 }))
      for (const { value } of records) {
        const document = decodeDocument("control", value!);
        if (document.kind === "program") fold.addProgram({ version: document.version, atMs: document.at, document: document.document });
      }
    for await (const records of new MergedLog({ connection, partitions }, topics.log).read())
      fold.apply(records.filter((record) => record.atMs <= atMs));
    fold.release();
    return new Map(
      [...fold.keys()].toSorted().map((key) => {
        const { sequence, person, signpost } = fold.state(key)!;
        if (person !== undefined) lookAgain(person, LOOK_MS, fold.programs);
        const bytes = person === undefined ? "" : Buffer.from(encodePerson(person)).toString("base64");
        return [key, `${sequence} ${signpost ?? ""} ${bytes}`];
      }),
    );
  } finally {
    await scratch.close();
  }
}
async function recordsOf(connection: KafkaConnection, name: string): Promise<ReadRecord[][]> {
  const topics = [...projectTopics(name).log, projectTopics(name).control];
  const all: ReadRecord[][] = [];
  for (const [topic, { ends }] of await offsetsOf(connection, topics))
    for (const partition of ends.keys()) {
      const records: ReadRecord[] = [];
      for await (const read of readCommitted({ connection, topic, partition }))
        // Ticks have one key: an erasure's compaction leaves the last of them.
        records.push(...read.filter(({ key }) => key !== null && !key.equals(TICK_KEY)));
      all.push(records);
    }
  return all;
}

const texts = (records: readonly ReadRecord[]): string[] =>
  records.map(({ timestampMs, key, value }) => `${timestampMs} ${key?.toString("hex")} ${value?.toString("latin1")}`);

test("a backup while events come in, restored with and without a point in time; nobody who was erased comes back", options, async (t) => {
  const ledgerFolder = join(root, "ledgers");
  const project: TestProject = await cluster.newProject({ program: shopProgram, ledgerFolder });
  const server = project.servers[0]!;
  const access = await cluster.openAccess();
  await access.keys.issue({ project: project.name, role: "admin", name: "ops" });
  const source = { brokers: [cluster.kafka.bootstrap] };
  const target = { brokers: [fresh.bootstrap] };
  const projects = { [project.name]: projectTopics(project.name) };
  const place = { to: join(root, "backup"), backupKeys: join(root, "keys") };
  const backup = (more: { whole?: boolean } = {}): Promise<ClusterBackupReport> =>
    takeClusterBackup({ connection: source, projects, settings, ...place, boxBytesMax: BOX_BYTES_MAX, now: Date.now, ...more });
  const restore = async (more: Partial<ClusterRestoreOptions> = {}, { to, backupKeys } = place): Promise<ClusterRestored> => {
    const opened = await openClusterBackup(to, backupKeys, "read");
    return restoreLog({ connection: target, backup: opened, projects, replicas: 1, report: (line) => t.diagnostic(line), ...more });
  };
  const copyOf = (name: string, salt: string): CopiedLedger | undefined => readLedgerCopy(ledgerCopyPath(ledgerFolder, name, salt));
  /** As if the target's disks were lost, but for those topics. */
  const lose = (kept: readonly string[] = []): Promise<void> =>
    withAdmin(target, async (admin) => {
      const all = [...needsOf(projectTopics(project.name)).map(({ name }) => name), ...Object.values(sharedTopics())];
      const there = await admin.listTopics();
      const lost = all.filter((name): name is string => typeof name === "string" && there.includes(name) && !kept.includes(name));
      await admin.deleteTopics({ topics: lost });
      while ((await admin.listTopics()).some((name) => lost.includes(name))) await pause(50);
    });
  const knownOf = async (): Promise<boolean> => (await foldOf(target, project.name)).has(`u:${ERASED}`);

  const visiting = visits(server);
  while (visiting.acknowledged() < 300) await pause(10);
  const first = await backup();
  const then = visiting.acknowledged();
  while (visiting.acknowledged() < then + 200) await pause(10);
  const pointMs = Date.now();
  while (visiting.acknowledged() < then + 400) await pause(10);
  const putAside = { to: join(root, "put-aside"), backupKeys: join(root, "put-aside-keys") };
  cpSync(place.to, putAside.to, { recursive: true });
  cpSync(place.backupKeys, putAside.backupKeys, { recursive: true });
  const { job_id: jobId } = await server.erasePerson({ user_id: ERASED });
  const second = await backup();
  const kept = second.total_records - second.copied_records;
  ok(second.copied_records > 200 && kept >= first.total_records - SMALL, JSON.stringify([first, second]));
  await visiting.stop();

  const atPoint = await restore({ atMs: pointMs });
  ok(atPoint.erased > 0 && atPoint.logEndMs <= pointMs, JSON.stringify(atPoint));
  const expected = await foldOf(source, project.name, pointMs);
  deepEqual(await foldOf(target, project.name), expected);
  ok(expected.size >= 2 * (USERS - 1) && !expected.has(`u:${ERASED}`), String([...expected.keys()]));
  const inTime = (await recordsOf(source, project.name)).map((records) =>
    records.filter(({ timestampMs, key }) => timestampMs <= pointMs && !personKeyOf(key!).endsWith(ERASED)),
  );
  deepEqual((await recordsOf(target, project.name)).map(texts), inTime.map(texts), "bytes, order, partitions and log times");

  // The topics go by the broker's clock again, and what they hold keeps its own.
  const needs = needsOf(projectTopics(project.name));
  await createTopics(target, needs, { partitions: 3, replicas: 1 });
  const partitions = await checkTopics(target, needs);
  const sender = new KafkaSender(target);
  const topic = projectTopics(project.name).decision;
  await sender.send([{ topic, partition: 0, key: Buffer.from("k"), value: Buffer.from("{}"), timestampMs: 5 }]);
  await sender.close();
  let newestMs = 0;
  for await (const records of readCommitted({ connection: target, topic, partition: 0 })) newestMs = records.at(-1)!.timestampMs;
  ok(newestMs > pointMs, String(newestMs));

  const job = await startDevJob(target, projectTopics(project.name), partitions);
  const verified = await verifyCluster({ connection: target, topics: projectTopics(project.name), partitions, now: Date.now });
  await job.stop();
  deepEqual(verified.differences, []);
  await rejects(restore(), (error: Error) => error instanceof BackupError && /these topics hold records: /.test(error.message));

  // Once he is gone from the topics, the next backup holds nothing of him either; the ledger may stay when the rest is lost.
  while ((await server.erasure(jobId))!.status !== "done") await pause(20);
  const third = await backup();
  equal(third.copied_records, third.total_records, "after an erasure everything is copied anew");
  ok((await backup()).copied_records < third.total_records / 2, "and then only what came since");
  await lose([projectTopics(project.name).erasures]);
  await restore();
  deepEqual(await foldOf(target, project.name), await foldOf(source, project.name));
  const sizes = async (connection: KafkaConnection): Promise<(number | undefined)[]> => {
    const shared = truthOf(projects).filter(({ kind }) => kind === "shared").map(({ name }) => name);
    const found = await offsetsOf(connection, shared);
    return shared.map((name) => found.get(name)?.ends[0]);
  };
  deepEqual(await sizes(target), await sizes(source), "keys and the audit trail");

  // Where the ledger is lost with the rest, a backup of before the erasure would bring him back, but for its copy.
  await lose();
  equal((await restore({}, putAside)).erased, 0);
  ok(await knownOf(), "the backup holds him");
  await lose();
  ok((await restore({ copyOf }, putAside)).erased > 0);
  equal(await knownOf(), false);
  const book = new ErasureBook();
  await readBook(book, target, projectTopics(project.name).erasures);
  ok(book.erasedAt(`u:${ERASED}`)! > pointMs, "what comes late of him is refused");
});
