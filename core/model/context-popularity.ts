// Popularity by what surrounds the visitor: country, device and weather, and, on a clock of its own that outlasts days,
// the part of the day. For visitors of whom nothing else is known, and one more voice for all others. Whoever is new is
// spoken for by people like him too: those of his language, his age group, his gender (facets.ts).
import { DirtySlots, slotTable } from "../wire/dirty-slots.ts";
import { addScore, type ScoreSheet } from "./candidates.ts";
import { CONTEXT_ITEMS_MAX, createContextRows } from "./context-rows.ts";
import type { Crowd } from "./crowd.ts";
import type { DecayClock } from "./decay-clock.ts";
import type { ItemIndex } from "./item-index.ts";
import { CONTEXTS_MAX, type ContextKind, type CrowdKind, isDemographic } from "./facets.ts";
import type { Reveal, ScoringModel } from "./model.ts";
import { rowReader, rowWriter } from "./row-bytes.ts";
import type { Situation } from "./situation.ts";

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

  const placeOf = (name: string): { numbers: Map<string, number>; kind: CrowdKind; value: string } => {
    const kind = kinds.findIndex((prefix) => name.startsWith(`${prefix}:`));
    if (kind < 0) return { numbers: facetRows, kind: "facet", value: name };
    return { numbers: numbersOf[kind]!, kind: kinds[kind]!, value: name.slice(kinds[kind]!.length + 1) };
  };

  /** A row that none supports, of facets or of any; -1 where there is none. */
  const unsupported = (isOfFacets: boolean): number =>
    supports.findIndex((support, row) => support === 0 && (!isOfFacets || facetRows.has(names[row]!)));

  /**
   * A row whose context gives way, -1 where none does yet: who comes while all are taken lowers every support by one, so that
   * what one sender makes up is gone soon and what many bring stays (Misra and Gries 1982).
   */
  const takeOver = (isOfFacets: boolean): number => {
    let row = unsupported(isOfFacets);
    if (row < 0) {
      for (let other = 0; other < names.length; other++) {
        if (isOfFacets && !facetRows.has(names[other]!)) continue;
        dirty.touch(other);
        supports[other] = supports[other]! - 1;
        if (supports[other] === 0) rows.clear(other);
      }
      row = unsupported(isOfFacets);
    }
    if (row < 0) return -1;
    const { numbers, value } = placeOf(names[row]!);
    numbers.delete(value);
    return row;
  };

  const start = (kind: CrowdKind, value: string): number => {
    const isOfFacets = kind === "facet" && facetRows.size >= FACETS_MAX;
    const row = isOfFacets || names.length >= CONTEXTS_MAX ? takeOver(isOfFacets) : names.length;
    if (row < 0) return -1;
    dirty.touch(row);
    names[row] = kind === "facet" ? value : `${kind}:${value}`;
    keys[row] = crowd.keyOfCrowd(kind, value);
    supports[row] = 0;
    return row;
  };

  const numberIn = (numbers: Map<string, number>, kind: CrowdKind, value: string): number => {
    let number = numbers.get(value);
    if (number === undefined) {
      number = start(kind, value);
      if (number >= 0) numbers.set(value, number);
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
        if (value !== undefined) count(numberIn(numbersOf[kind]!, kinds[kind]!, value), reveal);
      }
      if (hasFacets) for (const facet of situation.facets) count(numberIn(facetRows, "facet", facet), reveal);
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
        const { numbers, kind, value } = placeOf(name);
        numbers.set(value, row);
        keys[row] = crowd.keyOfCrowd(kind, value);
        names[row] = name;
        supports[row] = input.f64();
        if (input.left() > 0) rows.load(row, bytes.subarray(bytes.length - input.left()));
      }),
    ],
  };
}
