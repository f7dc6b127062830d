// Finds where a job can go on from when Flink itself no longer knows: the newest whole checkpoint on disk.
import { statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

/**
 * The newest checkpoint of one of these jobs. A checkpoint is whole when its `_metadata` is there: Flink writes that
 * last, in one step. Undefined where none of them has one.
 */
export async function newestCheckpoint(folder: string, jobIds: readonly string[]): Promise<string | undefined> {
  let newest: { path: string; atMs: number } | undefined;
  for (const jobId of jobIds) {
    for (const name of await readdir(join(folder, jobId)).catch(() => [])) {
      const path = join(folder, jobId, name);
      const metadata = statSync(join(path, "_metadata"), { throwIfNoEntry: false });
      if (!name.startsWith("chk-") || metadata === undefined) continue;
      if (newest === undefined || metadata.mtimeMs > newest.atMs) newest = { path, atMs: metadata.mtimeMs };
    }
  }
  return newest?.path;
}
