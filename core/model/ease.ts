// EASE (Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019): item → item weights that best restore
// each person's items from his others, by ridge regression with nothing on the diagonal. Two changes: items of one
// person count together by exp(−distance / reach), so that what is near in time says more; and above a size each item
// is regressed on its nearest items alone, because the exact answer inverts a matrix of all items.
//
// Pure and deterministic, and slow: seconds. It belongs into a worker (docs/decisions/models.md).
import { exp2 } from "../math/exp2.ts";
import type { BackgroundPart, BackgroundRow } from "./background.ts";

export interface EaseSettings {
  /** Items with exact weights; above it, those of each item's neighbourhood. n³ / 2 multiplications. */
  readonly exactMax: number;
  /** Regressors of one item above `exactMax`. */
  readonly neighbours: number;
  readonly ridge: number;
  /** Steps over which two items of a person go on counting together, as 1/e. */
  readonly reach: number;
  /** Weights kept from one item. */
  readonly rowMax: number;
  /** Items speak for each other only where so many persons had both. */
  readonly minPersons: number;
}

export const EASE_DEFAULTS: EaseSettings = { exactMax: 2_000, neighbours: 64, ridge: 200, reach: 20, rowMax: 32, minPersons: 1 };

/** `to[i]` and `weights[i]` are what item `i` speaks for, heaviest first; indices are places in `itemIds`. */
export interface ItemWeights {
  readonly itemIds: readonly string[];
  readonly to: readonly Int32Array[];
  readonly weights: readonly Float32Array[];
}

const LOG2_E = 1.4426950408889634;
const WEIGHT_MIN = 1e-4;
const NEAR_MIN = 0.01; // Pairs that count less are left out.

/** @param sequences - distinct items of each person, oldest first, as places in `itemIds`. */
export function trainEase(itemIds: readonly string[], sequences: Iterable<ArrayLike<number>>, settings: EaseSettings): ItemWeights {
  const near: number[] = [];
  for (let distance = 0; ; distance++) {
    const worth = exp2((-distance / settings.reach) * LOG2_E);
    if (worth < NEAR_MIN) break;
    near.push(worth);
  }
  const n = itemIds.length;
  const rows: [to: number, weight: number][][] = Array.from({ length: n }, () => []);
  const add = (from: number, to: number, weight: number): void => {
    if (weight > WEIGHT_MIN) rows[from]!.push([to, weight]);
  };
  if (n <= settings.exactMax) exact(n, sequences, near, settings, add);
  else local(n, sequences, near, settings, add);
  for (const row of rows) {
    row.sort((a, b) => b[1] - a[1] || a[0] - b[0]);
    row.length = Math.min(row.length, settings.rowMax);
  }
  return {
    itemIds,
    to: rows.map((row) => Int32Array.from(row, ([to]) => to)),
    weights: rows.map((row) => Float32Array.from(row, ([, weight]) => weight)),
  };
}

const PART_ROWS = 200;
const DIGITS = 4; // More would only make the log longer.

/** The model as the log carries it. */
export function partsOf({ itemIds, to, weights }: ItemWeights): BackgroundPart[] {
  const rows: BackgroundRow[] = [];
  for (const [i, itemId] of itemIds.entries()) {
    if (to[i]!.length === 0) continue;
    rows.push([itemId, Array.from(to[i]!, (j) => itemIds[j]!), Array.from(weights[i]!, (w) => Number(w.toPrecision(DIGITS)))]);
  }
  const parts: BackgroundPart[] = [];
  for (let from = 0; from < rows.length; from += PART_ROWS) {
    parts.push({ part: parts.length, rows: rows.slice(from, from + PART_ROWS) });
  }
  return parts;
}

type Add = (from: number, to: number, weight: number) => void;

function exact(n: number, sequences: Iterable<ArrayLike<number>>, near: readonly number[], { ridge, minPersons }: EaseSettings, add: Add): void {
  const gram = new Float64Array(n * n);
  forEachPair(sequences, near, (a, b, worth) => {
    gram[a * n + b] = gram[a * n + b]! + worth;
    if (a !== b) gram[b * n + a] = gram[b * n + a]! + worth;
  });
  // A person adds 1 at most, so a sum below `minPersons` may stem from fewer.
  const isAllowed = minPersons <= 1 ? undefined : Uint8Array.from(gram, (worth) => (worth >= minPersons ? 1 : 0));
  for (let i = 0; i < n; i++) gram[i * n + i] = gram[i * n + i]! + ridge;
  factorise(gram, n);
  invertFactored(gram, n);
  for (let from = 0; from < n; from++) {
    for (let to = 0; to < n; to++) {
      if (from === to || isAllowed?.[from * n + to] === 0) continue;
      add(from, to, -gram[from * n + to]! / gram[to * n + to]!);
    }
  }
}

