// What `evaluate` has to say about a file beside the table: lines that it left out, and times in no order. A table over a
// tenth of a file looks like any other.
import { formatTimestamp } from "../../core/event/time.ts";
import { createRefusals } from "./refusals.ts";

export interface Account {
  /** A line that was left out, and why. */
  refuse(line: number, reason: { code: string; message: string }): void;
  /** The time of one that was taken. */
  take(line: number, timeMs?: number): void;
  /** Sentences, a line each; empty where all is as it should be. `what` names the lines: "events", "items". */
  text(what: string): string;
}

export function createAccount(): Account {
  const refusals = createRefusals();
  let refused = 0;
  let taken = 0;
  let latest = { line: 0, timeMs: -Infinity };
  let behind = 0;
  let firstBehind: { line: number; after: typeof latest } | undefined;
  return {
    refuse(line, { code, message }) {
      refused++;
      refusals.add({ code, message, place: `line ${line}` });
    },
    take(line, timeMs) {
      taken++;
      if (timeMs === undefined) return;
      if (timeMs >= latest.timeMs) {
        latest = { line, timeMs };
        return;
      }
      behind++;
      firstBehind ??= { line, after: latest };
    },
    text(what) {
      let text = "";
      if (refused > 0) {
        text += `attune: ${refused} of ${refused + taken} lines are no ${what} that an import would take, and were left out:\n`;
        for (const reason of refusals.lines()) text += `  ${reason}\n`;
      }
      if (firstBehind !== undefined) {
        const { line, after } = firstBehind;
        text +=
          `attune: ${behind} of ${taken} events are earlier than one before them, the first in line ${line} (line ${after.line} says ` +
          `${formatTimestamp(after.timeMs)}). What is learnt fades by event time: sort the file by timestamp.\n`;
      }
      return text;
    },
  };
}
