// Redis from Debian's packages; a redis-server that is there already is taken as it is.
import { findProgram, InstallError, run } from "./tools.ts";

/** The path of `redis-server`, installed where it is missing and this user may (root, or sudo without a password). */
export async function ensureRedis(): Promise<string> {
  const found = findProgram("redis-server");
  if (found !== undefined) return found;
  if (findProgram("apt-get") === undefined)
    throw new InstallError("there is no redis-server and no apt-get: install Redis 7 and run the same command again");
  const prefix = process.getuid?.() === 0 ? [] : ["sudo", "-n"];
  const apt = async (...args: string[]): Promise<void> => {
    const [program, ...rest] = [...prefix, "apt-get", ...args];
    await run(program!, rest, {
      env: { DEBIAN_FRONTEND: "noninteractive" },
      failure: `apt-get ${args[0]} failed; run "apt-get install redis-server" yourself`,
    });
  };
  await apt("update", "-q");
  await apt("install", "-y", "-q", "--no-install-recommends", "redis-server");
  const installed = findProgram("redis-server");
  if (installed === undefined) throw new InstallError("apt-get installed redis-server, but it is not on the PATH");
  return installed;
}
