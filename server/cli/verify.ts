// `attune verify`: folds the whole log anew and compares every profile with the stored one.
import { verifyProject } from "../embedded/verify.ts";
import { parseFlags } from "./flags.ts";
import { PROJECT_FLAGS, withProject } from "./node.ts";
import { progressBar } from "./progress.ts";

export async function verifyCommand(args: string[]): Promise<number> {
  const { values } = parseFlags({ args, options: PROJECT_FLAGS });
  return withProject(values, { isMade: false }, async (project) => {
    const bar = progressBar("verifying");
    const { records, persons, differences, faults } = await verifyProject(project, {
      now: Date.now,
      onProgress: (share) => bar.update(share, "of the log"),
    });
    bar.done();
    for (const { kind, position, sizeBytes, file } of faults) {
      process.stdout.write(`log ${kind}: ${sizeBytes} bytes at position ${position} of ${file}\n`);
    }
    for (const { key, kind } of differences) process.stdout.write(`${kind.replaceAll("_", " ")}: ${key}\n`);
    process.stdout.write(`${records} records, ${persons} persons\n${differences.length} differences\n`);
    return differences.length === 0 && faults.length === 0 ? 0 : 1;
  });
}
