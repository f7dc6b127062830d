// A disk that fails as disks do: what was not synced may be gone after a power cut, sector by sector; names are only there
// when their folder was synced; a failed sync leaves bytes that no later sync saves; writes find no room.
import type { World } from "./world.ts";

const SECTOR_BYTES = 512;

interface Write {
  offset: number;
  /** Undefined: the file was cut to `offset`. */
  bytes: Uint8Array | undefined;
}

interface Range {
  from: number;
  to: number;
}

/** A file's bytes, apart from its names. */
export class Inode {
  bytes = new Uint8Array(0);
  size = 0;
  /** What is surely on the platter. */
  durable = new Uint8Array(0);
  unsynced: Write[] = [];
  /** Taken for clean by the system after a failed sync, and on no platter: only written again they can be saved. */
  limbo: Range[] = [];
  isFolder = false;

  write(offset: number, bytes: Uint8Array): void {
    const copy = bytes.slice();
    this.apply(offset, copy);
    this.unsynced.push({ offset, bytes: copy });
  }

  truncate(size: number): void {
    this.resize(size);
    this.unsynced.push({ offset: size, bytes: undefined });
  }

  apply(offset: number, bytes: Uint8Array): void {
    if (offset + bytes.length > this.size) this.resize(offset + bytes.length);
    this.bytes.set(bytes, offset);
  }

  resize(size: number): void {
    if (size > this.bytes.length) {
      const grown = new Uint8Array(Math.max(size, this.bytes.length * 2));
      grown.set(this.bytes.subarray(0, this.size));
      this.bytes = grown;
    } else if (size < this.size) this.bytes.fill(0, size, this.size);
    this.size = size;
  }
}

