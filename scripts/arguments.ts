// What a script is called with.
import type { parseArgs, ParseArgsConfig } from "node:util";
import { parseFlags } from "../server/cli/flags.ts";

/** `parseFlags`, or the end of the process with 2 and a line that names the script and what it does not know. */
export function flagsOf<T extends ParseArgsConfig>(script: string, config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseFlags(config);
  } catch (error) {
    return misuse(`${script}: ${(error as Error).message}`);
  }
}

/** The number, or the end of the process with 2 and a line that names the script and the argument. */
export function wholeNumber(argument: string, text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  return misuse(`${argument} is "${text}": a whole number`);
}

/** Ends the process: the script is called wrongly, and would do nothing that it is called for. */
export function misuse(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}
