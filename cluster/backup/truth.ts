// Which topics are the truth, that is: cannot be made anew from others. What the job writes (profiles, steps, outcomes,
// handovers, quarantine) is a fold of them.
import type { ProjectTopics, TopicSettings } from "../wire/topics.ts";
import { sharedTopics, TOPIC_SETTINGS } from "../wire/topics.ts";

/** `shared`: keys and the audit trail, which are all projects'. */
export type TruthKind = "log" | "control" | "item" | "decision" | "deadLetters" | "erasures" | "shared";

export interface TruthTopic {
  readonly name: string;
  readonly kind: TruthKind;
  readonly settings: TopicSettings;
}

interface Handling {
  /** Copied whole each time: a compacted topic does not say what has gone from it since. */
  readonly isCopiedWhole: boolean;
  /** Ends at the point in time. The catalogue has lost its earlier values; keys and trail must not lose later ones. */
  readonly isCut: boolean;
  /** A record without a value says something; elsewhere it is what an erasure has left for a moment. */
  readonly hasTombstones: boolean;
}

export const HANDLING: Readonly<Record<TruthKind, Handling>> = {
  log: { isCopiedWhole: false, isCut: true, hasTombstones: false },
  control: { isCopiedWhole: false, isCut: true, hasTombstones: false },
  decision: { isCopiedWhole: false, isCut: true, hasTombstones: false },
  deadLetters: { isCopiedWhole: false, isCut: true, hasTombstones: false },
  shared: { isCopiedWhole: false, isCut: false, hasTombstones: false },
  item: { isCopiedWhole: true, isCut: false, hasTombstones: true },
  erasures: { isCopiedWhole: true, isCut: false, hasTombstones: false },
};

/** Ledgers last: whoever is erased while the others are copied is in them. */
export function truthOf(projects: Readonly<Record<string, ProjectTopics>>): TruthTopic[] {
  const all = Object.values(projects);
  const own = (kind: Exclude<TruthKind, "log" | "shared">): TruthTopic[] =>
    all.map((topics) => ({ name: topics[kind], kind, settings: TOPIC_SETTINGS[kind] }));
  const { access, audit, settings } = sharedTopics();
  return [
    ...all.flatMap(({ log }) => log.map((name): TruthTopic => ({ name, kind: "log", settings: TOPIC_SETTINGS.events }))),
    ...(["control", "item", "decision", "deadLetters"] as const).flatMap(own),
    ...[access, audit].map((name): TruthTopic => ({ name, kind: "shared", settings })),
    ...own("erasures"),
  ];
}
