// What the models look at when they propose items: who asks, and what he has just done. One object is filled anew for
// every query and every step, so that the hot path allocates nothing.
import { localTime } from "../profile/local-time.ts";
import { HISTORY_MAX, TRAIL_MAX } from "./config.ts";

export interface Situation {
  nowMs: number;
  /** Distinct items of the open session, newest first, as slots. */
  readonly trail: Int32Array;
  /** How often each was visited in the session. */
  readonly visits: Int32Array;
  trailLength: number;
  /** Distinct items from before the session, newest first. */
  readonly past: Int32Array;
  pastLength: number;
  /** The latest steps, newest first, items that were gone back to more than once; no two alike follow each other. */
  readonly path: Int32Array;
  pathLength: number;
  /** What neighbour models start from: the trail, or the past where the session is empty. */
  context: Int32Array;
  contextLength: number;
  /** The session's own number in the session store, -1 for none: it is no neighbour of itself. */
  sessionNumber: number;
  interests: readonly (readonly [name: string, share: number])[];
  country: string | undefined;
  device: string | undefined;
  weather: string | undefined;
  /** Four hours of the visitor's own day, "0" to "5". */
  daypart: string | undefined;
  /** What else is known of who asks, as crowds (`facets.ts`). */
  facets: readonly string[];
  /** 0 nothing known, 1 only the past; then by length of the session. */
  lengthBucket: number;
}

export const LENGTH_BUCKETS = 7;

export function createSituation(): Situation {
  const trail = new Int32Array(TRAIL_MAX + 1); // One more for the page's item.
  return {
    nowMs: 0,
    trail,
    visits: new Int32Array(TRAIL_MAX + 1),
    trailLength: 0,
    past: new Int32Array(HISTORY_MAX),
    pastLength: 0,
    path: new Int32Array(HISTORY_MAX + 1), // One more for the page's item.
    pathLength: 0,
    context: trail,
    contextLength: 0,
    sessionNumber: -1,
    interests: [],
    country: undefined,
    device: undefined,
    weather: undefined,
    daypart: undefined,
    facets: [],
    lengthBucket: 0,
  };
}

const HOURS_A_PART = 4;
const DAYPARTS = ["0", "1", "2", "3", "4", "5"] as const;

/** What an asker or a step says of the surroundings. */
export interface Surroundings {
  readonly country?: string | undefined;
  readonly device?: string | undefined;
  readonly weather?: string | undefined;
  /** Only an offset (`+02:00`) shifts the day; without one it is UTC's. */
  readonly timezone?: string | undefined;
  /** What else is known of the visitor (core/model/facets.ts). */
  readonly facets?: readonly string[] | undefined;
}

const NO_FACETS: readonly string[] = [];

export function setSurroundings(situation: Situation, given: Surroundings, nowMs: number): void {
  situation.nowMs = nowMs;
  situation.country = given.country;
  situation.device = given.device;
  situation.weather = given.weather;
  situation.facets = given.facets ?? NO_FACETS;
  situation.daypart = DAYPARTS[Math.floor(localTime(given.timezone, nowMs).hour / HOURS_A_PART)];
}

/** Sets what follows from trail and past. */
export function settleSituation(situation: Situation): void {
  const { trailLength, pastLength } = situation;
  situation.context = trailLength > 0 ? situation.trail : situation.past;
  situation.contextLength = trailLength > 0 ? trailLength : Math.min(pastLength, TRAIL_MAX);
  situation.lengthBucket =
    trailLength === 0
      ? pastLength === 0 ? 0 : 1
      : trailLength === 1 ? 2 : trailLength === 2 ? 3 : trailLength <= 4 ? 4 : trailLength <= 8 ? 5 : 6;
}
