// Sequential rules (Ludewig & Jannach 2018, "SR"): what came k steps later counts 1/k.
import { DirtySlots, slotTable } from "../wire/dirty-slots.ts";
import { addScore, createCandidateList, type CandidateList } from "./candidates.ts";
import type { DecayClock } from "./decay-clock.ts";
import type { ItemIndex } from "./item-index.ts";
import type { ScoringModel } from "./model.ts";
import { createNeighbourRows, NEIGHBOURS_MAX } from "./neighbour-rows.ts";
import { rowWriter } from "./row-bytes.ts";

const QUERY_FADE = 0.5;

export interface RulesOptions {
  readonly name: string;
  /** Items of the session, newest first, that a step is counted after; k-th counts 1/k. */
  readonly stepsBack: number;
  /** Items of the session, newest first, whose rules propose. */
  readonly queryItems: number;
  /** Entries of a row; read at every use. */
  readonly rowMax: number;
}

/** "What came next": all rules of a session; the very next step alone; the same lately. */
export const RULES = { name: "rules", stepsBack: 6, queryItems: 3 } as const; // 10 back: better on long trails alone.
export const NEXT = { name: "next", stepsBack: 1, queryItems: 1 } as const;
export const RECENT = { name: "recent", stepsBack: 3, queryItems: 3 } as const;

export interface Rules extends ScoringModel {
  /** What came after one item, with its decayed count, in no order; `into` has room for NEIGHBOURS_MAX. */
  neighbours(slot: number, nowMs: number, into: CandidateList): void;
}

export function createRules(items: ItemIndex, clock: DecayClock, options: RulesOptions): Rules {
  const { name, stepsBack, queryItems } = options;
  const rows = createNeighbourRows(items, options);
  const near = createCandidateList(NEIGHBOURS_MAX);
  const dirty = new DirtySlots((slot) => {
    if (rows.arena.lengthOf(slot) === 0) return null;
    const out = rowWriter();
    rows.write(slot, out);
    return out.bytes();
  });
  const neighbours = (row: number, nowMs: number, into: CandidateList): void => {
    into.length = 0;
    if (rows.arena.lengthOf(row) === 0) return;
    const instant = clock.at(nowMs);
    rows.read(row, rows.scaleOf(row, instant) / instant.fraction, into);
  };

  return {
    name,
    neighbours,
    learn(reveal, { trail, trailLength }) {
      const instant = clock.at(reveal.timeMs);
      for (let k = 0; k < trailLength && k < stepsBack; k++) {
        const from = trail[k]!;
        if (from === reveal.slot) continue;
        dirty.touch(from);
        rows.add(from, reveal.ref, reveal.weight / (k + 1), instant);
      }
    },
    turnAway(reveal, { trail, trailLength }) {
      const instant = clock.at(reveal.timeMs);
      for (let k = 0; k < trailLength && k < stepsBack; k++) {
        if (trail[k] === reveal.slot) continue;
        dirty.touch(trail[k]!);
        rows.lower(trail[k]!, reveal.ref, reveal.weight / (k + 1), instant);
      }
    },
    score({ context, contextLength, nowMs }, sheet) {
      let fade = 1;
      for (let k = 0; k < contextLength && k < queryItems; k++, fade *= QUERY_FADE) {
        neighbours(context[k]!, nowMs, near);
        for (let i = 0; i < near.length; i++) addScore(sheet, near.slots[i]!, near.scores[i]! * fade);
      }
    },
    because: ({ context, contextLength }, slot) =>
      rows.because(context.subarray(0, Math.min(contextLength, queryItems)), items.refOf(slot)),
    forget(slot) {
      dirty.touch(slot);
      rows.clear(slot);
    },
    tables: [slotTable(name, dirty, (slot, bytes) => rows.load(slot, bytes))],
  };
}
