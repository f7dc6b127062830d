// One of the cluster's servers: `main.ts --settings FILE`, a JSON file that `cluster up` writes (it may hold passwords).
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Logger } from "pino";
import { logLevelOf } from "../../server/cli/config.ts";
import { environmentOf } from "../../server/cli/environment.ts";
import { programsOf } from "../../server/cli/node.ts";
import { kekFolder } from "../../server/cli/kek-folder.ts";
import { serve, type ServeSettings } from "../../server/cli/serve.ts";
import { toConnection, type KafkaProperties } from "../cli/kafka-properties.ts";
import type { EventTopics } from "../wire/topics.ts";
import { openClusterAccess } from "../access/cluster-access.ts";
import { redisTls, type RedisFiles } from "../redis/tls-files.ts";
import { openClusterHost } from "./host.ts";

export interface ClusterServerSettings extends Omit<ServeSettings, "logLevel"> {
  readonly kafka: { readonly brokers: readonly string[]; readonly properties?: KafkaProperties };
  readonly redis: {
    /** Several addresses: nodes of a Redis Cluster, separated by commas. */
    readonly url: string;
    readonly username?: string;
    readonly password?: string;
  } & RedisFiles;
  /** Name → the program that the project starts with: `shop` or `news`. */
  readonly projects: Readonly<Record<string, string>>;
  readonly events?: EventTopics;
  /** How many the topics were made with. */
  readonly partitions?: number;
  /** Of the job's topics. */
  readonly generation?: number;
  /** Of what the certificates' files held at the start, for `up` to see that they were renewed. */
  readonly filesHash?: string;
  /** The key that all servers of the cluster share; 32 bytes in base64. */
  readonly clusterKey: string;
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { settings: { type: "string" } } });
  if (values.settings === undefined) throw new Error("--settings FILE is missing");
  const settings = JSON.parse(readFileSync(values.settings, "utf8")) as ClusterServerSettings;
  const { kafka, redis, projects, events, partitions, generation } = settings;
  const { url, caFile: _, certFile: __, keyFile: ___, ...login } = redis;
  const tls = redisTls(redis);
  const kafkaConnection = toConnection(kafka.brokers, kafka.properties ?? {});
  const redisConnection = {
    urls: url.split(","),
    ...login,
    ...(tls === undefined ? {} : { tls }),
  };
  const faultsTo = (logger: Logger) => (error: Error) => logger.error({ err: error }, "a record was left out");
  return serve(
    { ...settings, logLevel: logLevelOf(environmentOf()) },
    (logger, onOwnAct) =>
      openClusterHost({
        kafka: kafkaConnection,
        redis: redisConnection,
        projects: programsOf(projects),
        ...(events === undefined ? {} : { events }),
        ...(partitions === undefined ? {} : { partitions }),
        ...(generation === undefined ? {} : { generation }),
        now: Date.now,
        onFault: faultsTo(logger),
        onOwnAct,
        ledgerFolder: kekFolder(),
      }),
    (logger) =>
      openClusterAccess({
        kafka: kafkaConnection,
        redis: redisConnection,
        key: settings.clusterKey,
        now: Date.now,
        onCorrupt: faultsTo(logger),
      }),
  );
}

process.exitCode = await main();
