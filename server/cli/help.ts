// What `attune help`, `attune COMMAND --help` and a command that was called wrongly print.

export const HELP = `attune <command> [options]

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
"attune <command> --help" has each one's options.
`;

const OF_PROJECT = `  --data FOLDER          the data folder (ATTUNE_DATA, ./data); no running node may hold it
  --project NAME         one of its projects (default)
  --program shop|news    what a new project starts with (shop)
  --config FILE          instead of attune.config.ts
`;

/** Of the commands that have no page of their own. */
const OF_COMMAND: Readonly<Record<string, string>> = {
  start: `attune start: runs the node until SIGTERM

  --port N               ATTUNE_PORT (8080); 0 picks a free one
  --grpc-port N|off      ATTUNE_GRPC_PORT (one above the port where that is free)
  --host ADDRESS         ATTUNE_HOST (127.0.0.1); any other than loopback needs keys
  --data FOLDER          ATTUNE_DATA (./data)
  --demo 1|0             ATTUNE_DEMO (0): the demo site, with visitors of its own
  --tls-cert FILE        ATTUNE_TLS_CERT, with --tls-key FILE (ATTUNE_TLS_KEY): HTTPS and gRPC over TLS
  --config FILE          instead of attune.config.ts

ATTUNE_LOG_LEVEL (info) is silent, fatal, error, warn, info, debug or trace; the log is standard error.
`,
  import: `attune import [--items FILE] FILE …: reads events (NDJSON, packed with gzip or not, or - for standard input) into the data folder

  --items FILE           the catalogue, read first
${OF_PROJECT}
Reading a file twice changes nothing. Bad lines become dead letters with file and line, and each reason is told once; the rest
is taken.
`,
  replay: `attune replay FILE: sends a file's events to a running node as if they happened now

  --speed N              N times as fast as they came (1)
  --url URL              of the node (http://127.0.0.1:8080)
  --project NAME         which project takes them
  --limit N              the first N only

ATTUNE_KEY is a key that may send events, where the node has keys.
`,
  export: `attune export: writes the log's events to standard output as NDJSON, for import and evaluate

  --items                the catalogue instead, as it is now
${OF_PROJECT}
Left out are marked traffic (bots, Global Privacy Control) and persons who deny profiling. Attributes, consents, decisions and the
program are no events: "attune backup" takes everything.
`,
  verify: `attune verify: folds the whole log anew and compares every profile; exit code 1 where one differs

${OF_PROJECT}`,
  backup: `attune backup --to FOLDER: copies the data beside a running node, closed

  --whole                all of it, not only what changed
  --data FOLDER          the data folder (ATTUNE_DATA, ./data)
  --config FILE          instead of attune.config.ts
`,
  restore: `attune restore --from FOLDER --data FOLDER: a backup into a new data folder; erasures are replayed

  --at TIME              as it was then (ISO 8601)
  --position N           as it was at this position of the log
  --ledger PROJECT=FILE  a ledger of erasures to be replayed too; may be given several times
  --config FILE          instead of attune.config.ts
`,
  audit: `attune audit verify: checks the audit trail against its chain and its anchor; exit code 1 where it does not hold

  --data FOLDER          the data folder (ATTUNE_DATA, ./data)
  --config FILE          instead of attune.config.ts
`,
};

/** Whether a word of the command line asks for help. */
export function isHelp(argument: string): boolean {
  return argument === "--help" || argument === "-h";
}

export function helpOf(command: string): string | undefined {
  return OF_COMMAND[command];
}
