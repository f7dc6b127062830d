// Which models put an item where it is, and on account of which of the visitor's own items.
import type { Models } from "../model/models.ts";
import type { Origin } from "./arrange.ts";
import type { ModelSource, Reason } from "./recommender.ts";

const REASONS_MAX = 3;
const REASON_WEIGHT_MIN = 0.01;

/** Every model that proposed the slot, in the situation that the models were asked in. */
export function sourcesOf({ models, lists, blend, situation, items }: Models, slot: number): ModelSource[] {
  const { trail, trailLength, lengthBucket } = situation;
  const isOwn = trail.subarray(0, trailLength).includes(slot);
  const found: ModelSource[] = [];
  for (let m = 0; m < lists.length; m++) {
    const rank = lists[m]!.slots.subarray(0, lists[m]!.length).indexOf(slot);
    if (rank < 0) continue;
    const chance = blend.chance(m, lists[m]!, rank, { lengthBucket, isOwn });
    const because = models[m]!.because(situation, slot).map((own) => items.idAt(own));
    found.push({ source: models[m]!.name, rank: rank + 1, chance, because });
  }
  return found.sort((a, b) => b.chance - a.chance);
}

/** Shares of the sum of the models' chances; where no model proposed the item, how else it came into the list. */
export function reasonsOf(models: Models, slot: number, origin: Origin | undefined): Reason[] {
  const sources = sourcesOf(models, slot);
  if (sources.length === 0) return [{ source: origin ?? "popular", because: [], weight: 1 }];
  let all = 0;
  for (const { chance } of sources) all += chance;
  return sources
    .slice(0, REASONS_MAX)
    .map(({ source, because, chance }): Reason => {
      const reason = { source, because: [...because], weight: chance / all };
      const crowd = source === "context" ? models.contexts : source === "daypart" ? models.dayparts : undefined;
      return crowd === undefined ? reason : { ...reason, crowds: crowd.crowdsOf(models.situation, slot) };
    })
    .filter(({ weight }, i) => i === 0 || weight >= REASON_WEIGHT_MIN);
}
