// All projects of one of the cluster's servers, over one connection to Kafka and one to Redis.
import { uuidv7 } from "uuidv7";
import type { KafkaConnection } from "../kafka/connection.ts";
import { KafkaSender } from "../kafka/sender.ts";
import { RedisLink, type RedisConnection } from "../redis/link.ts";
import { ClusterProject, type ClusterProjectOptions } from "./project.ts";

export interface ClusterHostOptions extends Pick<ClusterProjectOptions, "events" | "partitions" | "generation" | "now" | "onFault" | "onOwnAct" | "ledgerFolder"> {
  readonly kafka: KafkaConnection;
  readonly redis: RedisConnection;
  /** Projects, each with the program that it starts with. */
  readonly projects: Readonly<Record<string, unknown>>;
  /** Default: a new one. */
  readonly server?: string;
}

export interface ClusterHost {
  readonly projects: ReadonlyMap<string, ClusterProject>;
  close(): Promise<void>;
}

/** @throws TopicError; with Kafka away it rejects, with Redis away it starts degraded. */
export async function openClusterHost(options: ClusterHostOptions): Promise<ClusterHost> {
  const { kafka, redis, projects: programs, server = uuidv7(), ...rest } = options;
  const sender = new KafkaSender(kafka);
  const link = await RedisLink.open(redis);
  const projects = new Map<string, ClusterProject>();
  const close = async (): Promise<void> => {
    for (const project of projects.values()) await project.close();
    await sender.close();
    link.close();
  };
  try {
    for (const [name, firstProgram] of Object.entries(programs)) {
      const project = await ClusterProject.open({ ...rest, name, connection: kafka, sender, link, server, firstProgram });
      projects.set(name, project);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { projects, close };
}
