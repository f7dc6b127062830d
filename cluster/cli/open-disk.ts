// Whether what the cluster's parts write on this machine is closed: they close nothing themselves, their disk must.
import { environmentOf } from "../../server/cli/environment.ts";
import { isDiskEncrypted } from "../parts/disk-encryption.ts";
import type { ClusterSettings } from "./settings.ts";

/** What to say of the disk under parts that are ours; undefined where it is encrypted, or open by an explicit setting. */
export function openDisk({ folder, plan }: ClusterSettings): string | undefined {
  const isOurs = [plan.kafka, plan.flink, plan.redis].some(({ own }) => own !== undefined);
  if (!isOurs || environmentOf()["ATTUNE_ENCRYPTION"] === "off" || isDiskEncrypted(folder) === true) return undefined;
  return (
    `${folder} lies on no encrypted disk that this machine knows of: Kafka, Flink and Redis write in the open ` +
    '("At rest" in docs/guides/operator.md; ATTUNE_ENCRYPTION=off where that is meant)'
  );
}
