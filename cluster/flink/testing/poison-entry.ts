// The operator with three faults that the real one does not have: an item called `poison` throws, one called `endless`
// never comes back, one called `hoard` takes memory without end. Tests of quarantine, watchdog and V8's limit run it.
import { ByteReader } from "../../../core/wire/reader.ts";
import { OPERATION, readTurn } from "../../operator/frame.ts";
import * as operator from "../../operator/main.ts";
import { decodeClusterRecord } from "../../wire/record.ts";

export { addErasure, addProgram, addProject, setAges, take } from "../../operator/main.ts";

const HOARDED = 10_000;
let input = new Uint8Array(0);

export function attach(inputBuffer: ArrayBuffer, outputBuffer: ArrayBuffer): void {
  input = new Uint8Array(inputBuffer);
  operator.attach(inputBuffer, outputBuffer);
}

export function process(length: number): number {
  const reader = new ByteReader(input.subarray(0, length));
  const turns = reader.varint();
  for (let i = 0; i < turns; i++) {
    for (const { kind, value } of readTurn(reader).operations) {
      if (kind !== OPERATION.record) continue;
      const record = decodeClusterRecord(value);
      const item = record.kind === "event" ? record.event.item_id : undefined;
      if (item === "poison") throw new Error("poison");
      while (item === "endless");
      for (const hoard = []; item === "hoard"; ) hoard.push(new Array(HOARDED).fill(0.5));
    }
  }
  return operator.process(length);
}
