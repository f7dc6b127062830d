// The `attune` command line.
import { FolderLockedError } from "../log/folder-lock.ts";
import { TlsFileError } from "../http/tls.ts";
import { LogDamagedError, LogFailedError, LogFullError, LogHeadDamagedError } from "../log/log.ts";
import { KeyFileError } from "../access/key-file.ts";
import { TooManyKeysError } from "../access/key-table.ts";
import { AuditDamagedError } from "../audit/audit-log.ts";
import { BoxError } from "../backup/box.ts";
import { BackupError } from "../backup/place.ts";
import { VaultError } from "../vault/vault.ts";
import { SettingError } from "./config.ts";
import { EventFileError } from "./event-file.ts";
import { UsageError } from "./usage.ts";

const HELP = `attune <command> [options]

  start                       run the node; ATTUNE_PORT, ATTUNE_GRPC_PORT, ATTUNE_HOST, ATTUNE_DATA, ATTUNE_DEMO or --port, --grpc-port …
  import FILE …               read NDJSON files into the data folder; --items FILE for the catalogue first
  replay --speed N FILE       send a file to a running node as if it happened now; --url URL, --limit N
  evaluate FILE               measure recommendations on a file: recommend first, then reveal and learn
  evaluate --train F --test F learn, freeze and rank
  evaluate --off-policy FILE  what another policy would have brought, from logged choices with propensities
  export                      write the log's events as NDJSON; --items for the catalogue
  verify                      fold the log anew and compare every profile
  keys create|list|rotate|…   who may do what; "attune keys help"
  backup --to FOLDER          copy the data beside a running node, closed, what changed only; --whole
  restore --from FOLDER       into a new --data folder, with --at TIME or --position N; erasures are replayed
  audit verify                check the audit trail against its chain and its anchor
  cluster …                   the same on Kafka, Flink and Redis; "attune cluster help"

Commands on the data folder take --data FOLDER, --project NAME, --program shop|news and --config FILE.
`;

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
  if (name === undefined || name === "help" || name === "--help") {
    process.stdout.write(HELP);
    return name === undefined ? EXIT_USAGE : 0;
  }
  const load = COMMANDS[name];
  if (load === undefined) throw new UsageError(`"${name}" is no command; one of ${Object.keys(COMMANDS).join(", ")}`);
  return (await load())(args);
}

/** Faults that a person can mend are one line; anything else is a bug and keeps its stack. */
function isPlain(error: unknown): error is Error {
  const kinds = [
    UsageError,
    SettingError,
    EventFileError,
    FolderLockedError,
    LogDamagedError,
    LogFailedError,
    LogFullError,
    LogHeadDamagedError,
    KeyFileError,
    TlsFileError,
    TooManyKeysError,
    AuditDamagedError,
    BackupError,
    BoxError,
    VaultError,
  ];
  const code = (error as NodeJS.ErrnoException).code ?? "";
  return kinds.some((kind) => error instanceof kind) || code.startsWith("ERR_PARSE_ARGS") || code === "EADDRINUSE";
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(isPlain(error) ? `attune: ${error.message}\n` : `${(error as Error).stack}\n`);
  process.exitCode = error instanceof UsageError || error instanceof SettingError ? EXIT_USAGE : 1;
}
