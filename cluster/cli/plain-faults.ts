// Which faults of a cluster's command are told in a line or a few.
import { TooManyKeysError } from "../../server/access/key-table.ts";
import { AuditDamagedError } from "../../server/audit/audit-log.ts";
import { BoxError } from "../../server/backup/box.ts";
import { BackupError } from "../../server/backup/place.ts";
import { SettingError } from "../../server/cli/config.ts";
import { UsageError } from "../../server/cli/usage.ts";
import { FolderUnusableError } from "../../server/disk/folder-lock.ts";
import { VaultError } from "../../server/vault/vault.ts";
import { ClusterKeyError } from "../access/cluster-key.ts";
import { LedgerCopyError } from "../erasure/ledger-copy.ts";
import { InstallError } from "../install/tools.ts";
import { FlinkError } from "../jobs/flink-rest.ts";
import { OpenTransactionError } from "../kafka/committed.ts";
import { sayAway, sayRefused } from "../kafka/faults.ts";
import { TopicError } from "../kafka/topics.ts";
import { PartError } from "../parts/part.ts";
import { RedisAwayError } from "../redis/link.ts";
import { CheckError } from "./checks.ts";
import { PropertyError } from "./kafka-properties.ts";
import { ClusterBusyError } from "./lock.ts";

const PLAIN = [
  InstallError,
  FlinkError,
  TopicError,
  PartError,
  CheckError,
  PropertyError,
  ClusterBusyError,
  FolderUnusableError,
  ClusterKeyError,
  TooManyKeysError,
  AuditDamagedError,
  BackupError,
  BoxError,
  VaultError,
  OpenTransactionError,
  LedgerCopyError,
  RedisAwayError,
];

/** The command line or a setting is wrong, not what it works on. */
export function isMisuse(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  return error instanceof UsageError || error instanceof SettingError || code.startsWith("ERR_PARSE_ARGS");
}

/** Faults that a person can mend are one line or a few; undefined for anything else, which is a bug and keeps its stack. */
export function plainly(error: unknown): string | undefined {
  if (isMisuse(error) || PLAIN.some((kind) => error instanceof kind)) return (error as Error).message;
  return sayAway(error) ?? sayRefused(error);
}
