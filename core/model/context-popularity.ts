// Popularity by country and by device, for visitors of whom nothing else is known.
import { DirtySlots, slotTable } from "../wire/dirty-slots.ts";
import { addScore } from "./candidates.ts";
import { createContextRows } from "./context-rows.ts";
import type { DecayClock } from "./decay-clock.ts";
import type { ItemIndex } from "./item-index.ts";
import type { Model } from "./model.ts";
import { rowReader, rowWriter } from "./row-bytes.ts";

export const CONTEXTS_MAX = 512;
/** Below it the crowd of one context is too small to say more than the crowd of all. */
export const SUPPORT_MIN = 50;

export function createContextPopularity(items: ItemIndex, clock: DecayClock): Model {
  const rows = createContextRows();
  const numbers = new Map<string, number>();
  const names: string[] = [];
  const supports: number[] = [];

  const dirty = new DirtySlots((row) => {
    const name = names[row];
    if (name === undefined) return null;
    const out = rowWriter(64);
    out.u8(1);
    out.text(name);
    out.f64(supports[row]!);
    if (supports[row]! > 0) for (const byte of rows.encode(row)) out.u8(byte);
    return out.bytes();
  });

  const numberOf = (name: string): number => {
    let number = numbers.get(name);
    if (number === undefined) {
      if (names.length >= CONTEXTS_MAX) return -1;
      number = names.length;
      dirty.touch(number);
      numbers.set(name, number);
      names.push(name);
      supports.push(0);
    }
    return number;
  };

  const forEachContext = (country: string | undefined, device: string | undefined, visit: (name: string) => void): void => {
    if (country !== undefined) visit(`country:${country}`);
    if (device !== undefined) visit(`device:${device}`);
  };

  return {
    name: "context",
    learn(reveal, { country, device }) {
      if (country === undefined && device === undefined) return;
      const instant = clock.at(reveal.timeMs);
      forEachContext(country, device, (name) => {
        const row = numberOf(name);
        if (row < 0) return;
        dirty.touch(row);
        supports[row]!++;
        rows.add(row, reveal.ref, reveal.weight, instant);
      });
    },
    score({ country, device, nowMs }, sheet) {
      if (country === undefined && device === undefined) return;
      const instant = clock.at(nowMs);
      forEachContext(country, device, (name) => {
        const row = numbers.get(name);
        if (row === undefined || supports[row]! < SUPPORT_MIN) return;
        let all = 0;
        rows.forEach(row, (_ref, weight) => void (all += weight));
        if (!(all > 0) || rows.scaleOf(row, instant) === 0) return;
        rows.forEach(row, (ref, weight) => {
          const slot = items.resolve(ref);
          if (slot >= 0) addScore(sheet, slot, weight / all);
        });
      });
    },
    because: () => [],
    forget() {},
    tables: [
      slotTable("contexts", dirty, (row, bytes) => {
        const input = rowReader(bytes);
        input.version(1);
        const name = input.text();
        numbers.set(name, row);
        names[row] = name;
        supports[row] = input.f64();
        if (input.left() > 0) rows.load(row, bytes.subarray(bytes.length - input.left()));
      }),
    ],
  };
}
