// One Kafka broker that is its own controller (KRaft).
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Admin } from "@platformatic/kafka";
import { javaProgram } from "../install/tools.ts";
import { jvmCommand, properties, prepareJvm } from "./jvm.ts";
import { PartError, type PartSpec } from "./part.ts";

const KAFKA_HEAP_MB = 384;
/** Longest transaction that the broker grants; the job asks for less. */
const TRANSACTION_MAX_MS = 900_000;
const ASK_TIMEOUT_MS = 2_000;

export interface KafkaOptions {
  folder: string;
  jars: string;
  port: number;
  controllerPort: number;
  heapMb?: number;
  /** More doors beside the plain one on 127.0.0.1, e.g. `SASL_SSL://127.0.0.1:9443`; `settings` carries their keys. */
  listeners?: readonly string[];
  /** Broker settings beside and above ours. */
  settings?: Readonly<Record<string, string | number>>;
}

export function kafkaSpec(options: KafkaOptions): PartSpec {
  const { folder, jars, port, controllerPort, heapMb = KAFKA_HEAP_MB, listeners = [], settings = {} } = options;
  const doors = [`PLAINTEXT://127.0.0.1:${port}`, ...listeners];
  const settingsFile = join(folder, "server.properties");
  const main = { name: "kafka", folder, jars, main: "kafka.Kafka", heapMb, args: [settingsFile] };
  return {
    name: "kafka",
    folder,
    ...jvmCommand(main),
    listens: [port, controllerPort].map((one) => ({ host: "127.0.0.1", port: one })),
    async prepare() {
      await prepareJvm(folder);
      const all = { ...brokerSettings(join(folder, "data"), doors, controllerPort), ...settings };
      await writeFile(settingsFile, properties(all));
      if (!existsSync(join(folder, "data/meta.properties"))) await format(jars, settingsFile);
    },
    isReady: () => answers(`127.0.0.1:${port}`),
  };
}

function brokerSettings(
  data: string,
  doors: readonly string[],
  controllerPort: number,
): Record<string, string | number> {
  return {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
    "controller.listener.names": "CONTROLLER",
    listeners: [...doors, `CONTROLLER://127.0.0.1:${controllerPort}`].join(","),
    "advertised.listeners": doors.join(","),
    "listener.security.protocol.map":
      "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT",
    "log.dirs": data,
    // Every topic is made by `cluster`, with the settings that the promises rest on.
    "auto.create.topics.enable": "false",
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "transaction.state.log.num.partitions": 4,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "transaction.max.timeout.ms": TRANSACTION_MAX_MS,
    // An aborted transaction is found within a second, not ten: what comes behind it waits until then.
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1_000,
    "group.initial.rebalance.delay.ms": 0,
    "log.cleaner.dedupe.buffer.size": 16 << 20,
    // An erasure waits for two rounds of it.
    "log.cleaner.backoff.ms": 1_000,
    "socket.request.max.bytes": 32 << 20,
  };
}

async function format(jars: string, settingsFile: string): Promise<void> {
  const id = randomBytes(16).toString("base64url");
  // An id that begins with a dash would be read as an option.
  const clusterId = id.startsWith("-") ? `A${id.slice(1)}` : id;
  const args = ["-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", join(jars, "*")];
  const tool = ["kafka.tools.StorageTool", "format", "-t", clusterId, "-c", settingsFile];
  const child = spawn(javaProgram(), [...args, ...tool], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
  const code = await new Promise((done, reject) => child.once("error", reject).once("close", done));
  if (code !== 0) throw new PartError(`Kafka's folder could not be formatted:\n${output}`);
}

async function answers(broker: string): Promise<boolean> {
  const admin = new Admin({
    clientId: "attune-ready",
    bootstrapBrokers: [broker],
    timeout: ASK_TIMEOUT_MS,
    requestTimeout: ASK_TIMEOUT_MS,
    connectTimeout: ASK_TIMEOUT_MS,
    retries: 0,
  });
  try {
    await admin.listTopics();
    return true;
  } finally {
    await admin.close();
  }
}
