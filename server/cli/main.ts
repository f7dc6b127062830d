// The `attune` command line.
import { HostError } from "../ports.ts";
import { FolderLockedError, FolderUnusableError } from "../disk/folder-lock.ts";
import { TlsFileError } from "../http/tls.ts";
import { LogDamagedError, LogFailedError, LogFullError, LogHeadDamagedError } from "../log/log.ts";
import { KeyFileError } from "../access/key-file.ts";
import { TooManyKeysError } from "../access/key-table.ts";
import { AuditDamagedError } from "../audit/audit-log.ts";
import { BoxError } from "../backup/box.ts";
import { BackupError } from "../backup/place.ts";
import { ProjectNameError } from "../embedded/project-name.ts";
import { RestoreUnfinishedError } from "../embedded/restoring.ts";
import { LedgerDamagedError } from "../privacy/erasures.ts";
import { VaultError } from "../vault/vault.ts";
import { SettingError } from "./config.ts";
import { EventFileError } from "./event-file.ts";
import { HELP, helpOf, isHelp } from "./help.ts";
import { letReadersGo } from "./output.ts";
import { UsageError } from "./usage.ts";

type Command = (args: string[]) => Promise<number>;

/** Loaded when asked for: `evaluate` needs no server, `start` no evaluation. */
const COMMANDS: Record<string, () => Promise<Command>> = {
  start: async () => (await import("./start.ts")).startCommand,
  import: async () => (await import("./import.ts")).importCommand,
  replay: async () => (await import("./replay.ts")).replayCommand,
  evaluate: async () => (await import("./evaluate.ts")).evaluateCommand,
  export: async () => (await import("./export.ts")).exportCommand,
  keys: async () => (await import("./keys.ts")).keysCommand,
  audit: async () => (await import("./audit.ts")).auditCommand,
  backup: async () => (await import("./backup.ts")).backupCommand,
  restore: async () => (await import("./backup.ts")).restoreCommand,
  verify: async () => (await import("./verify.ts")).verifyCommand,
};

const EXIT_USAGE = 2;

async function main(): Promise<number> {
  const [name, ...args] = process.argv.slice(2);
  if (name === undefined || name === "help" || isHelp(name)) {
    process.stdout.write(HELP);
    return name === undefined ? EXIT_USAGE : 0;
  }
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  const names = [...Object.keys(COMMANDS), "cluster"].join(", ");
  if (load === undefined) throw new UsageError(`"${name}" is no command; one of ${names}`);
  if (!args.some(isHelp)) return (await load())(args);
  const help = helpOf(name);
  // The others know themselves what they can do; `evaluate --off-policy` has a page of its own.
  if (help === undefined) return (await load())(name === "keys" ? ["help"] : args);
  process.stdout.write(help);
  return 0;
}

/** The command line or a setting is wrong, not what it works on. */
function isMisuse(error: unknown): boolean {
  if (error instanceof UsageError || error instanceof SettingError || error instanceof ProjectNameError) return true;
  return ((error as NodeJS.ErrnoException).code ?? "").startsWith("ERR_PARSE_ARGS");
}

/** What the operating system refused: no permission, a read-only or a full disk, no file of that name, too many open files. */
function isOfSystem(error: unknown): boolean {
  const { code, syscall } = error as NodeJS.ErrnoException;
  return typeof syscall === "string" && /^E[A-Z0-9]+$/.test(code ?? "");
}

/** Faults that a person can mend are one line; anything else is a bug and keeps its stack. */
function isPlain(error: unknown): error is Error {
  const kinds = [
    EventFileError,
    FolderLockedError,
    FolderUnusableError,
    HostError,
    LogDamagedError,
    LogFailedError,
    LogFullError,
    LogHeadDamagedError,
    KeyFileError,
    TlsFileError,
    TooManyKeysError,
    AuditDamagedError,
    LedgerDamagedError,
    BackupError,
    BoxError,
    RestoreUnfinishedError,
    VaultError,
  ];
  return isMisuse(error) || kinds.some((kind) => error instanceof kind) || isOfSystem(error);
}

letReadersGo();
try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(isPlain(error) ? `attune: ${error.message}\n` : `${(error as Error).stack}\n`);
  process.exitCode = isMisuse(error) ? EXIT_USAGE : 1;
}
