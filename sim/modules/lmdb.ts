// `lmdb` in the simulation: atomic, durable transactions over ordered rows. The real one is proven on real disks by the
// fault rig; here it is taken at its word, except that it may find no room.
import { current } from "../world.ts";
import { DiskError } from "../disk.ts";

interface Range {
  start: string;
  end: string;
  reverse?: boolean;
  limit?: number;
}

export function open({ path }: { path: string }) {
  const { disk } = current;
  const rows = (): Map<string, Uint8Array> => {
    let found = disk.states.get(path);
    if (found === undefined) disk.states.set(path, (found = new Map()));
    return found;
  };
  rows();
  let changes: Map<string, Uint8Array | null> | undefined;
  return {
    get: (key: string) => rows().get(key),
    *getRange({ start, end, reverse = false, limit = Infinity }: Range) {
      const inRange = reverse
        ? (key: string): boolean => key <= start && key > end
        : (key: string): boolean => key >= start && key < end;
      const keys = [...rows().keys()].filter(inRange).sort();
      if (reverse) keys.reverse();
      for (const key of keys.slice(0, limit)) yield { key, value: rows().get(key)! };
    },
    transactionSync(work: () => void) {
      changes = new Map();
      if (disk.failNextCheckpoint) {
        disk.failNextCheckpoint = false;
        disk.count("checkpoint_failed");
        throw new DiskError("ENOSPC");
      }
      work();
      for (const [key, bytes] of changes) {
        if (bytes === null) rows().delete(key);
        else rows().set(key, bytes);
      }
      changes = undefined;
    },
    // A copy, as LMDB makes one: `slice` of a Buffer is none.
    putSync: (key: string, bytes: Uint8Array) => void changes!.set(key, new Uint8Array(bytes)),
    removeSync: (key: string) => void changes!.set(key, null),
    resetReadTxn() {},
    async close() {},
  };
}
