// Popularity by country and by device, for visitors of whom nothing else is known.
import { DirtySlots, slotTable } from "../wire/dirty-slots.ts";
import { addScore, type ScoreSheet } from "./candidates.ts";
import { createContextRows } from "./context-rows.ts";
import type { DecayClock } from "./decay-clock.ts";
import type { ItemIndex } from "./item-index.ts";
import type { Model, Reveal } from "./model.ts";
import { rowReader, rowWriter } from "./row-bytes.ts";

export const CONTEXTS_MAX = 512;
const COUNTRY = "country:";
const DEVICE = "device:";
/** Below it the crowd of one context is too small to say more than the crowd of all. */
export const SUPPORT_MIN = 50;

export function createContextPopularity(items: ItemIndex, clock: DecayClock): Model {
  const rows = createContextRows();
  // By value alone, so that an event joins no strings.
  const countries = new Map<string, number>();
  const devices = new Map<string, number>();
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

  const numberOf = (numbers: Map<string, number>, value: string): number => {
    let number = numbers.get(value);
    if (number === undefined) {
      if (names.length >= CONTEXTS_MAX) return -1;
      number = names.length;
      dirty.touch(number);
      numbers.set(value, number);
      names.push(numbers === countries ? COUNTRY + value : DEVICE + value);
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
    name: "context",
    learn(reveal, { country, device }) {
      if (country !== undefined) count(numberOf(countries, country), reveal);
      if (device !== undefined) count(numberOf(devices, device), reveal);
    },
    score({ country, device, nowMs }, sheet) {
      if (country !== undefined) propose(countries.get(country), nowMs, sheet);
      if (device !== undefined) propose(devices.get(device), nowMs, sheet);
    },
    because: () => [],
    forget() {},
    tables: [
      slotTable("contexts", dirty, (row, bytes) => {
        const input = rowReader(bytes);
        input.version(1);
        const name = input.text();
        if (name.startsWith(COUNTRY)) countries.set(name.slice(COUNTRY.length), row);
        else devices.set(name.slice(DEVICE.length), row);
        names[row] = name;
        supports[row] = input.f64();
        if (input.left() > 0) rows.load(row, bytes.subarray(bytes.length - input.left()));
      }),
    ],
  };
}
