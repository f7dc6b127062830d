// A disk of 1 MiB that a test can fill up: a tmpfs, which only root on Linux can mount.
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";

/** Why there can be none here; undefined where it can be tried. */
export const withoutSmallDisk =
  process.platform === "linux" && process.getuid?.() === 0 ? undefined : "mounting needs root on Linux";

/** Mounts it on `folder`, which is made; why not, where a container keeps even root from mounting. */
export function mountSmallDisk(folder: string): string | undefined {
  mkdirSync(folder);
  const { status, stderr } = spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], { encoding: "utf8" });
  return status === 0 ? undefined : `mount: ${stderr.trim()}`;
}

/** Takes it away, also from whoever still uses it. */
export function unmountSmallDisk(folder: string): void {
  spawnSync("umount", ["-l", folder]);
}