function local(n: number, sequences: Iterable<ArrayLike<number>>, near: readonly number[], settings: EaseSettings, add: Add): void {
  const { neighbours, ridge, minPersons } = settings;
  const together: Map<number, number>[] = Array.from({ length: n }, () => new Map<number, number>());
  const counts = new Float64Array(n);
  forEachPair(sequences, near, (a, b, worth) => {
    if (a === b) {
      counts[a] = counts[a]! + worth;
      return;
    }
    together[a]!.set(b, (together[a]!.get(b) ?? 0) + worth);
    together[b]!.set(a, (together[b]!.get(a) ?? 0) + worth);
  });
  const gram = new Float64Array(neighbours * neighbours);
  const solution = new Float64Array(neighbours);
  for (let to = 0; to < n; to++) {
    const chosen = [...together[to]!]
      .filter(([, worth]) => minPersons <= 1 || worth >= minPersons)
      .map(([from, worth]): [number, number] => [from, worth / Math.sqrt(counts[from]! + ridge)])
      .sort((a, b) => b[1] - a[1] || a[0] - b[0])
      .slice(0, neighbours)
      .map(([from]) => from);
    const size = chosen.length;
    if (size === 0) continue;
    for (let i = 0; i < size; i++) {
      const row = together[chosen[i]!]!;
      for (let j = 0; j < i; j++) gram[i * size + j] = row.get(chosen[j]!) ?? 0;
      gram[i * size + i] = counts[chosen[i]!]! + ridge;
      solution[i] = together[to]!.get(chosen[i]!)!;
    }
    factorise(gram, size);
    solveFactored(gram, size, solution);
    for (let i = 0; i < size; i++) add(chosen[i]!, to, solution[i]!);
  }
}

function forEachPair(sequences: Iterable<ArrayLike<number>>, near: readonly number[], visit: (a: number, b: number, worth: number) => void): void {
  for (const items of sequences) {
    for (let i = 0; i < items.length; i++) {
      for (let j = Math.max(0, i - near.length + 1); j <= i; j++) visit(items[j]!, items[i]!, near[i - j]!);
    }
  }
}

/** Cholesky in the lower triangle, in place: A = L·Lᵗ. */
function factorise(a: Float64Array, n: number): void {
  for (let i = 0; i < n; i++) {
    const rowI = i * n;
    for (let j = 0; j <= i; j++) {
      const rowJ = j * n;
      let sum = a[rowI + j]!;
      for (let k = 0; k < j; k++) sum -= a[rowI + k]! * a[rowJ + k]!;
      a[rowI + j] = i === j ? Math.sqrt(sum > 1e-12 ? sum : 1e-12) : sum / a[rowJ + j]!;
    }
  }
}

function solveFactored(a: Float64Array, n: number, x: Float64Array): void {
  for (let i = 0; i < n; i++) {
    let sum = x[i]!;
    for (let k = 0; k < i; k++) sum -= a[i * n + k]! * x[k]!;
    x[i] = sum / a[i * n + i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = x[i]!;
    for (let k = i + 1; k < n; k++) sum -= a[k * n + i]! * x[k]!;
    x[i] = sum / a[i * n + i]!;
  }
}

/** From L to (L·Lᵗ)⁻¹, all of it. Row by row, so that memory is read in order. */
function invertFactored(a: Float64Array, n: number): void {
  // L⁻¹ in the lower triangle.
  const column = new Float64Array(n);
  const inverse = new Float64Array(n * n); // Row j holds column j of L⁻¹.
  for (let j = 0; j < n; j++) {
    column.fill(0);
    column[j] = 1 / a[j * n + j]!;
    for (let i = j + 1; i < n; i++) {
      let sum = 0;
      for (let k = j; k < i; k++) sum -= a[i * n + k]! * column[k]!;
      column[i] = sum / a[i * n + i]!;
    }
    inverse.set(column, j * n);
  }
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = i; k < n; k++) sum += inverse[i * n + k]! * inverse[j * n + k]!;
      a[i * n + j] = sum;
      a[j * n + i] = sum;
    }
  }
}