/** Every kind of fault that a seed may meet. */
export const FAULT_KINDS = [
  "kill",
  "power_cut",
  "torn_write",
  "lost_name",
  "failed_sync",
  "disk_full",
  "slow_disk",
  "checkpoint_failed",
  "flipped_state_byte",
  "clock_jump",
  "suspended",
  "request_lost",
  "answer_lost",
  "request_doubled",
  "clean_restart",
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

export type FaultCounts = Partial<Record<FaultKind, number>>;

export class DiskError extends Error {
  readonly code: string;
  constructor(code: string) {
    super(`${code}: simulated`);
    this.code = code;
  }
}

export class Disk {
  readonly #world: World;
  readonly faults: FaultCounts;
  names = new Map<string, Inode>();
  /** Names that are surely there after a power cut, by folder sync. */
  durableNames = new Map<string, Inode>();
  /** Rows of the state file, by path: LMDB commits are atomic and durable, which its own tests show on a real disk. */
  readonly states = new Map<string, Map<string, Uint8Array>>();
  readonly #open = new Map<number, { inode: Inode; path: string; synced: boolean }>();
  readonly #underWay = new Set<{ inode: Inode; offset: number; bytes: Uint8Array }>();
  #nextFd = 10;
  /** Free bytes; Infinity: not limited. */
  freeBytes = Infinity;
  /** The next sync fails. */
  failNextSync = false;
  failNextCheckpoint = false;
  /** Longest time that one operation takes. */
  latencyMsMax = 2;
  /** Off: a sync does nothing; the negative control. */
  keepsItsWord = true;

  constructor(world: World, faults: FaultCounts) {
    this.#world = world;
    this.faults = faults;
  }

  count(kind: FaultKind): void {
    this.faults[kind] = (this.faults[kind] ?? 0) + 1;
  }

  open(path: string, options: { create: boolean; truncate: boolean; synced?: boolean }): number {
    let inode = this.names.get(path);
    if (inode === undefined) {
      if (!options.create) throw new DiskError("ENOENT");
      inode = new Inode();
      this.names.set(path, inode);
    } else if (options.truncate) inode.truncate(0);
    const fd = this.#nextFd++;
    this.#open.set(fd, { inode, path, synced: options.synced === true });
    return fd;
  }

  close(fd: number): void {
    if (!this.#open.delete(fd)) throw new DiskError("EBADF");
  }

  inode(fd: number): Inode {
    const open = this.#open.get(fd);
    if (open === undefined) throw new DiskError("EBADF");
    return open.inode;
  }

  pathOf(fd: number): string {
    return this.#open.get(fd)!.path;
  }

  write(fd: number, bytes: Uint8Array, offset: number): number {
    const written = this.#write(fd, bytes, offset);
    if (this.#open.get(fd)!.synced) this.sync(fd);
    return written;
  }

  #write(fd: number, bytes: Uint8Array, offset: number): number {
    const inode = this.inode(fd);
    const growth = Math.max(0, offset + bytes.length - inode.size);
    if (growth > this.freeBytes) {
      // A full disk takes what fits.
      const fits = bytes.length - growth + this.freeBytes;
      this.count("disk_full");
      if (fits <= 0) throw new DiskError("ENOSPC");
      this.freeBytes = 0;
      inode.write(offset, bytes.subarray(0, fits));
      return fits;
    }
    this.freeBytes -= growth;
    inode.write(offset, bytes);
    return bytes.length;
  }

  truncate(fd: number, size: number): void {
    const inode = this.inode(fd);
    this.freeBytes += Math.max(0, inode.size - size);
    inode.truncate(size);
  }

  sync(fd: number): void {
    const inode = this.inode(fd);
    if (inode.isFolder) return this.syncFolder(this.pathOf(fd));
    if (this.failNextSync) {
      this.failNextSync = false;
      this.count("failed_sync");
      for (const { offset, bytes } of inode.unsynced) {
        if (bytes !== undefined) inode.limbo.push({ from: offset, to: offset + bytes.length });
      }
      inode.unsynced = [];
      throw new DiskError("EIO");
    }
    if (!this.keepsItsWord) return;
    inode.durable = inode.bytes.slice(0, inode.size);
    // What lies in limbo is in memory only, until it is written again.
    for (const { offset, bytes } of inode.unsynced) {
      inode.limbo = without(inode.limbo, { from: offset, to: bytes === undefined ? Infinity : offset + bytes.length });
    }
    for (const { from, to } of inode.limbo)
      inode.durable.fill(0, from, Math.max(from, Math.min(to, inode.durable.length)));
    inode.unsynced = [];
  }

  syncFolder(folder: string): void {
    if (!this.keepsItsWord) return;
    for (const path of [...this.durableNames.keys()]) {
      if (parentOf(path) === folder && !this.names.has(path)) this.durableNames.delete(path);
    }
    for (const [path, inode] of this.names) if (parentOf(path) === folder) this.durableNames.set(path, inode);
  }

  rename(from: string, to: string): void {
    const inode = this.names.get(from);
    if (inode === undefined) throw new DiskError("ENOENT");
    this.names.delete(from);
    this.names.set(to, inode);
  }

  remove(path: string): void {
    const inode = this.names.get(path);
    if (inode !== undefined) this.freeBytes += inode.size;
    this.names.delete(path);
  }

  /** The folder and all in it; state files go with it at once, as their removal is only ever followed by a rebuild. */
  removeTree(path: string): void {
    for (const name of [...this.names.keys()]) if (name === path || name.startsWith(`${path}/`)) this.remove(name);
    for (const name of [...this.states.keys()]) if (name.startsWith(`${path}/`)) this.states.delete(name);
  }

  makeFolder(path: string): void {
    if (this.names.has(path)) return;
    const parent = parentOf(path);
    if (parent !== "/" && parent !== "") this.makeFolder(parent);
    const inode = new Inode();
    inode.isFolder = true;
    this.names.set(path, inode);
    this.durableNames.set(path, inode);
  }

  list(folder: string): string[] {
    if (!this.names.has(folder)) throw new DiskError("ENOENT");
    return [...this.names.keys()]
      .filter((path) => parentOf(path) === folder)
      .map((path) => path.slice(folder.length + 1));
  }

  /** Bytes on their way: begun by a call that has not come back. Returns how to end it. */
  begin(fd: number, bytes: Uint8Array, offset: number): () => void {
    const write = { inode: this.inode(fd), offset, bytes: bytes.slice() };
    this.#underWay.add(write);
    return () => this.#underWay.delete(write);
  }

  /** The process is gone: its descriptors are closed, the system keeps what it was given and may finish what was begun. */
  endProcess(): void {
    for (const { inode, offset, bytes } of this.#underWay) {
      if (this.#world.rng.between(0, 1) === 0 && bytes.length <= this.freeBytes) inode.write(offset, bytes);
    }
    this.#underWay.clear();
    this.#open.clear();
  }

  /** The power fails: of what was not synced, any part may be there. */
  cutPower(): void {
    for (const { inode, offset, bytes } of this.#underWay)
      if (bytes.length <= this.freeBytes) inode.write(offset, bytes);
    this.#underWay.clear();
    this.#open.clear();
    const { rng } = this.#world;
    for (const path of new Set([...this.names.keys(), ...this.durableNames.keys()])) {
      const [now, durable] = [this.names.get(path), this.durableNames.get(path)];
      if (now === durable) continue;
      const kept = rng.between(0, 1) === 0 ? durable : now;
      if (kept !== now) this.count("lost_name");
      if (kept === undefined) this.names.delete(path);
      else this.names.set(path, kept);
    }
    this.durableNames = new Map(this.names);
    for (const inode of new Set(this.names.values())) {
      if (inode.isFolder || (inode.unsynced.length === 0 && inode.limbo.length === 0)) continue;
      const unsynced = inode.unsynced;
      inode.bytes = inode.durable.slice();
      inode.size = inode.durable.length;
      const mode = rng.between(0, 3);
      for (const { offset, bytes } of unsynced) {
        if (mode === 0) continue; // nothing of it
        if (bytes === undefined) {
          if (mode === 1 || rng.between(0, 1) === 0) inode.resize(offset);
          continue;
        }
        if (mode === 1) inode.apply(offset, bytes);
        else this.#applySectors(inode, offset, bytes);
      }
      inode.unsynced = [];
      inode.limbo = [];
      inode.durable = inode.bytes.slice(0, inode.size);
    }
  }

  #applySectors(inode: Inode, offset: number, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const end = Math.min(bytes.length, (Math.floor((offset + at) / SECTOR_BYTES) + 1) * SECTOR_BYTES - offset);
      if (this.#world.rng.between(0, 1) === 0) inode.apply(offset + at, bytes.subarray(at, end));
      else this.count("torn_write");
      at = end;
    }
  }

  /** A byte of a stored row rots. False where there is none. */
  flipStateByte(): boolean {
    const rows = [...this.states.values()].flatMap((state) => [...state].filter(([, bytes]) => bytes.length > 0));
    if (rows.length === 0) return false;
    const [, bytes] = this.#world.pick(rows);
    bytes[this.#world.rng.between(0, bytes.length - 1)]! ^= 1 << this.#world.rng.between(0, 7);
    this.count("flipped_state_byte");
    return true;
  }
}

/** What is left of `ranges` beside `gone`. */
function without(ranges: readonly Range[], gone: Range): Range[] {
  return ranges
    .flatMap(({ from, to }) => [
      { from, to: Math.min(to, gone.from) },
      { from: Math.max(from, gone.to), to },
    ])
    .filter(({ from, to }) => from < to);
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}
