// The Flink job's jar: the Java host and the core's V8 bundle, built where their sources changed.
import { createHash } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { buildOperator } from "../operator/build.ts";
import { replaceFolder } from "./jars.ts";
import { CACHE, InstallError, mavenProgram, run } from "./tools.ts";

export interface JobJar {
  readonly path: string;
  /** Of everything that went into it: two equal ones are the same program. */
  readonly hash: string;
}

const SOURCES = join(import.meta.dirname, "../flink");
const BUNDLE = "src/main/resources/operator.js";
const JAR = "attune-job.jar";
const HASH_CHARACTERS = 16;
/** Jars that stay: the newest, and those that running jobs were submitted from. */
const JARS_MAX = 4;

/** The job's jar for the sources as they are; about 20 s where it must be built, 0.2 s where not. */
export async function ensureJobJar(): Promise<JobJar> {
  const bundle = await buildOperator();
  const hash = await hashOf(bundle);
  const folder = join(CACHE, "job", hash);
  const path = join(folder, JAR);
  if (existsSync(path)) return { path, hash };
  const draft = `${folder}.${process.pid}.draft`;
  await rm(draft, { recursive: true, force: true });
  // A copy, so that two builds at once do not write into each other's target folder.
  await cp(SOURCES, draft, { recursive: true, filter: (from) => !isOutput(relative(SOURCES, from)) });
  await mkdir(dirname(join(draft, BUNDLE)), { recursive: true });
  await writeFile(join(draft, BUNDLE), bundle);
  await run(mavenProgram(), ["-B", "-q", "-f", join(draft, "pom.xml"), "package", "-DskipTests"], {
    failure: "the Flink job could not be built; check the network and ~/.m2/settings.xml",
  });
  const target = join(draft, "target");
  const built = (await readdir(target)).filter((name) => name.endsWith(".jar") && !name.startsWith("original-"));
  if (built.length !== 1) throw new InstallError(`one jar was expected in ${target}, not ${built.length}`);
  const done = `${draft}.done`;
  await mkdir(done, { recursive: true });
  await rename(join(target, built[0]!), join(done, JAR));
  await rm(draft, { recursive: true, force: true });
  await replaceFolder(done, folder);
  await removeOld(dirname(folder));
  return { path, hash };
}

const isOutput = (path: string): boolean => path === "target" || path.startsWith("target/");

async function hashOf(bundle: string): Promise<string> {
  const entries = await readdir(SOURCES, { withFileTypes: true, recursive: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !isOutput(relative(SOURCES, file)) && !relative(SOURCES, file).startsWith("src/test"));
  const hash = createHash("sha256").update(bundle);
  for (const file of files.sort()) hash.update(`\0${relative(SOURCES, file)}\0`).update(await readFile(file));
  return hash.digest("hex").slice(0, HASH_CHARACTERS);
}

/** Oldest jars beyond the limit. */
async function removeOld(folder: string): Promise<void> {
  const jars = (await readdir(folder)).filter((name) => !name.includes(".draft"));
  const byAge = jars.sort((a, b) => statSync(join(folder, b)).mtimeMs - statSync(join(folder, a)).mtimeMs);
  for (const name of byAge.slice(JARS_MAX)) await rm(join(folder, name), { recursive: true, force: true });
}
