// Lua scripts: sent once, then called by their hash. A Redis that was flushed or replaced is sent them again.
import { createHash } from "node:crypto";
import type { Argument, RedisLink, Reply } from "./link.ts";

export interface Script {
  readonly text: string;
  readonly hash: string;
}

export function script(text: string): Script {
  return { text, hash: createHash("sha1").update(text).digest("hex") };
}

/** All keys must lie in one slot. */
export async function run(
  link: RedisLink,
  { text, hash }: Script,
  keys: readonly [string, ...string[]],
  args: readonly Argument[],
): Promise<Reply> {
  const rest = [String(keys.length), ...keys, ...args];
  try {
    return await link.write(keys[0], ["EVALSHA", hash, ...rest]);
  } catch (error) {
    if (!(error as Error).message.startsWith("NOSCRIPT")) throw error;
    return link.write(keys[0], ["EVAL", text, ...rest]);
  }
}
