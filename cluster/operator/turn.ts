// What an operation on one key works on.
import type { ProfileChange } from "../wire/profile.ts";
import type { Outputs as Messages } from "./frame.ts";
import type { KeyState } from "./key-state.ts";
import type { OperatorProject } from "./project.ts";

/** One key's turn: its state, and what comes of the operations on it. */
export interface Turn {
  readonly project: OperatorProject;
  readonly key: string;
  readonly state: KeyState;
  readonly outputs: Messages;
  readonly changes: ProfileChange[];
  /** The state's bytes are no longer what they were. */
  isChanged: boolean;
  /** The person, or the signpost, must be published. */
  isVisible: boolean;
}
