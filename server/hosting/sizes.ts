// What things take in memory while they wait to be written, for the bounds of the queues that they wait in.

/** An event, beyond what its own fields hold. A guess, on the safe side. */
export const EVENT_BYTES = 600;
/** About what a list of 20 takes. */
export const DECISION_BYTES = 600;
