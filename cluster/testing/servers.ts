// Real servers for tests: `await startKafka()`, `startRedis()`, `startFlink()`. Each has its logs and data in a folder
// of its own, and ends with the process that started it, in whatever way that ends.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureJars } from "../install/jars.ts";
import { ensureRedis } from "../install/redis.ts";
import { type FlinkOptions, jobManagerSpec, taskManagerSpec } from "../parts/flink.ts";
import { type KafkaOptions, kafkaSpec } from "../parts/kafka.ts";
import { Part } from "../parts/part.ts";
import { freePort } from "../parts/port.ts";
import { type RedisOptions, redisSpec } from "../parts/redis.ts";
import { zookeeperSpec } from "../parts/zookeeper.ts";

export { clusterMissing } from "../install/tools.ts";

type Given<T, Needed extends keyof T> = Partial<Omit<T, Needed>>;
/** Port 0, as no port, picks a free one; a restarted server keeps it. */
export type KafkaTestOptions = Given<KafkaOptions, "jars">;
export type RedisTestOptions = Given<RedisOptions, "program">;
export interface FlinkTestOptions extends Given<FlinkOptions, "jars" | "zookeeper"> {
  /** Default 1. */
  taskManagers?: number;
  /** With ZooKeeper, so that a killed JobManager comes back with its jobs. */
  highAvailability?: boolean;
}

/** One server: `part` to kill, pause and start again. */
export interface TestServer {
  readonly part: Part;
  /** Stops it, and removes its folder where the test named none. */
  stop(): Promise<void>;
}

export interface TestKafka extends TestServer {
  /** `HOST:PORT`, plain. */
  readonly bootstrap: string;
}

export interface TestRedis extends TestServer {
  /** `redis://…`, plain. */
  readonly url: string;
}

export interface TestFlink {
  /** The JobManager's REST address. */
  readonly url: string;
  readonly jobManager: Part;
  readonly taskManagers: readonly Part[];
  readonly zookeeper: Part | undefined;
  /** Checkpoints lie in `checkpoints/`, savepoints in `savepoints/`. */
  readonly folder: string;
  stop(): Promise<void>;
}

export async function startKafka(options: KafkaTestOptions = {}): Promise<TestKafka> {
  const jars = await ensureJars("kafka");
  const folder = options.folder ?? temporary("kafka");
  const port = options.port || (await freePort());
  const controllerPort = options.controllerPort || (await freePort());
  const part = new Part(kafkaSpec({ ...options, jars, folder, port, controllerPort }), "caller");
  await part.start();
  return { part, bootstrap: `127.0.0.1:${port}`, stop: () => stopAll([part], options.folder ? undefined : folder) };
}

export async function startRedis(options: RedisTestOptions = {}): Promise<TestRedis> {
  const program = await ensureRedis();
  const folder = options.folder ?? temporary("redis");
  const port = options.port || (await freePort());
  const part = new Part(redisSpec({ ...options, program, folder, port }), "caller");
  await part.start();
  return { part, url: `redis://127.0.0.1:${port}`, stop: () => stopAll([part], options.folder ? undefined : folder) };
}

export async function startFlink(options: FlinkTestOptions = {}): Promise<TestFlink> {
  const { taskManagers: count = 1, highAvailability = false, ...given } = options;
  const jars = await ensureJars("flink");
  const folder = options.folder ?? temporary("flink");
  const restPort = options.restPort || (await freePort());
  const rpcPort = options.rpcPort || (await freePort());
  const zookeeperPort = await freePort();
  const zookeeper = highAvailability
    ? new Part(zookeeperSpec({ folder: join(folder, "zookeeper"), jars, port: zookeeperPort }), "caller")
    : undefined;
  const shared: FlinkOptions = {
    slots: 2,
    ...given,
    jars,
    folder,
    restPort,
    rpcPort,
    ...(highAvailability ? { zookeeper: `127.0.0.1:${zookeeperPort}` } : {}),
  };
  const jobManager = new Part(jobManagerSpec(shared), "caller");
  const taskManagers = Array.from({ length: count }, (_, i) => new Part(taskManagerSpec(shared, i + 1), "caller"));
  await zookeeper?.start();
  // All at once: a TaskManager looks for its JobManager until that is there.
  const parts = [jobManager, ...taskManagers];
  for (const part of parts) await part.spawn();
  await Promise.all(parts.map((part) => part.waitUntilReady()));
  const stop = (): Promise<void> =>
    stopAll([...taskManagers, jobManager, ...(zookeeper ? [zookeeper] : [])], options.folder ? undefined : folder);
  return { url: `http://127.0.0.1:${restPort}`, jobManager, taskManagers, zookeeper, folder, stop };
}

async function stopAll(parts: readonly Part[], temporaryFolder: string | undefined): Promise<void> {
  await Promise.all(parts.map((part) => part.stop()));
  if (temporaryFolder !== undefined) rmSync(temporaryFolder, { recursive: true, force: true });
}

const temporary = (name: string): string => mkdtempSync(join(tmpdir(), `attune-${name}-`));
