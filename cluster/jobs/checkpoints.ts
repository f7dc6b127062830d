// Finds where a job can go on from when Flink itself no longer knows: the newest whole checkpoint on disk.
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/**
 * The newest checkpoint in a job's folder. One is whole when its `_metadata` is there: Flink writes that last, in one
 * step. Undefined where there is none.
 */
export async function newestCheckpoint(folder: string): Promise<string | undefined> {
  const names = await readdir(folder).catch(() => []);
  const numbers = names.flatMap((name) => Number(/^chk-(\d+)$/.exec(name)?.[1] ?? []));
  for (const number of numbers.sort((a, b) => b - a)) {
    const path = join(folder, `chk-${number}`);
    const isWhole = await stat(join(path, "_metadata")).then(
      () => true,
      () => false,
    );
    if (isWhole) return path;
  }
  return undefined;
}
