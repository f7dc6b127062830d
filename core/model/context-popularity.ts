// Popularity by what surrounds the visitor: country, device and weather, and, on a clock of its own that outlasts days,
// the part of the day. For visitors of whom nothing else is known, and one more voice for all others. Whoever is new is
// spoken for by people like him too: those of his language, his age group, his gender (facets.ts).
import { DirtySlots, slotTable } from "../wire/dirty-slots.ts";
import { addScore, type ScoreSheet } from "./candidates.ts";
import { CONTEXT_ITEMS_MAX, createContextRows } from "./context-rows.ts";
import type { Crowd } from "./crowd.ts";
import type { DecayClock } from "./decay-clock.ts";
import type { ItemIndex } from "./item-index.ts";
import { isDemographic } from "./facets.ts";
import type { Reveal, ScoringModel } from "./model.ts";
import { rowReader, rowWriter } from "./row-bytes.ts";
import type { Situation } from "./situation.ts";

export const CONTEXTS_MAX = 512;

export const CONTEXT_KINDS = ["country", "device", "weather", "daypart"] as const;
export type ContextKind = (typeof CONTEXT_KINDS)[number];
export type CrowdKind = ContextKind | "facet";
/** Below it the crowd of one context is too small to say more than the crowd of all. */
const SUPPORT_MIN = 50;

export interface ContextOptions {
  readonly name: string;
  readonly table: string;
  readonly kinds: readonly ContextKind[];
  /** Crowds of people alike are kept, too. */
  readonly facets?: true;
  /** Says what of a crowd others may be told. */
  readonly crowd: Pick<Crowd, "keyOfCrowd" | "isKnownOf">;
}

/** Of CONTEXTS_MAX; the rest is kept for the kinds. */
const FACETS_MAX = 256;

export interface ContextPopularity extends ScoringModel {
  /** Contexts of the situation that are large enough to speak and know the slot, those that like it most first. */
  crowdsOf(situation: Situation, slot: number): string[];
  /** Whether a crowd of people like the visitor speaks for him, not only of his place and time. */
  isDemographic(situation: Situation): boolean;
}

