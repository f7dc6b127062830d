// Two steps over the item-to-item cosine: what goes with what goes with the newest item. On a sparse catalogue the item
// that comes next was often never seen together with this one.
import { addScore, createCandidateList } from "./candidates.ts";
import type { Neighbours } from "./crowd.ts";
import type { Model } from "./model.ts";
import { NEIGHBOURS_MAX } from "./neighbour-rows.ts";

const FIRST_MAX = 6; // Neighbours of one item that are walked on from.
const QUERY_ITEMS = 2;
const QUERY_FADE = 0.6;

export function createWalk(cosine: Neighbours): Model {
  const first = new Int32Array(FIRST_MAX);
  const worths = new Float64Array(FIRST_MAX);
  const near = createCandidateList(NEIGHBOURS_MAX);
  let count = 0;

  const keep = (slot: number, worth: number): void => {
    if (count === FIRST_MAX && worths[FIRST_MAX - 1]! >= worth) return;
    let at = count < FIRST_MAX ? count++ : FIRST_MAX - 1;
    for (; at > 0 && worths[at - 1]! < worth; at--) {
      first[at] = first[at - 1]!;
      worths[at] = worths[at - 1]!;
    }
    first[at] = slot;
    worths[at] = worth;
  };

  /** Fills `first` with where one goes from an item. */
  const setOut = (from: number, nowMs: number): void => {
    count = 0;
    cosine.neighbours(from, nowMs, near);
    for (let i = 0; i < near.length; i++) keep(near.slots[i]!, near.scores[i]!);
  };

  return {
    name: "walk",
    learn() {},
    score({ context, contextLength, nowMs }, sheet) {
      let fade = 1;
      for (let k = 0; k < contextLength && k < QUERY_ITEMS; k++, fade *= QUERY_FADE) {
        setOut(context[k]!, nowMs);
        for (let i = 0; i < count; i++) {
          const worth = worths[i]! * fade;
          cosine.neighbours(first[i]!, nowMs, near);
          for (let j = 0; j < near.length; j++) {
            if (near.scores[j]! > 0) addScore(sheet, near.slots[j]!, worth * near.scores[j]!);
          }
        }
      }
    },
    because: ({ context, contextLength, nowMs }, slot) =>
      Array.from(context.subarray(0, Math.min(contextLength, QUERY_ITEMS))).filter((own) => {
        setOut(own, nowMs);
        for (let i = 0; i < count; i++) {
          cosine.neighbours(first[i]!, nowMs, near);
          for (let j = 0; j < near.length; j++) if (near.slots[j] === slot && near.scores[j]! > 0) return true;
        }
        return false;
      }),
    forget() {},
    tables: [],
  };
}
