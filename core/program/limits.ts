// How much one program may ask for. Every bound protects the fold's cost per event or the size of a person's state.

export const EVENTS_MAX = 200;
export const FEATURES_MAX = 64;
export const SEGMENTS_MAX = 200;
/** Families of learned segments, their groups, and the features that one compares beside interests. */
export const FAMILIES_MAX = 8;
export const FAMILY_GROUPS_MAX = 12;
export const FAMILY_FEATURES_MAX = 24;
export const TRIGGERS_MAX = 100;
export const PLACEMENTS_MAX = 100;
export const BOOSTS_MAX = 32;
export const PINS_MAX = 20;
export const CAPS_MAX = 8;
/** Of one item, within a frequency cap's window. */
export const SHOWS_MAX = 50;
export const SLOTS_MAX = 100;
export const VARIANTS_MAX = 64;
export const SLOT_RULES_MAX = 64;
/** Event types with a weight in a slot's reward. */
export const REWARD_EVENTS_MAX = 32;
export const EXPERIMENTS_MAX = 32;
export const EXPERIMENT_VARIANTS_MAX = 8;
/** Slots, and placements, that a variant of an experiment changes. */
export const EXPERIMENT_CHANGES_MAX = 16;
export const METRICS_MAX = 12;
export const GUARDS_MAX = 8;
/** No person counts as more in an experiment, either way: a broken price must neither drown all others nor be no number. */
export const MEASURED_MAX = 1e9;
/** Different `count(type, window)` and `sum(type, window)` of one program: each is kept for every person. */
export const WINDOWS_MAX = 64;
/** Different `followed(type, type, window)` of one program. */
export const SEQUENCES_MAX = 32;
export const EXPRESSION_CHARS_MAX = 2_000;
/** Nodes of an expression; what stands in a macro over a list (`exists`, `all` …) counts LIST_COST times. */
export const EXPRESSION_COST_MAX = 5_000;
export const LIST_COST = 32;
/** Elements that a macro looks at; a longer list is an evaluation error, so the condition is false. */
export const LIST_ELEMENTS_MAX = 256;
export const DURATION_MAX_MS = 366 * 86_400_000;
export const PLACEMENT_LIMIT_MAX = 200;
export const NAME_CHARS_MAX = 64;
/** Characters of one variant's payload as JSON. */
export const PAYLOAD_CHARS_MAX = 16_384;
/** Faults reported for one document; more would not be read. */
export const FAULTS_MAX = 200;
