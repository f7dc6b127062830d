// A Flink session cluster: one JobManager and its TaskManagers as plain JVMs.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { jvmCommand, prepareJvm, temporaryFolder } from "./jvm.ts";
import type { PartSpec } from "./part.ts";

const JOB_MANAGER_HEAP_MB = 384;
const ASK_TIMEOUT_MS = 2_000;

/** A TaskManager's memory. V8's heaps come on top, about 3 MB a subtask and what its states need. */
export interface TaskManagerMemory {
  /** For the program: Kafka's clients, records, and heap state where that backend is chosen. */
  taskHeapMb: number;
  /** For RocksDB. */
  managedMb: number;
  networkMb: number;
}

const TASK_MANAGER_MEMORY: TaskManagerMemory = { taskHeapMb: 256, managedMb: 128, networkMb: 48 };
const FRAMEWORK_HEAP_MB = 96;
const FRAMEWORK_OFF_HEAP_MB = 64;
const TASK_OFF_HEAP_MB = 64;
const METASPACE_MB = 192;
const OVERHEAD_MB = 192;

export interface FlinkOptions {
  folder: string;
  jars: string;
  restPort: number;
  rpcPort: number;
  /** Slots a TaskManager. */
  slots: number;
  /** `HOST:PORT`: with it a killed JobManager comes back with its jobs. */
  zookeeper?: string;
  memory?: TaskManagerMemory;
  /** Flink settings beside and above ours. */
  settings?: Readonly<Record<string, string | number>>;
}

// As Flink's own start script opens them to itself.
const EXPORTS = ["java.base/sun.net.util", "java.rmi/sun.rmi.registry", "java.security.jgss/sun.security.krb5"];
const OPENS = ["lang", "net", "io", "nio", "lang.reflect", "text", "time", "util", "util.concurrent"]
  .concat(["util.concurrent.atomic", "util.concurrent.locks"])
  .map((name) => `java.base/java.${name}`)
  .concat("java.base/sun.nio.ch");
const MODULES = [
  ...EXPORTS.map((name) => `--add-exports=${name}=ALL-UNNAMED`),
  ...OPENS.map((name) => `--add-opens=${name}=ALL-UNNAMED`),
];

export function jobManagerSpec(options: FlinkOptions): PartSpec {
  const folder = join(options.folder, "jobmanager");
  const main = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint";
  const args = ["--configDir", folder];
  return {
    name: "jobmanager",
    folder,
    ...jvmCommand({
      name: "jobmanager",
      folder,
      jars: options.jars,
      main,
      heapMb: JOB_MANAGER_HEAP_MB,
      jvm: ["-XX:MaxMetaspaceSize=256m", ...MODULES],
      args,
    }),
    env: { FLINK_CONF_DIR: folder },
    listens: [options.restPort, options.rpcPort].map((port) => ({ host: "127.0.0.1", port })),
    settings: { file: join(folder, "config.yaml"), text: configOf(options, folder, {}) },
    prepare: () => prepare(options, folder),
    isReady: async () => {
      const answer = await ask(options.restPort, "/overview");
      return answer !== undefined;
    },
  };
}

interface Registered {
  taskmanagers: { id: string; slotsNumber: number }[];
}

/** `index` names it in Flink's list of TaskManagers: `taskmanager-1`. */
export function taskManagerSpec(options: FlinkOptions, index: number): PartSpec {
  const name = `taskmanager-${index}`;
  const folder = join(options.folder, name);
  const memory = options.memory ?? TASK_MANAGER_MEMORY;
  const heapMb = FRAMEWORK_HEAP_MB + memory.taskHeapMb;
  const directMb = FRAMEWORK_OFF_HEAP_MB + TASK_OFF_HEAP_MB + memory.networkMb;
  return {
    name,
    folder,
    ...jvmCommand({
      name,
      folder,
      jars: options.jars,
      main: "org.apache.flink.runtime.taskexecutor.TaskManagerRunner",
      heapMb,
      jvm: [`-XX:MaxDirectMemorySize=${directMb}m`, `-XX:MaxMetaspaceSize=${METASPACE_MB}m`, ...MODULES],
      args: ["--configDir", folder],
    }),
    env: { FLINK_CONF_DIR: folder },
    settings: {
      file: join(folder, "config.yaml"),
      text: configOf(options, folder, { ...memorySettings(memory), "taskmanager.resource-id": name }),
    },
    prepare: () => prepare(options, folder),
    isReady: async () => {
      const answer = (await ask(options.restPort, "/taskmanagers")) as Registered | undefined;
      // It is listed before it has offered its slots.
      return answer?.taskmanagers.some(({ id, slotsNumber }) => id === name && slotsNumber > 0) ?? false;
    },
  };
}

