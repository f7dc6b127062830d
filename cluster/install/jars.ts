// Kafka's and Flink's jars, by the project's own Maven poms, into the cache. Maven takes what ~/.m2 holds already.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { CACHE, mavenProgram, run } from "./tools.ts";

export type Product = "kafka" | "flink";

const COPY_GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";
const HASH_CHARACTERS = 16;

const pomOf = (product: Product): string => join(import.meta.dirname, product, "pom.xml");

/** Where the product's jars are, or will be. Folders of earlier poms stay: a running JVM may still read from them. */
export function jarsFolder(product: Product): string {
  const hash = createHash("sha256").update(readFileSync(pomOf(product))).digest("hex").slice(0, HASH_CHARACTERS);
  return join(CACHE, "lib", `${product}-${hash}`);
}

/**
 * The folder with every jar of the product. A folder's name carries its pom's hash and appears in one step, so it is
 * whole or absent, also where several processes install at once. About 3 s where ~/.m2 has the jars.
 */
export async function ensureJars(product: Product): Promise<string> {
  const folder = jarsFolder(product);
  if (existsSync(folder)) return folder;
  const draft = `${folder}.${process.pid}.draft`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  await run(
    mavenProgram(),
    ["-B", "-q", "-f", pomOf(product), COPY_GOAL, "-DincludeScope=runtime", `-DoutputDirectory=${draft}`],
    { failure: `Maven could not fetch the jars of ${product}; check the network and ~/.m2/settings.xml` },
  );
  await replaceFolder(draft, folder);
  return folder;
}

/** Moves a finished draft to its place; where another process was first, its result stands. */
export async function replaceFolder(draft: string, folder: string): Promise<void> {
  try {
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
}
