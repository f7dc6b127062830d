// `node:fs/promises` in the simulation: every call takes simulated time, and none answers a process that died meanwhile.
import { current } from "../world.ts";
import { constants, fstatSync } from "./fs.ts";

/** Runs `work` on the disk after some time. */
function onDisk<T>(work: () => T): Promise<T> {
  const { world, disk } = current;
  const delayMs = world.rng.between(0, disk.latencyMsMax * 100) / 100;
  return new Promise((resolve, reject) => {
    world.after(delayMs, () => {
      try {
        resolve(work());
      } catch (error) {
        reject(error as Error);
      }
    });
  });
}

export interface FileHandle {
  readonly fd: number;
  write(bytes: Uint8Array, from: number, length: number, position: number): Promise<{ bytesWritten: number }>;
  truncate(size: number): Promise<void>;
  datasync(): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

function handleOf(fd: number): FileHandle {
  const { disk } = current;
  return {
    fd,
    write(bytes, from, length, position) {
      const part = bytes.subarray(from, from + length);
      const end = disk.begin(fd, part, position);
      return onDisk(() => {
        end();
        return { bytesWritten: disk.write(fd, part, position) };
      });
    },
    truncate: (size) => onDisk(() => disk.truncate(fd, size)),
    datasync: () => onDisk(() => disk.sync(fd)),
    sync: () => onDisk(() => disk.sync(fd)),
    close: () => onDisk(() => disk.close(fd)),
  };
}

export function open(path: string, flags: string | number): Promise<FileHandle> {
  const has = (flag: number, text: string): boolean =>
    typeof flags === "number" ? (flags & flag) !== 0 : flags.startsWith(text);
  const options = {
    create: has(constants.O_CREAT, "w"),
    truncate: has(constants.O_TRUNC, "w"),
    synced: typeof flags === "number" && (flags & constants.O_DSYNC) !== 0,
  };
  return onDisk(() => handleOf(current.disk.open(path, options)));
}

export function stat(path: string): Promise<{ size: number }> {
  return onDisk(() => {
    const fd = current.disk.open(path, { create: false, truncate: false });
    const info = fstatSync(fd);
    current.disk.close(fd);
    return info;
  });
}

export function mkdir(path: string): Promise<void> {
  return onDisk(() => current.disk.makeFolder(path));
}

let temporary = 0;
export async function mkdtemp(prefix: string): Promise<string> {
  const path = `${prefix}${temporary++}`;
  current.disk.makeFolder(path);
  return path;
}

export function readdir(path: string): Promise<string[]> {
  return onDisk(() => current.disk.list(path));
}

export function rename(from: string, to: string): Promise<void> {
  return onDisk(() => current.disk.rename(from, to));
}

export function rm(path: string, options?: { recursive?: boolean }): Promise<void> {
  return onDisk(() => (options?.recursive === true ? current.disk.removeTree(path) : current.disk.remove(path)));
}
