// A value of `handover`: what an anonymous key leaves to its user. The first one of a key is followed by
// the event ids that the key knows, which no rule needs: the job appends them (cluster/flink, Handovers.java).
import { ByteReader } from "../../core/wire/reader.ts";
import { ByteWriter } from "../../core/wire/writer.ts";

const FORMAT = 1;

export interface Handover {
  anonKey: string;
  userKey: string;
  /** Log time of the link marker: with `anonKey` it names this handover. */
  linkedAtMs: number;
  /** Program version that the person is kept for. */
  programVersion: number;
  /** Empty where there is nothing to merge: the key had no person, or belonged to another user before. */
  person: Uint8Array;
}

const writer = new ByteWriter();

export function encodeHandover(value: Handover): Uint8Array {
  writer.clear();
  writer.byte(FORMAT);
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
  if (format !== FORMAT) throw reader.corrupt(`handover format ${format}, this release reads ${FORMAT}`);
  const value = {
    anonKey: reader.string(),
    userKey: reader.string(),
    linkedAtMs: reader.varint(),
    programVersion: reader.varint(),
    person: reader.bytes(),
  };
  reader.end();
  return value;
}
