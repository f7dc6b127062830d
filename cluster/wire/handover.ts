// A value of `handover`: what an anonymous key leaves to its user. The first one of a key is followed by
// the event ids that the key knows, which no rule needs: the job appends them (cluster/flink, Handovers.java).
import { ByteReader } from "../../core/wire/reader.ts";
import { ByteWriter } from "../../core/wire/writer.ts";

/** In format 1, who left no person counts as shared; format 2 is of an unshared key that had none. */
const FORMAT = 1;
const NOBODY_YET = 2;

export interface Handover {
  anonKey: string;
  userKey: string;
  /** Log time of the link marker: with `anonKey` it names this handover. */
  linkedAtMs: number;
  /** Program version that the person is kept for. */
  programVersion: number;
  /** The key belonged to another user before (a shared device): nothing of it becomes this one's. */
  isShared: boolean;
  /** Empty where there is nothing to merge: the key had no person, or is shared. */
  person: Uint8Array;
}

const writer = new ByteWriter();

export function encodeHandover(value: Handover): Uint8Array {
  writer.clear();
  writer.byte(value.person.length === 0 && !value.isShared ? NOBODY_YET : FORMAT);
  writer.string(value.anonKey);
  writer.string(value.userKey);
  writer.varint(value.linkedAtMs);
  writer.varint(value.programVersion);
  writer.bytes(value.person);
  return writer.take();
}

/** `person` is a view into `bytes`. Throws CorruptBytesError on what `encodeHandover` did not write. */
export function decodeHandover(bytes: Uint8Array): Handover {
  const reader = new ByteReader(bytes);
  const format = reader.byte();
  if (format !== FORMAT && format !== NOBODY_YET)
    throw reader.corrupt(`handover format ${format}, this release reads up to ${NOBODY_YET}`);
  const value = {
    anonKey: reader.string(),
    userKey: reader.string(),
    linkedAtMs: reader.varint(),
    programVersion: reader.varint(),
    person: reader.bytes(),
  };
  reader.end();
  return { ...value, isShared: format === FORMAT && value.person.length === 0 };
}
