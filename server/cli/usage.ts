/** A command that was called in a way it does not understand; the message says how to call it. Exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
