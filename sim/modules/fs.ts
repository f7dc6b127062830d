// `node:fs` as the server sees it in the simulation: the synchronous calls that the log, the index and the state make.
import { current } from "../world.ts";

export const constants = { O_WRONLY: 1, O_RDWR: 2, O_CREAT: 64, O_TRUNC: 512, O_DSYNC: 4096 };

export function openSync(path: string, flags: string): number {
  return current.disk.open(path, { create: flags !== "r" && flags !== "r+", truncate: flags.startsWith("w") });
}

export function closeSync(fd: number): void {
  current.disk.close(fd);
}

export function fstatSync(fd: number): { size: number } {
  return { size: current.disk.inode(fd).size };
}

export function statSync(path: string): { size: number } {
  const fd = openSync(path, "r");
  const info = fstatSync(fd);
  closeSync(fd);
  return info;
}

export function readSync(fd: number, target: Uint8Array, at: number, length: number, position: number): number {
  const { bytes, size } = current.disk.inode(fd);
  const count = Math.max(0, Math.min(length, size - position));
  target.set(bytes.subarray(position, position + count), at);
  return count;
}

export function existsSync(path: string): boolean {
  return current.disk.names.has(path);
}

export function mkdirSync(path: string): void {
  current.disk.makeFolder(path);
}

export function readdirSync(path: string): string[] {
  return current.disk.list(path);
}

export function writeFileSync(path: string, text: string): void {
  const fd = openSync(path, "w");
  current.disk.write(fd, Buffer.from(text), 0);
  closeSync(fd);
}

export function rmSync(path: string): void {
  current.disk.removeTree(path);
}

export function readFileSync(path: string, encoding?: "utf8"): Buffer | string {
  const fd = openSync(path, "r");
  const bytes = Buffer.alloc(fstatSync(fd).size);
  readSync(fd, bytes, 0, bytes.length, 0);
  closeSync(fd);
  return encoding === undefined ? bytes : bytes.toString(encoding);
}

export function writeSync(fd: number, data: string | Uint8Array): number {
  return current.disk.write(fd, Buffer.from(data as string), 0);
}

export function fsyncSync(fd: number): void {
  current.disk.sync(fd);
}

export function renameSync(from: string, to: string): void {
  current.disk.rename(from, to);
}

export function unlinkSync(path: string): void {
  current.disk.remove(path);
}
