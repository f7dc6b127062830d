// Who is in which variant: a hash of the experiment's seed and the person's key, so that every server says the same
// without asking anybody.
import { hash64Into, type Hash64 } from "../math/hash.ts";
import type { CompiledExperiment } from "../program/compiled.ts";
import { pickBy } from "../stats/sample.ts";

const TWO_53 = 9_007_199_254_740_992;
const scratch: Hash64 = { hi: 0, lo: 0 };

/** In [0, 1), the same for the same text. */
export function lotOf(text: string): number {
  hash64Into(scratch, text);
  return ((scratch.hi >>> 11) * 4_294_967_296 + scratch.lo) / TWO_53;
}

/** Whether the person is in the share of people that takes part. */
export function takesPart({ seed, share }: CompiledExperiment, personKey: string): boolean {
  return share >= 1 || lotOf(`${seed}\nshare\n${personKey}`) < share;
}

/** Index of the variant that the hash gives the person. */
export function hashedVariant({ seed, variants }: CompiledExperiment, personKey: string): number {
  return pickBy(
    variants.map(({ share }) => share),
    lotOf(`${seed}\nvariant\n${personKey}`),
  );
}
