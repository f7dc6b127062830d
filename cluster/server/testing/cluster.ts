// A cluster for tests: Kafka and Redis as processes of their own, the operator and as many servers as asked for in this
// one.
import { after, afterEach, before } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { createTopics, checkTopics, needsOf } from "../../kafka/topics.ts";
import { openClusterAccess, type ClusterAccess, type ClusterAccessOptions } from "../../access/cluster-access.ts";
import { sharedNeeds } from "../../cli/topics.ts";
import { clusterMissing, startKafka, startRedis, type TestKafka, type TestRedis } from "../../testing/servers.ts";
import { projectTopics } from "../../wire/topics.ts";
import { openClusterHost, type ClusterHost, type ClusterHostOptions } from "../host.ts";
import type { ClusterProject } from "../project.ts";
import { startDevJob, type DevJob } from "./dev-job.ts";

export interface TestCluster {
  readonly kafka: TestKafka;
  readonly redis: TestRedis;
  /** A project of its own, made with its topics, and a job for it. */
  newProject(options?: NewProject): Promise<TestProject>;
  /** Keys, sessions and audit trail as one more server has them. */
  openAccess(options?: Partial<ClusterAccessOptions>): Promise<ClusterAccess>;
  stop(): Promise<void>;
}

export interface NewProject extends Partial<Pick<ClusterHostOptions, "onOwnAct" | "ledgerFolder" | "onFault" | "now">> {
  readonly program?: unknown;
  readonly servers?: number;
}

export interface TestProject {
  readonly name: string;
  /** The same project on each server. */
  readonly servers: readonly ClusterProject[];
  restartJob(): Promise<void>;
  /** One more server. */
  addServer(): Promise<ClusterProject>;
  stop(): Promise<void>;
}

const PARTITIONS = 3;
const TEST_CLUSTER_KEY = Buffer.alloc(32, 7).toString("base64");

/** Whether it has learnt, and Redis was filled once. */
function isReady(server: ClusterProject): boolean {
  const { ready, parts } = server.stats();
  return ready && parts!["filler"]!.ready;
}

/** What the tests of one file share. */
export interface FileCluster extends Pick<TestCluster, "kafka" | "redis" | "newProject"> {
  /** Why the tests are skipped. */
  readonly missing: string | undefined;
}

/** A cluster from the file's first test to its last; projects end with the test that opened them. */
export function clusterOfFile(): FileCluster {
  const missing = clusterMissing();
  const projects: TestProject[] = [];
  let cluster: TestCluster;
  before(async () => {
    if (missing === undefined) cluster = await startCluster();
  });
  afterEach(async () => {
    for (const project of projects.splice(0)) await project.stop();
  });
  after(async () => {
    await cluster?.stop();
  });
  return {
    missing,
    get kafka() {
      return cluster.kafka;
    },
    get redis() {
      return cluster.redis;
    },
    async newProject(options) {
      const project = await cluster.newProject(options);
      projects.push(project);
      return project;
    },
  };
}

/** Waits; a test's own time limit ends it. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await pause(10);
}

export async function startCluster(): Promise<TestCluster> {
  const [kafka, redis] = await Promise.all([startKafka(), startRedis()]);
  const connection = { brokers: [kafka.bootstrap] };
  const open = new Set<TestProject>();
  const accesses: ClusterAccess[] = [];
  let projects = 0;

  async function newProject(options: NewProject = {}): Promise<TestProject> {
    const { program = {}, servers: count = 1, ...hostOptions } = options;
    const name = `p${projects++}`;
    const topics = projectTopics(name);
    await createTopics(connection, needsOf(topics), { partitions: PARTITIONS, replicas: 1 });
    const partitions = await checkTopics(connection, needsOf(topics));
    const hosts: ClusterHost[] = [];
    const servers: ClusterProject[] = [];
    async function addServer(): Promise<ClusterProject> {
      const host = await openClusterHost({
        kafka: connection,
        redis: { urls: [redis.url] },
        projects: { [name]: program },
        partitions: PARTITIONS,
        now: Date.now,
        onFault: (error) => process.stderr.write(`${error.stack}\n`),
        ...hostOptions,
      });
      hosts.push(host);
      const server = host.projects.get(name)!;
      servers.push(server);
      while (!isReady(server)) await pause(10);
      return server;
    }
    for (let i = 0; i < count; i++) await addServer();
    let job: DevJob = await startDevJob(connection, topics, partitions);
    const project: TestProject = {
      name,
      servers,
      addServer,
      async restartJob() {
        await job.stop();
        job = await startDevJob(connection, topics, partitions);
      },
      async stop() {
        open.delete(project);
        for (const host of hosts) await host.close();
        await job.stop();
      },
    };
    open.add(project);
    return project;
  }

  async function openAccess(options: Partial<ClusterAccessOptions> = {}): Promise<ClusterAccess> {
    await createTopics(connection, sharedNeeds(), { partitions: 1, replicas: 1 });
    const access = await openClusterAccess({
      kafka: connection,
      redis: { urls: [redis.url] },
      key: TEST_CLUSTER_KEY,
      now: Date.now,
      onCorrupt: (error) => process.stderr.write(`${error.stack}\n`),
      ...options,
    });
    accesses.push(access);
    return access;
  }

  return {
    kafka,
    redis,
    newProject,
    openAccess,
    async stop() {
      for (const access of accesses) await access.close();
      for (const project of open) await project.stop();
      await Promise.all([kafka.stop(), redis.stop()]);
    },
  };
}
