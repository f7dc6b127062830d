// Whether a folder lies on an encrypted disk, as far as Linux can tell: dm-crypt (LUKS) at any depth under the file system,
// or a file system that encrypts. What a cloud does below its volumes, and fscrypt, cannot be seen from here.
import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { basename, join } from "node:path";

const ENCRYPTING_FILE_SYSTEMS = new Set(["ecryptfs", "fuse.gocryptfs", "fuse.cryfs", "fuse.encfs"]);

export interface DiskView {
  /** As `/proc/self/mountinfo` says it. */
  readonly mounts: string;
  /** In the place of `/sys/class/block`. */
  readonly blockFolder: string;
}

/** Undefined where this is no Linux, or the file system lies on no disk that it knows. @param folder - exists. */
export function isDiskEncrypted(folder: string, view = systemView()): boolean | undefined {
  const mount = view === undefined ? undefined : mountOf(realpathSync(folder), view.mounts);
  if (view === undefined || mount === undefined) return undefined;
  if (ENCRYPTING_FILE_SYSTEMS.has(mount.type)) return true;
  const device = basename(existsSync(mount.source) ? realpathSync(mount.source) : mount.source);
  return existsSync(join(view.blockFolder, device)) ? isDeviceEncrypted(device, view.blockFolder) : undefined;
}

function systemView(): DiskView | undefined {
  if (process.platform !== "linux") return undefined;
  return { mounts: readFileSync("/proc/self/mountinfo", "utf8"), blockFolder: "/sys/class/block" };
}

/** The mount that the path is in: the deepest, and of those at one place the newest. */
function mountOf(path: string, mounts: string): { type: string; source: string } | undefined {
  let [found, depth]: [{ type: string; source: string } | undefined, number] = [undefined, 0];
  for (const line of mounts.split("\n")) {
    const [place, device] = line.split(" - ");
    if (device === undefined) continue;
    const at = place!.split(" ")[4]!.replaceAll("\\040", " ");
    const isIn = at === "/" || path === at || path.startsWith(`${at}/`);
    if (!isIn || at.length < depth) continue;
    const [type, source] = device.split(" ") as [string, string];
    [found, depth] = [{ type, source }, at.length];
  }
  return found;
}

/** A device of several parts is as closed as the least of them. */
function isDeviceEncrypted(name: string, blockFolder: string): boolean {
  const uuid = join(blockFolder, name, "dm", "uuid");
  if (existsSync(uuid) && readFileSync(uuid, "utf8").startsWith("CRYPT-")) return true;
  const slaves = join(blockFolder, name, "slaves");
  const parts = existsSync(slaves) ? readdirSync(slaves) : [];
  return parts.length > 0 && parts.every((part) => isDeviceEncrypted(part, blockFolder));
}
