// The environment, as every command reads it.

/** Variables that are set. One that is set to nothing, as compose files write one that nobody gave, counts as not set. */
export function environmentOf(variables: NodeJS.ProcessEnv = process.env): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ""));
}
