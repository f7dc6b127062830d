// Which partition a key lies in: as Kafka's Java producers, the job's included, choose it. The Node client's own default
// differs from them (it keeps the sign bit), so it is never left to choose.
import { murmur2 } from "@platformatic/kafka";

export function partitionOf(key: string, partitions: number): number {
  return (murmur2(Buffer.from(key)) & 0x7fffffff) % partitions;
}
