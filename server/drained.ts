// Writing no faster than the reader takes it.
import { once } from "node:events";
import type { Writable } from "node:stream";

/** Resolves when the stream takes more, or never will; neither wait leaves a listener behind. */
export async function drained(stream: Writable): Promise<void> {
  const waiting = new AbortController();
  const of = (name: string): Promise<unknown> => once(stream, name, { signal: waiting.signal });
  await Promise.race([of("drain"), of("close")]).catch(() => {});
  waiting.abort();
}
