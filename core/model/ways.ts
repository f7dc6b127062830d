// Ways that the visitor has taken before between the item where he is and others: how often he went on from here to each,
// and how often he came here from each. Who goes to and fro between a list and its entries does so again.
import type { Situation } from "./situation.ts";

const COUNT_MAX = 255;

export interface Ways {
  /** Takes the path of a situation in; `find` says which candidate an item is, -1 for none. */
  read(situation: Situation, find: (slot: number) => number): void;
  /** By candidate, of the path that was read last. */
  readonly onTo: Uint8Array;
  readonly from: Uint8Array;
}

export function createWays(candidatesMax: number): Ways {
  const onTo = new Uint8Array(candidatesMax);
  const from = new Uint8Array(candidatesMax);
  const count = (counts: Uint8Array, candidate: number): void => {
    if (candidate >= 0 && counts[candidate]! < COUNT_MAX) counts[candidate] = counts[candidate]! + 1;
  };
  return {
    onTo,
    from,
    read({ path, pathLength }, find) {
      onTo.fill(0);
      from.fill(0);
      const here = path[0];
      for (let k = 0; k < pathLength; k++) {
        if (path[k] !== here) continue;
        if (k > 0) count(onTo, find(path[k - 1]!));
        if (k + 1 < pathLength) count(from, find(path[k + 1]!));
      }
    },
  };
}
