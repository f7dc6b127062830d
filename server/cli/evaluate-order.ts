// Lines of a file whose order means nothing (all lines of an invoice carry one time) come in an order of a seed's own.
import { rngFrom } from "../../core/math/rng.ts";

const GROUP_MAX = 10_000; // Lines of one time and session that are held.

interface Line {
  readonly row: unknown;
}

/** Consecutive lines with the same time and session, shuffled among themselves; all others as they are. */
export async function* shuffled<T extends Line>(lines: AsyncIterable<T>, seed: number): AsyncGenerator<T> {
  const rng = rngFrom(seed);
  let group: T[] = [];
  let key: string | undefined;
  for await (const line of lines) {
    const { timestamp, session_id: session, user_id: user } = Object(line.row) as Record<string, unknown>;
    const next = JSON.stringify([timestamp, session, user]);
    if (next !== key || group.length >= GROUP_MAX) {
      yield* rng.shuffle(group);
      group = [];
      key = next;
    }
    group.push(line);
  }
  yield* rng.shuffle(group);
}
