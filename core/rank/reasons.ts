// Which models put an item where it is, and on account of which of the visitor's own items.
import type { Models } from "../model/models.ts";
import type { ModelSource, Origin, Reason } from "./query.ts";

const REASONS_MAX = 3;
const REASON_WEIGHT_MIN = 0.01;

interface Proposal {
  /** Which model. */
  readonly m: number;
  readonly rank: number;
  readonly chance: number;
}

/** Every model that proposed the slot, in the situation that the models were asked in; the surest first. */
function proposalsOf({ lists, blend, situation }: Models, slot: number): Proposal[] {
  const { trail, trailLength, lengthBucket } = situation;
  const isOwn = trail.subarray(0, trailLength).includes(slot);
  const found: Proposal[] = [];
  for (let m = 0; m < lists.length; m++) {
    const rank = lists[m]!.slots.subarray(0, lists[m]!.length).indexOf(slot);
    if (rank >= 0) found.push({ m, rank: rank + 1, chance: blend.chance(m, lists[m]!, rank, { lengthBucket, isOwn }) });
  }
  return found.sort((a, b) => b.chance - a.chance);
}

const becauseOf = ({ models, situation, items }: Models, m: number, slot: number): string[] =>
  models[m]!.because(situation, slot).map((own) => items.idAt(own));

export function sourcesOf(models: Models, slot: number): ModelSource[] {
  return proposalsOf(models, slot).map(({ m, rank, chance }) => {
    return { source: models.models[m]!.name, rank, chance, because: becauseOf(models, m, slot) };
  });
}

/** Shares of the sum of the models' chances; where no model proposed the item, how else it came into the list. */
export function reasonsOf(models: Models, slot: number, origin: Origin | undefined): Reason[] {
  const proposals = proposalsOf(models, slot);
  if (proposals.length === 0) return [{ source: origin ?? "popular", because: [], weight: 1 }];
  let all = 0;
  for (const { chance } of proposals) all += chance;
  return proposals
    .slice(0, REASONS_MAX)
    .filter(({ chance }, i) => i === 0 || chance / all >= REASON_WEIGHT_MIN)
    .map(({ m, chance }): Reason => {
      const source = models.models[m]!.name;
      const reason = { source, because: becauseOf(models, m, slot), weight: chance / all };
      const crowd = source === "context" ? models.contexts : source === "daypart" ? models.dayparts : undefined;
      return crowd === undefined ? reason : { ...reason, crowds: crowd.crowdsOf(models.situation, slot) };
    });
}