export function createContextPopularity(
  items: ItemIndex,
  clock: DecayClock,
  options: ContextOptions,
): ContextPopularity {
  const { name: modelName, table, kinds, facets: hasFacets = false, crowd } = options;
  const rows = createContextRows();
  // By value alone, so that an event joins no strings.
  const numbersOf = kinds.map(() => new Map<string, number>());
  const facetRows = new Map<string, number>();
  const held = { refs: new Int32Array(CONTEXT_ITEMS_MAX), weights: new Float64Array(CONTEXT_ITEMS_MAX), length: 0 };
  const names: string[] = [];
  /** Of each row's crowd. */
  const keys: number[] = [];
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

  const start = (kind: CrowdKind, value: string): number => {
    dirty.touch(names.length);
    names.push(kind === "facet" ? value : `${kind}:${value}`);
    keys.push(crowd.keyOfCrowd(kind, value));
    supports.push(0);
    return names.length - 1;
  };

  const numberOf = (kind: number, value: string): number => {
    let number = numbersOf[kind]!.get(value);
    if (number === undefined) {
      if (names.length >= CONTEXTS_MAX) return -1;
      numbersOf[kind]!.set(value, (number = start(kinds[kind]!, value)));
    }
    return number;
  };

  const facetNumberOf = (facet: string): number => {
    let number = facetRows.get(facet);
    if (number === undefined) {
      if (names.length >= CONTEXTS_MAX || facetRows.size >= FACETS_MAX) return -1;
      facetRows.set(facet, (number = start("facet", facet)));
    }
    return number;
  };

  const count = (row: number, { ref, weight, timeMs }: Reveal): void => {
    if (row < 0) return;
    dirty.touch(row);
    supports[row]!++;
    rows.add(row, ref, weight, clock.at(timeMs));
  };

  const lower = (row: number | undefined, { ref, weight, timeMs }: Reveal): void => {
    if (row === undefined) return;
    dirty.touch(row);
    rows.lower(row, ref, weight, clock.at(timeMs));
  };

  const speaking = (row: number | undefined): row is number => row !== undefined && supports[row]! >= SUPPORT_MIN;

  /**
   * Facets that speak: only where nothing is known of the visitor's taste, and language only where no other crowd of
   * people like him does. Added to theirs it is half of everybody, and drowns them.
   */
  const facetsOf = ({ facets, trailLength, pastLength }: Situation): number[] => {
    if (!hasFacets || trailLength + pastLength > 0) return [];
    const people: number[] = [];
    const others: number[] = [];
    for (const facet of facets) {
      const row = facetRows.get(facet);
      if (speaking(row)) (isDemographic(facet) ? people : others).push(row);
    }
    return people.length > 0 ? people : others;
  };

  /** Fills `held` with what the situation's visitor may be told of a crowd; the sum of the weights. */
  const readKnown = (row: number, situation: Situation): number => {
    const { refs, weights } = held;
    rows.read(row, held);
    let all = 0;
    for (let i = 0; i < held.length; i++) {
      const slot = items.resolve(refs[i]!);
      if (slot >= 0 && !crowd.isKnownOf(keys[row]!, situation, slot)) weights[i] = 0;
      all += weights[i]!;
    }
    return all;
  };

  const propose = (row: number | undefined, situation: Situation, sheet: ScoreSheet): void => {
    if (!speaking(row)) return;
    const { refs, weights } = held;
    const all = readKnown(row, situation);
    if (!(all > 0) || rows.scaleOf(row, clock.at(situation.nowMs)) === 0) return;
    for (let i = 0; i < held.length; i++) {
      const slot = items.resolve(refs[i]!);
      if (slot >= 0 && weights[i]! > 0) addScore(sheet, slot, weights[i]! / all);
    }
  };

  return {
    name: modelName,
    learn(reveal, situation) {
      for (let kind = 0; kind < kinds.length; kind++) {
        const value = situation[kinds[kind]!];
        if (value !== undefined) count(numberOf(kind, value), reveal);
      }
      if (hasFacets) for (const facet of situation.facets) count(facetNumberOf(facet), reveal);
    },
    turnAway(reveal, situation) {
      for (let kind = 0; kind < kinds.length; kind++) lower(numbersOf[kind]!.get(situation[kinds[kind]!] ?? ""), reveal);
      if (hasFacets) for (const facet of situation.facets) lower(facetRows.get(facet), reveal);
    },
    score(situation, sheet) {
      for (let kind = 0; kind < kinds.length; kind++) {
        const value = situation[kinds[kind]!];
        if (value !== undefined) propose(numbersOf[kind]!.get(value), situation, sheet);
      }
      for (const row of facetsOf(situation)) propose(row, situation, sheet);
    },
    crowdsOf(situation, slot) {
      const ofKinds = kinds.map((kind, k) => numbersOf[k]!.get(situation[kind] ?? ""));
      const found: { name: string; share: number }[] = [];
      for (const row of [...ofKinds, ...facetsOf(situation)].filter(speaking)) {
        // Asked for each item of a list: what the rest of the crowd's items may tell is not looked up.
        if (!crowd.isKnownOf(keys[row]!, situation, slot)) continue;
        let all = 0;
        let its = 0;
        rows.read(row, held);
        for (let i = 0; i < held.length; i++) {
          all += held.weights[i]!;
          if (items.resolve(held.refs[i]!) === slot) its += held.weights[i]!;
        }
        if (its > 0) found.push({ name: names[row]!, share: its / all });
      }
      return found.sort((a, b) => b.share - a.share).map(({ name }) => name);
    },
    isDemographic: (situation) => facetsOf(situation).some((row) => isDemographic(names[row]!)),
    because: () => [],
    forget() {},
    tables: [
      slotTable(table, dirty, (row, bytes) => {
        const input = rowReader(bytes);
        input.version(1);
        const name = input.text();
        const kind = kinds.findIndex((prefix) => name.startsWith(`${prefix}:`));
        const value = kind < 0 ? name : name.slice(kinds[kind]!.length + 1);
        (kind < 0 ? facetRows : numbersOf[kind]!).set(value, row);
        keys[row] = crowd.keyOfCrowd(kinds[kind] ?? "facet", value);
        names[row] = name;
        supports[row] = input.f64();
        if (input.left() > 0) rows.load(row, bytes.subarray(bytes.length - input.left()));
      }),
    ],
  };
}
