// What the installation needs from the machine: a JDK, Maven, and for Redis Debian's packages.
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "../..");
/** Downloads and builds; outside git, kept between runs. */
export const CACHE = join(ROOT, ".cache/cluster");
const INSTALL_TIMEOUT_MS = 600_000;
const JAVA_MAJOR_MIN = 17;
const OUTPUT_CHARACTERS_MAX = 4_000;

/** Something that the cluster needs is not there, or could not be installed; the message says what to do. */
export class InstallError extends Error {
  override readonly name = "InstallError";
}

/** The first such program on the PATH. */
export function findProgram(name: string): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** The `java` to run the servers with: JAVA_HOME's, else the PATH's. */
export function javaProgram(): string {
  const home = process.env["JAVA_HOME"];
  if (home !== undefined && existsSync(join(home, "bin/java"))) return join(home, "bin/java");
  const found = findProgram("java");
  if (found !== undefined) return found;
  throw new InstallError(`Kafka and Flink need Java ${JAVA_MAJOR_MIN}: apt-get install openjdk-17-jdk-headless`);
}

export function mavenProgram(): string {
  const found = findProgram("mvn");
  if (found !== undefined) return found;
  throw new InstallError("Kafka's and Flink's jars come through Maven: apt-get install maven");
}

/** Why this machine cannot run the cluster's parts, in words for a person; undefined where it can. */
export function clusterMissing(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64")
    return `the parts run on Linux x86-64 only (V8's native library), this is ${process.platform} ${process.arch}`;
  try {
    const version = spawnSync(javaProgram(), ["-version"], { encoding: "utf8" }).stderr;
    const major = Number(/version "(\d+)/.exec(version)?.[1] ?? 0);
    if (major < JAVA_MAJOR_MIN) return `Java ${major} is too old: apt-get install openjdk-17-jdk-headless`;
    mavenProgram();
  } catch (error) {
    if (error instanceof InstallError) return error.message;
    throw error;
  }
  if (findProgram("redis-server") === undefined && findProgram("apt-get") === undefined)
    return "there is no redis-server: install Redis 7";
  return undefined;
}

export interface RunOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** What failed, for the message: "Maven could not fetch …". */
  failure: string;
}

/** Runs a program to its end; rejects with an InstallError that carries the end of its output. */
export async function run(program: string, args: readonly string[], options: RunOptions): Promise<void> {
  const { cwd, env, failure } = options;
  const child = spawn(program, args, {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: INSTALL_TIMEOUT_MS,
  });
  let output = "";
  const keep = (text: string): void => void (output = (output + text).slice(-OUTPUT_CHARACTERS_MAX));
  child.stdout.setEncoding("utf8").on("data", keep);
  child.stderr.setEncoding("utf8").on("data", keep);
  const code = await new Promise<number | null>((done, reject) => child.once("error", reject).once("close", done));
  if (code !== 0) throw new InstallError(`${failure} (exit ${code ?? "by a signal"}):\n${output.trim()}`);
}