/** Without Flink's shell wrapper every size must be given. */
function memorySettings({ taskHeapMb, managedMb, networkMb }: TaskManagerMemory): Record<string, string | number> {
  return {
    "taskmanager.cpu.cores": 1,
    "taskmanager.memory.framework.heap.size": `${FRAMEWORK_HEAP_MB}m`,
    "taskmanager.memory.framework.off-heap.size": `${FRAMEWORK_OFF_HEAP_MB}m`,
    "taskmanager.memory.task.heap.size": `${taskHeapMb}m`,
    "taskmanager.memory.task.off-heap.size": `${TASK_OFF_HEAP_MB}m`,
    "taskmanager.memory.network.min": `${networkMb}m`,
    "taskmanager.memory.network.max": `${networkMb}m`,
    "taskmanager.memory.managed.size": `${managedMb}m`,
    "taskmanager.memory.jvm-metaspace.size": `${METASPACE_MB}m`,
    "taskmanager.memory.jvm-overhead.min": `${OVERHEAD_MB}m`,
    "taskmanager.memory.jvm-overhead.max": `${OVERHEAD_MB}m`,
  };
}

async function prepare(options: FlinkOptions, folder: string): Promise<void> {
  for (const name of ["checkpoints", "savepoints", "uploads", "ha"])
    await mkdir(join(options.folder, name), { recursive: true });
  await prepareJvm(folder);
}

function configOf(options: FlinkOptions, folder: string, own: Readonly<Record<string, string | number>>): string {
  const below = (name: string): string => join(options.folder, name);
  const { zookeeper } = options;
  const settings: Record<string, string | number> = {
    "jobmanager.rpc.address": "127.0.0.1",
    "jobmanager.rpc.port": options.rpcPort,
    "jobmanager.bind-host": "127.0.0.1",
    "rest.address": "127.0.0.1",
    "rest.bind-address": "127.0.0.1",
    "rest.port": options.restPort,
    "taskmanager.host": "127.0.0.1",
    "taskmanager.bind-host": "127.0.0.1",
    "taskmanager.numberOfTaskSlots": options.slots,
    // Subtasks on every machine, and none idle while another is full.
    "taskmanager.load-balance.mode": "SLOTS",
    "web.upload.dir": below("uploads"),
    "io.tmp.dirs": temporaryFolder(folder),
    "execution.checkpointing.dir": `file://${below("checkpoints")}`,
    "execution.checkpointing.savepoint-dir": `file://${below("savepoints")}`,
    "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
    "execution.checkpointing.num-retained": 3,
    // Whoever asks about a job gets an answer this old, of 3 s by default.
    "web.refresh-interval": "500 ms",
    // A dead TaskManager is found by its refused connections within two beats, a silent one by the time-out.
    "heartbeat.interval": "2 s",
    "heartbeat.timeout": "20 s",
    "restart-strategy.type": "exponential-delay",
    "restart-strategy.exponential-delay.initial-backoff": "500 ms",
    "restart-strategy.exponential-delay.max-backoff": "10 s",
    // What ran for so long is well: the next restart waits no longer than the first. By default an hour's failures add up.
    "restart-strategy.exponential-delay.reset-backoff-threshold": "5 s",
    ...(zookeeper === undefined
      ? {}
      : {
          "high-availability.type": "zookeeper",
          "high-availability.zookeeper.quorum": zookeeper,
          "high-availability.storageDir": `file://${below("ha")}`,
          // A killed JobManager holds the lead until its session has timed out.
          "high-availability.zookeeper.client.session-timeout": "6 s",
          "high-availability.jobmanager.port": options.rpcPort,
        }),
    ...own,
    ...options.settings,
  };
  // YAML takes every JSON string as it is.
  const lines = Object.entries(settings).map(([key, value]) => `${key}: ${JSON.stringify(String(value))}\n`);
  return lines.join("");
}

async function ask(restPort: number, path: string): Promise<unknown> {
  const answer = await fetch(`http://127.0.0.1:${restPort}${path}`, { signal: AbortSignal.timeout(ASK_TIMEOUT_MS) });
  return answer.ok ? answer.json() : undefined;
}
