// What a backup of a cluster says about itself; written last, so a backup without it was not finished.
import { type BackupFolder, openBackup } from "../../server/backup/place.ts";
import type { TruthKind } from "./truth.ts";

export interface ClusterManifest {
  readonly format: 1;
  readonly host: "cluster";
  /** ISO 8601: when the backup was begun. All that was accepted before is in it. */
  readonly at: string;
  /** What a new cluster must have in common with the one that was copied. */
  readonly settings: CopiedSettings;
  /** Jobs of the ledgers that were done when the topics were copied. */
  readonly erasuresDone: number;
  readonly topics: readonly CopiedTopic[];
}

export interface CopiedSettings {
  /** Opens what the `access` topic holds, and hashes the names in the audit trail. */
  readonly clusterKey: string;
  readonly demo: boolean;
  readonly partitions: number;
}

export interface CopiedTopic {
  readonly name: string;
  readonly kind: TruthKind;
  /** Kafka's: a topic that was made anew has another one. */
  readonly id: string;
  /** By partition: behind the last record that was copied, or passed over. */
  readonly ends: readonly number[];
  /** In the order in which their records are sent back. */
  readonly boxes: readonly CopiedBox[];
}

export interface CopiedBox {
  readonly box: number;
  readonly records: number;
  /** On the disk. */
  readonly sizeBytes: number;
  /** By partition that it holds records of: behind the last of them. */
  readonly ends: Readonly<Record<number, number>>;
}

export type ClusterBackup = BackupFolder<ClusterManifest>;

/** @throws BackupError, BoxError, VaultError */
export function openClusterBackup(path: string, keys: string | undefined, mode: "write" | "read"): Promise<ClusterBackup> {
  return openBackup<ClusterManifest>(path, keys, mode, "cluster");
}
