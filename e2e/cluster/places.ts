// Where a cluster keeps anything of a person, and the search of all of it: files as they lie, topics as they are read, and
// Redis key by key. Compression would hide bytes from the search of files, so the rig has it off (`storeOpenly`,
// erasure.config.ts): Flink's own snapshots have none by default. Headers of records and Kafka's own topics, which the client
// does not show, are found in the files only.
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { ConfigResourceTypes, IncrementalAlterConfigOperationTypes } from "@platformatic/kafka";
import type { KafkaConnection } from "../../cluster/kafka/connection.ts";
import { KafkaReader } from "../../cluster/kafka/reader.ts";
import { withAdmin } from "../../cluster/kafka/topics.ts";
import { RedisLink } from "../../cluster/redis/link.ts";
import { openClusterBackup } from "../../cluster/backup/manifest.ts";
import { openRecords } from "../../cluster/backup/records.ts";
import { boxKey, boxPath } from "../../server/backup/place.ts";
import { VaultError } from "../../server/vault/vault.ts";
import { findCanaries } from "../faults/canaries.ts";
import { type CanaryScan, newScan } from "../faults/plant.ts";
import { type Scan, scanFile, scanRaw } from "../faults/scan.ts";

export interface PlacesTally {
  files: number;
  bytes: number;
  records: number;
  redisKeys: number;
}

/** What a search found, by place and in all of them. */
export class PlacesScan {
  readonly #open: () => CanaryScan;
  readonly #places = new Map<string, CanaryScan>();
  readonly tally: PlacesTally = { files: 0, bytes: 0, records: 0, redisKeys: 0 };

  constructor(options: { persons: number; erased: number }) {
    this.#open = () => newScan(options.persons, options.erased);
  }

  at(place: string): CanaryScan {
    let scan = this.#places.get(place);
    if (scan === undefined) this.#places.set(place, (scan = this.#open()));
    return scan;
  }

  get erased(): Set<string> {
    return new Set([...this.#places.values()].flatMap(({ erased }) => [...erased]));
  }

  get others(): Set<string> {
    return new Set([...this.#places.values()].flatMap(({ others }) => [...others]));
  }

  /** Canaries of the erased, by place; places without any are left out. */
  counts(): Record<string, number> {
    const held = [...this.#places].filter(([, { erased }]) => erased.size > 0);
    return Object.fromEntries(held.map(([place, { erased }]) => [place, erased.size]).sort());
  }

  /** What is left of the erased: place, person, field. */
  left(): string[] {
    return [...this.#places].flatMap(([place, { erased }]) => [...erased].map((canary) => `${place}: ${canary}`));
  }
}

const SCAN_COUNT = "1000";
const SEPARATOR = Buffer.from("\n");
/** Folders that hold different things a level deeper. */
const DEEP: ReadonlySet<string> = new Set(["kafka", "flink"]);

/** From now on Kafka stores what comes as it is: records on disk are found, also in segments that are only renamed. */
export async function storeOpenly(connection: KafkaConnection): Promise<void> {
  await withAdmin(connection, async (admin) => {
    const resources = (await admin.listTopics()).map((resourceName) => ({
      resourceType: ConfigResourceTypes.TOPIC,
      resourceName,
      configs: [
        { name: "compression.type", configOperation: IncrementalAlterConfigOperationTypes.SET, value: "uncompressed" },
      ],
    }));
    await admin.incrementalAlterConfigs({ resources });
  });
}

/** Every byte of every file under the cluster's folder, or a part of it; files may go meanwhile. */
export function scanFiles(folder: string, scan: PlacesScan, part = ""): void {
  for (const path of livingFiles(join(folder, part))) {
    const bytes = unlessGone(() => readFileSync(path));
    if (bytes === undefined) continue;
    const parts = relative(folder, path).split(sep);
    const place = parts.slice(0, DEEP.has(parts[0]!) ? 2 : 1).join("/");
    scanFile({ path: relative(folder, path), bytes }, scan.at(place).scan);
    scan.tally.files++;
    scan.tally.bytes += bytes.length;
  }
}

/** Every record of every topic that is ours, from its earliest to its end of now, committed or not. */
export async function scanTopics(connection: KafkaConnection, scan: PlacesScan): Promise<void> {
  const partitions = await withAdmin(connection, async (admin) => {
    const { topics } = await admin.metadata({ topics: await admin.listTopics() });
    return new Map([...topics].map(([topic, { partitionsCount }]) => [topic, partitionsCount]));
  });
  const reader = new KafkaReader({
    connection,
    onBatch({ topic, records }) {
      const { found } = scan.at(`topic ${topic}`).scan;
      findCanaries(bytesOf(records), found);
      scan.tally.records += records.length;
    },
  });
  for (const [topic, count] of partitions) for (let partition = 0; partition < count; partition++) reader.read(topic, partition, "earliest");
  await reader.caughtUp();
  await reader.close();
}

/** A backup's files as they lie, its keys, and every record in the boxes that the keys still open. */
export async function scanBackup({ to, backupKeys }: { to: string; backupKeys: string }, scan: Scan): Promise<void> {
  for (const folder of [to, backupKeys]) scanRaw(folder, scan);
  const backup = await openClusterBackup(to, backupKeys, "read").catch((error: unknown) => {
    if (error instanceof VaultError) return undefined;
    throw error;
  });
  if (backup === undefined) return void scan.tally.unopened++;
  for (const { box } of backup.manifest!.topics.flatMap(({ boxes }) => boxes)) {
    for await (const { records } of openRecords(boxPath(backup, box), boxKey(backup, box)))
      findCanaries(bytesOf(records), scan.found);
    scan.tally.opened++;
  }
}

const bytesOf = (records: readonly { key: Buffer | null; value: Buffer | null }[]): Buffer =>
  Buffer.concat(records.flatMap(({ key, value }) => [key ?? SEPARATOR, SEPARATOR, value ?? SEPARATOR]));

/** Every key of Redis with its value, of whatever type: as Redis would write it to a file, without compression. */
export async function scanRedis(url: string, scan: PlacesScan): Promise<void> {
  const link = await RedisLink.open({ urls: [url] });
  const { found } = scan.at("redis keys").scan;
  try {
    await link.write("all", ["CONFIG", "SET", "rdbcompression", "no"]);
    let cursor = "0";
    do {
      const [next, keys] = (await link.write("all", ["SCAN", cursor, "COUNT", SCAN_COUNT])) as [Buffer, Buffer[]];
      const values = await Promise.all(keys.map((key) => link.write("all", ["DUMP", key])));
      keys.forEach((key, i) => findCanaries(Buffer.concat([key, SEPARATOR, (values[i] as Buffer | null) ?? SEPARATOR]), found));
      scan.tally.redisKeys += keys.length;
      cursor = next.toString();
    } while (cursor !== "0");
  } finally {
    link.close();
  }
}

function* livingFiles(folder: string): Generator<string> {
  for (const entry of unlessGone(() => readdirSync(folder, { withFileTypes: true })) ?? []) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* livingFiles(path);
    else if (entry.isFile()) yield path;
  }
}

function unlessGone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
