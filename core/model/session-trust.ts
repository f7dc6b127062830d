// How much each session of the ring is trusted as a neighbour: that of its least trusted step. Full trust is not stored.
import { DirtySlots, slotTable } from "../wire/dirty-slots.ts";
import type { WholeTable } from "../wire/dirty-rows.ts";
import { rowReader, rowWriter } from "./row-bytes.ts";
import { SESSIONS_MAX } from "./sessions.ts";

const ROW = 256;
const FULL = 255;

export interface SessionTrust {
  /** A session begins: what its place in the ring held is over. */
  begin(number: number): void;
  /** A step of the session was trusted so far, 0–1. */
  note(number: number, trust: number): void;
  of(number: number): number;
  readonly table: WholeTable;
}

export function createSessionTrust(): SessionTrust {
  let doubts = new Uint8Array(0); // FULL − trust, so that what was never written is trusted.
  const rowOf = (number: number): number => number & (SESSIONS_MAX - 1);
  const reserve = (row: number): void => {
    if (row < doubts.length) return;
    const grown = new Uint8Array(Math.max(2 * doubts.length, (Math.floor(row / ROW) + 1) * ROW));
    grown.set(doubts);
    doubts = grown;
  };
  const dirty = new DirtySlots((row) => {
    const out = rowWriter();
    out.u8(1);
    for (let i = row * ROW; i < (row + 1) * ROW; i++) out.u8(doubts[i]!);
    return out.bytes();
  });
  const set = (row: number, doubt: number): void => {
    reserve(row);
    dirty.touch(Math.floor(row / ROW));
    doubts[row] = doubt;
  };
  return {
    begin(number) {
      const row = rowOf(number);
      if (row < doubts.length && doubts[row] !== 0) set(row, 0);
    },
    note(number, trust) {
      const row = rowOf(number);
      const doubt = FULL - Math.round(trust * FULL);
      if (doubt > (doubts[row] ?? 0)) set(row, doubt);
    },
    of: (number) => 1 - (doubts[rowOf(number)] ?? 0) / FULL,
    table: slotTable("session_trust", dirty, (row, bytes) => {
      const input = rowReader(bytes);
      input.version(1);
      reserve((row + 1) * ROW - 1);
      for (let i = row * ROW; input.left() > 0; i++) doubts[i] = input.u8();
    }),
  };
}
