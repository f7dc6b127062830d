// Popularity by what surrounds the visitor: country, device and weather, and, on a clock of its own that outlasts days,
// the part of the day. For visitors of whom nothing else is known, and one more voice for all others.
import { DirtySlots, slotTable } from "../wire/dirty-slots.ts";
import { addScore, type ScoreSheet } from "./candidates.ts";
import { createContextRows } from "./context-rows.ts";
import type { DecayClock } from "./decay-clock.ts";
import type { ItemIndex } from "./item-index.ts";
import type { Reveal, ScoringModel } from "./model.ts";
import { rowReader, rowWriter } from "./row-bytes.ts";

export const CONTEXTS_MAX = 512;

export type ContextKind = "country" | "device" | "weather" | "daypart";
/** Below it the crowd of one context is too small to say more than the crowd of all. */
export const SUPPORT_MIN = 50;

export interface ContextOptions {
  readonly name: string;
  readonly table: string;
  readonly kinds: readonly ContextKind[];
}

export function createContextPopularity(items: ItemIndex, clock: DecayClock, options: ContextOptions): ScoringModel {
  const { name: modelName, table, kinds } = options;
  const rows = createContextRows();
  // By value alone, so that an event joins no strings.
  const numbersOf = kinds.map(() => new Map<string, number>());
  const names: string[] = [];
  const supports: number[] = [];

  const dirty = new DirtySlots((row) => {
    const name = names[row];
    if (name === undefined) return null;
    const out = rowWriter();
    out.u8(1);
    out.text(name);
    out.f64(supports[row]!);
    if (supports[row]! > 0) rows.write(row, out);
    return out.bytes();
  });

  const numberOf = (kind: number, value: string): number => {
    let number = numbersOf[kind]!.get(value);
    if (number === undefined) {
      if (names.length >= CONTEXTS_MAX) return -1;
      number = names.length;
      dirty.touch(number);
      numbersOf[kind]!.set(value, number);
      names.push(`${kinds[kind]!}:${value}`);
      supports.push(0);
    }
    return number;
  };

  const count = (row: number, { ref, weight, timeMs }: Reveal): void => {
    if (row < 0) return;
    dirty.touch(row);
    supports[row]!++;
    rows.add(row, ref, weight, clock.at(timeMs));
  };

  const propose = (row: number | undefined, nowMs: number, sheet: ScoreSheet): void => {
    if (row === undefined || supports[row]! < SUPPORT_MIN) return;
    let all = 0;
    rows.forEach(row, (_ref, weight) => void (all += weight));
    if (!(all > 0) || rows.scaleOf(row, clock.at(nowMs)) === 0) return;
    rows.forEach(row, (ref, weight) => {
      const slot = items.resolve(ref);
      if (slot >= 0) addScore(sheet, slot, weight / all);
    });
  };

  return {
    name: modelName,
    learn(reveal, situation) {
      for (let kind = 0; kind < kinds.length; kind++) {
        const value = situation[kinds[kind]!];
        if (value !== undefined) count(numberOf(kind, value), reveal);
      }
    },
    score(situation, sheet) {
      for (let kind = 0; kind < kinds.length; kind++) {
        const value = situation[kinds[kind]!];
        if (value !== undefined) propose(numbersOf[kind]!.get(value), situation.nowMs, sheet);
      }
    },
    because: () => [],
    forget() {},
    tables: [
      slotTable(table, dirty, (row, bytes) => {
        const input = rowReader(bytes);
        input.version(1);
        const name = input.text();
        const kind = kinds.findIndex((prefix) => name.startsWith(`${prefix}:`));
        numbersOf[kind]!.set(name.slice(kinds[kind]!.length + 1), row);
        names[row] = name;
        supports[row] = input.f64();
        if (input.left() > 0) rows.load(row, bytes.subarray(bytes.length - input.left()));
      }),
    ],
  };
}
