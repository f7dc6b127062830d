// What the node does by itself, taken down in the audit trail as `system`. Hosts work while they open, before there is a
// trail, so acts wait for it.
import type { OwnAct } from "../ports.ts";
import type { AuditLog } from "./audit-log.ts";

/** Acts that wait for the trail; a node works off a few erasures before it is open. */
const WAITING_MAX = 10_000;

export interface OwnActs {
  note(act: OwnAct): void;
  /** The trail is open; undefined where there is none. */
  attach(audit: AuditLog | undefined): void;
}

/** @param onFailed - an act could not be taken down; it was done all the same. */
export function ownActs(onFailed: (error: Error) => void): OwnActs {
  let waiting: OwnAct[] = [];
  let takeDown: ((act: OwnAct) => void) | undefined;
  return {
    note(act) {
      if (takeDown !== undefined) takeDown(act);
      else if (waiting.length < WAITING_MAX) waiting.push(act);
    },
    attach(audit) {
      takeDown = (act) => {
        if (audit === undefined) return;
        // A trail may answer at once or later, and fail in either way.
        new Promise((resolve) => resolve(audit.change({ ...act, actor: "system" }))).catch(onFailed);
      };
      for (const act of waiting) takeDown(act);
      waiting = [];
    },
  };
}
