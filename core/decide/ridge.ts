// Linear regression of rewards on features, one observation after the other, with a ridge and old ones fading: what a
// contextual policy expects of a variant. Sums are kept, and solved for the weights now and then (Cholesky).
import { decayFactor } from "../math/exp2.ts";
import type { ByteReader } from "../wire/reader.ts";
import type { ByteWriter } from "../wire/writer.ts";
import { DIMENSIONS, type Features } from "./context-features.ts";

const D = DIMENSIONS;
const PACKED = (D * (D + 1)) / 2;
const RIDGE = 1;
/** The weights are made anew after one observation, and from n observations on after n / 32 more. */
const FRESHNESS = 32;

export interface Ridge {
  /** Σ x xᵀ, lower triangle by rows. */
  readonly squares: Float64Array;
  /** Σ x r. */
  readonly products: Float64Array;
  readonly weights: Float64Array;
  count: number;
  sinceSolved: number;
}

export function emptyRidge(): Ridge {
  return {
    squares: new Float64Array(PACKED),
    products: new Float64Array(D),
    weights: new Float64Array(D),
    count: 0,
    sinceSolved: 0,
  };
}

export function fadeRidge(ridge: Ridge, ageMs: number, halfLifeMs: number): void {
  if (ageMs <= 0) return;
  const factor = decayFactor(ageMs, halfLifeMs);
  const { squares, products } = ridge;
  for (let i = 0; i < PACKED; i++) squares[i]! *= factor;
  for (let i = 0; i < D; i++) products[i]! *= factor;
  ridge.count *= factor;
}

/** One observation, with nothing earned yet. */
export function observe(ridge: Ridge, features: Features): void {
  const { squares } = ridge;
  for (let i = 0; i < features.length; i++) {
    const row = Math.abs(features[i]!);
    const sign = features[i]! < 0 ? -1 : 1;
    for (let j = 0; j <= i; j++) {
      const column = Math.abs(features[j]!);
      squares[(row * (row + 1)) / 2 + column]! += features[j]! < 0 ? -sign : sign;
    }
  }
  ridge.count++;
  refresh(ridge);
}

/** What an observation has earned since it was made. */
export function earn(ridge: Ridge, features: Features, reward: number): void {
  for (const place of features) ridge.products[Math.abs(place)]! += place < 0 ? -reward : reward;
  refresh(ridge);
}

export function expectedReward({ weights }: Ridge, features: Features): number {
  let sum = 0;
  for (const place of features) sum += place < 0 ? -weights[-place]! : weights[place]!;
  return sum;
}

function refresh(ridge: Ridge): void {
  if (++ridge.sinceSolved < 1 + ridge.count / FRESHNESS) return;
  ridge.sinceSolved = 0;
  solve(ridge);
}

const factor = new Float64Array(PACKED);

/**
 * √(xᵀ (Σ x xᵀ + ridge)⁻¹ x): how far the expectation may be off, in standard deviations of one reward. A Cholesky
 * factorisation: some microseconds.
 */
export function uncertainty(ridge: Ridge | null, features: Features): number {
  if (ridge === null) return Math.sqrt(features.length / RIDGE);
  factorise(ridge.squares);
  // xᵀ (L Lᵗ)⁻¹ x = |L⁻¹ x|².
  half.fill(0);
  for (const place of features) half[Math.abs(place)] = place < 0 ? -1 : 1;
  let square = 0;
  for (let i = 0; i < D; i++) {
    const row = (i * (i + 1)) / 2;
    let sum = half[i]!;
    for (let k = 0; k < i; k++) sum -= factor[row + k]! * half[k]!;
    half[i] = sum / factor[row + i]!;
    square += half[i]! * half[i]!;
  }
  return Math.sqrt(square);
}

const half = new Float64Array(D);

/** Σ x xᵀ + ridge = L Lᵗ, into `factor`. */
function factorise(squares: Float64Array): void {
  for (let i = 0; i < D; i++) {
    const row = (i * (i + 1)) / 2;
    for (let j = 0; j <= i; j++) {
      const other = (j * (j + 1)) / 2;
      let sum = squares[row + j]! + (i === j ? RIDGE : 0);
      for (let k = 0; k < j; k++) sum -= factor[row + k]! * factor[other + k]!;
      // A diagonal entry is at least the ridge, but for rounding.
      factor[row + j] = i === j ? Math.sqrt(Math.max(sum, 1e-9)) : sum / factor[other + j]!;
    }
  }
}

/** (Σ x xᵀ + ridge) w = Σ x r. */
function solve({ squares, products, weights }: Ridge): void {
  factorise(squares);
  for (let i = 0; i < D; i++) {
    const row = (i * (i + 1)) / 2;
    let sum = products[i]!;
    for (let k = 0; k < i; k++) sum -= factor[row + k]! * weights[k]!;
    weights[i] = sum / factor[row + i]!;
  }
  for (let i = D - 1; i >= 0; i--) {
    let sum = weights[i]!;
    for (let k = i + 1; k < D; k++) sum -= factor[(k * (k + 1)) / 2 + i]! * weights[k]!;
    weights[i] = sum / factor[(i * (i + 1)) / 2 + i]!;
  }
}

export function writeRidge(writer: ByteWriter, ridge: Ridge): void {
  for (const values of [ridge.squares, ridge.products, ridge.weights]) for (const value of values) writer.number(value);
  writer.number(ridge.count);
  writer.varint(ridge.sinceSolved);
}

export function readRidge(reader: ByteReader): Ridge {
  const ridge = emptyRidge();
  for (const values of [ridge.squares, ridge.products, ridge.weights]) {
    for (let i = 0; i < values.length; i++) values[i] = reader.number();
  }
  ridge.count = reader.number();
  ridge.sinceSolved = reader.varint();
  return ridge;
}
