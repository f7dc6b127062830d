// What a contextual policy sees of a visitor: names, hashed into a vector of a fixed length, so that no new segment or
// country makes the model grow (Weinberger et al.: "Feature hashing for large scale multitask learning", ICML 2009).
import type { EventContext } from "../event/event.ts";
import { hash32 } from "../math/hash.ts";
import { localTime } from "../profile/local-time.ts";
import { interestShares } from "../profile/reading.ts";
import type { PersonState } from "../profile/state.ts";
import type { SlotContextFeature } from "../program/program.ts";

/** Length of the vector; place 0 is 1 for everybody. */
export const DIMENSIONS = 32;
/** Names of one visitor that are looked at. */
const NAMES_MAX = 24;
const INTERESTS_MAX = 3;
const HOURS_A_PART = 4;
const SEED = 0x5107;

export interface Surroundings {
  readonly person: PersonState | undefined;
  /** Of the request; goes before what the person's events said. */
  readonly context: EventContext | undefined;
  readonly nowMs: number;
}

/** A vector as its places that are not 0: `+i` for 1 at i, `-i` for -1; ascending by place, place 0 first. */
export type Features = readonly number[];

/** Places of a visitor under `kinds`; equal for equal visitors. */
export function contextFeatures(kinds: readonly SlotContextFeature[], surroundings: Surroundings): Features {
  const vector = new Int8Array(DIMENSIONS);
  for (const name of namesOf(kinds, surroundings).slice(0, NAMES_MAX)) {
    const hash = hash32(name, SEED);
    vector[1 + ((hash >>> 1) % (DIMENSIONS - 1))]! += (hash & 1) === 0 ? 1 : -1;
  }
  const places = [0];
  for (let i = 1; i < DIMENSIONS; i++) if (vector[i] !== 0) places.push(vector[i]! > 0 ? i : -i);
  return places;
}

function namesOf(kinds: readonly SlotContextFeature[], { person, context, nowMs }: Surroundings): string[] {
  const said = { ...person?.context, ...context };
  const names: string[] = [];
  for (const kind of kinds) {
    switch (kind) {
      case "segments":
        names.push(...[...(person?.memberships.keys() ?? [])].sort().map((name) => `segment ${name}`));
        break;
      case "interests": {
        const strongest =
          person === undefined ? [] : interestShares(person).sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
        names.push(...strongest.slice(0, INTERESTS_MAX).map(([name]) => `interest ${name}`));
        break;
      }
      case "hour":
        names.push(`hour ${Math.floor(localTime(said.timezone, nowMs).hour / HOURS_A_PART)}`);
        break;
      default:
        names.push(`${kind} ${said[kind] ?? ""}`);
    }
  }
  return names;
}
