/** A broken invariant: always a bug in our code, never bad data. Hosts restart from the log on it. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/** Fails fast when `condition` is false. `message` states the invariant that should have held. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}
