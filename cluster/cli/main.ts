// `attune cluster …`: the same program on Kafka, Flink and Redis. The launcher comes here for this one command, because
// the server's rooms know no cluster.
import { parseFlags } from "../../server/cli/flags.ts";
import { isHelp } from "../../server/cli/help.ts";
import { letReadersGo } from "../../server/cli/output.ts";
import { UsageError } from "../../server/cli/usage.ts";
import { isMisuse, plainly } from "./plain-faults.ts";
import { CLUSTER_FLAGS } from "./settings.ts";

const HELP = `attune cluster <command> [options]

  up                     install what is missing, start what does not run, make topics, submit the job, wait until ready
  status [--json]        parts, lag, checkpoints, throughput
  down [--now]           end everything that is ours; the next "up" goes on where it was (--now: without a savepoint)
  submit [--from PATH]   replace the running job by the sources as they are, through a savepoint
         --backfill      build everything anew from the log beside the running job, then take over
  savepoint [FOLDER]     write a savepoint; the job goes on
  keys …                 who may do what on every server; "attune cluster keys help"
  audit verify           check the servers' audit trail against its chain and its anchors
  verify                 fold the log anew and compare every profile
  backup --to FOLDER     copy what the log has that the folder lacks, closed, while everything runs
         --whole         copy everything anew
  restore --from FOLDER  put a backup's log into a cluster whose topics hold nothing, build everything from it, and verify
         --at TIME       as it was then, without anybody who was erased since
         --ledger PROJECT=FILE  a server's copy of the ledger of erasures, where Kafka was lost with the ledger
  logs [PART …] [--follow]

The data folder: --data FOLDER (default ./data). Settings of "up" and "restore", which the others go by and take where they
agree: --demo 0|1, --host, --port (the first server's), --servers N, --partitions N, --replicas N, --task-managers N,
--slots N, --parallelism N, --checkpoint-ms N,
--transaction-timeout-ms N (900000: as long as brokers and job may be away), --state-backend rocksdb|hashmap.
Existing installations instead of our own: --kafka HOST:PORT,… (TLS and SASL by --kafka-property NAME=VALUE, named as in
Kafka's Java clients; --job-properties-file FILE where an existing Flink's JobManager finds them), --flink URL,
--redis URL (rediss://, --redis-ca FILE, --redis-cert FILE, --redis-key FILE).
The servers' own TLS: --tls-cert FILE, --tls-key FILE.
Servers on several machines: --cluster-key-file FILE, the same 32 bytes in base64 for all.
All of it can stand in attune.config.ts (--config FILE: in another file) as cluster: { … }.
`;

type Command = (args: string[]) => Promise<number>;

const flagsOf = <T extends object>(args: string[], more: T) => parseFlags({ args, options: { ...CLUSTER_FLAGS, ...more } }).values;

const COMMANDS: Record<string, Command> = {
  up: async (args) => (await import("./up.ts")).upCommand(flagsOf(args, {})),
  down: async (args) => (await import("./down.ts")).downCommand(flagsOf(args, { now: { type: "boolean" } })),
  status: async (args) => (await import("./status.ts")).statusCommand(flagsOf(args, { json: { type: "boolean" } })),
  submit: async (args) => {
    const options = { from: { type: "string" }, backfill: { type: "boolean" } } as const;
    return (await import("./submit.ts")).submitCommand(flagsOf(args, options));
  },
  savepoint: async (args) => {
    const { values, positionals } = parseFlags({ args, options: CLUSTER_FLAGS, allowPositionals: true });
    return (await import("./submit.ts")).savepointCommand(values, positionals[0]);
  },
  audit: async (args) => {
    const { values, positionals } = parseFlags({ args, options: CLUSTER_FLAGS, allowPositionals: true });
    return (await import("./audit.ts")).auditCommand(values, positionals);
  },
  keys: async (args) => (await import("./keys.ts")).clusterKeysCommand(args),
  verify: async (args) => (await import("./verify.ts")).verifyCommand(flagsOf(args, {})),
  backup: async (args) => {
    const options = { to: { type: "string" }, whole: { type: "boolean" } } as const;
    return (await import("./backup.ts")).backupCommand(flagsOf(args, options));
  },
  restore: async (args) => {
    const own = { from: { type: "string" }, at: { type: "string" }, ledger: { type: "string", multiple: true } } as const;
    return (await import("./restore.ts")).restoreCommand(flagsOf(args, own));
  },
  logs: async (args) => {
    const options = { ...CLUSTER_FLAGS, follow: { type: "boolean" } } as const;
    const { values, positionals } = parseFlags({ args, options, allowPositionals: true });
    return (await import("./logs.ts")).logsCommand(values, positionals);
  },
};

const EXIT_USAGE = 2;

async function main(): Promise<number> {
  const [name, ...args] = process.argv.slice(2);
  if (name === undefined || name === "help" || isHelp(name)) {
    process.stdout.write(HELP);
    return name === undefined ? EXIT_USAGE : 0;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined)
    throw new UsageError(`"cluster ${name}" is no command; one of ${Object.keys(COMMANDS).join(", ")}`);
  if (!args.some(isHelp)) return command(args);
  if (name === "keys") return command(["help"]);
  process.stdout.write(HELP);
  return 0;
}

letReadersGo();
try {
  process.exitCode = await main();
} catch (error) {
  const plain = plainly(error);
  process.stderr.write(plain === undefined ? `${(error as Error).stack}\n` : `attune: ${plain}\n`);
  process.exitCode = isMisuse(error) ? EXIT_USAGE : 1;
}
