// The core's door for hosts: one person's state, one record, and what came of it.

/** A trigger that an event set off. */
export interface FiredTrigger {
  name: string;
  atMs: number;
  itemId?: string;
  /** Goes to the person's open pages. */
  push: boolean;
  /** Goes to this URL. */
  webhook?: string;
}

/** What came of bringing a person on: segment changes in the order they happened, and triggers. */
export interface Outputs {
  /** False for a duplicate and for marked traffic. */
  folded: boolean;
  entered: string[];
  left: string[];
  triggers: FiredTrigger[];
}
