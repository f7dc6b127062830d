// Flags as every command reads them.
import { parseArgs, type ParseArgsConfig } from "node:util";
import { didYouMean } from "../../core/program/cel/names.ts";
import { isHelp } from "./help.ts";
import { UsageError } from "./usage.ts";

/** `parseArgs`, which says of an option that there is not which one was meant, or which there are. @throws UsageError */
export const parseFlags: typeof parseArgs = <T extends ParseArgsConfig>(config?: T) => {
  try {
    return parseArgs(config);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code !== "ERR_PARSE_ARGS_UNKNOWN_OPTION") throw cause;
    const [, written = ""] = /'(.+?)'/.exec(message) ?? [];
    const names = Object.keys(config?.options ?? {}).map((name) => `--${name}`);
    // Scripts have no help; whoever asks for it wants to know all.
    const near = isHelp(written) ? "" : didYouMean(written, names);
    throw new UsageError(`there is no option ${written}${near === "" ? `; there are ${names.join(", ")}` : near}`, { cause });
  }
};
