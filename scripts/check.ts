// Typechecks the whole repository, and the core once more on its own, without Node's and the browser's types.
import { spawn } from "node:child_process";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "..");

export const PROJECTS = ["tsconfig.json", "core/tsconfig.json"] as const;

/** The compiler's complaints about one project; empty where there are none. */
export function typecheck(project: (typeof PROJECTS)[number]): Promise<string> {
  const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
  // What did not change since the last check is not checked again.
  const remembered = join(ROOT, "node_modules/.cache/types", `${project.replaceAll("/", "-")}.tsbuildinfo`);
  const args = ["-p", project, "--noEmit", "--pretty", "false", "--incremental", "--tsBuildInfoFile", remembered];
  const child = spawn(process.execPath, [compiler, ...args], { cwd: ROOT });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code === 0 ? "" : output || `tsc exited with ${code}`));
  });
}

if (import.meta.main) {
  const complaints = (await Promise.all(PROJECTS.map(typecheck))).join("");
  process.stdout.write(complaints || "no type errors\n");
  process.exitCode = complaints ? 1 : 0;
}
