// Kafka's and Flink's jars, by the project's own Maven poms, into the cache. Maven takes what ~/.m2 holds already.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { CACHE, mavenProgram, run } from "./tools.ts";

export type Product = "kafka" | "flink";

const COPY_GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";
const HASH_CHARACTERS = 16;

/**
 * The folder with every jar of the product. A folder's name carries its pom's hash and appears in one step, so it is
 * whole or absent, also where several processes install at once. About 3 s where ~/.m2 has the jars.
 */
export async function ensureJars(product: Product): Promise<string> {
  const pom = join(import.meta.dirname, product, "pom.xml");
  const hash = createHash("sha256").update(await readFile(pom)).digest("hex").slice(0, HASH_CHARACTERS);
  const folder = join(CACHE, "lib", `${product}-${hash}`);
  if (existsSync(folder)) return folder;
  const draft = `${folder}.${process.pid}.draft`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  await run(
    mavenProgram(),
    ["-B", "-q", "-f", pom, COPY_GOAL, "-DincludeScope=runtime", `-DoutputDirectory=${draft}`],
    { failure: `Maven could not fetch the jars of ${product}; check the network and ~/.m2/settings.xml` },
  );
  await replaceFolder(draft, folder);
  await removeOthers(product, folder);
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

/** Jars of earlier poms; drafts of other processes stay. */
async function removeOthers(product: Product, keep: string): Promise<void> {
  const parent = join(CACHE, "lib");
  for (const name of await readdir(parent)) {
    const isOld = name.startsWith(`${product}-`) && !name.endsWith(".draft") && join(parent, name) !== keep;
    if (isOld) await rm(join(parent, name), { recursive: true, force: true });
  }
}
