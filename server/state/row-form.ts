// How rows lie in the state file: under which names, and with what around their bytes. Reader and writer share one.
import type { KeyObject } from "node:crypto";
import { crc32 } from "node:zlib";
import { closedRows } from "./closed-rows.ts";

export interface Row {
  readonly key: string;
  readonly bytes: Uint8Array;
}

export interface RowForm {
  /** The row's name in the file; rows of a table are listed in the order of their names. */
  nameOf(key: string): string;
  /** Of a row that lies with others in one stored value: the name of that; undefined where it has one of its own. */
  groupOf(key: string): string | undefined;
  /** What is stored of a row; good until the next call. */
  stored(key: string, bytes: Uint8Array): Uint8Array;
  /** The row of that name; undefined where it is not what was stored there. */
  read(name: string, stored: Uint8Array): Row | undefined;
}

/** Open, or closed by `key`; `eachAlone`: as the first release closed them, none in groups. */
export function rowForm({ key, eachAlone = false }: { key?: KeyObject | undefined; eachAlone?: boolean | undefined }): RowForm {
  if (key === undefined) return openRows();
  const closed = closedRows(key);
  return eachAlone ? { ...closed, groupOf: () => undefined } : closed;
}

const CHECKSUM_BYTES = 4;
const SCRATCH_BYTES = 16 * 1024;

/** Keys as they are; [crc32 u32][bytes]. LMDB returns rotten bytes silently. */
function openRows(): RowForm {
  let scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  return {
    nameOf: (key) => key,
    groupOf: () => undefined,
    stored(_key, bytes) {
      const size = CHECKSUM_BYTES + bytes.length;
      if (scratch.length < size) scratch = Buffer.allocUnsafeSlow(2 * size);
      scratch.writeUInt32LE(crc32(bytes), 0);
      scratch.set(bytes, CHECKSUM_BYTES);
      return scratch.subarray(0, size);
    },
    read(key, stored) {
      if (stored.length < CHECKSUM_BYTES) return undefined;
      const bytes = stored.subarray(CHECKSUM_BYTES);
      const checksum = new DataView(stored.buffer, stored.byteOffset, CHECKSUM_BYTES).getUint32(0, true);
      return checksum === crc32(bytes) ? { key, bytes } : undefined;
    },
  };
}
