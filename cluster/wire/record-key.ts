// Keys of the records that are kept by time: the person's key, then what makes each record's key its own. So nothing of a
// topic is lost where Kafka compacts it, but what a tombstone of its very key takes away: that is how an erasure reaches the
// topics (cluster/kafka/compaction.ts). Records are placed by the person's key alone.
//
//   person's key in UTF-8 · byte 0xff, which UTF-8 has nowhere · 8 bytes by chance
//
// Earlier releases wrote the person's key alone; it is read for ever, topics that they made go on so (`topicsWithOwnKeys`), and
// a topic that holds one such key is not compacted.
import { randomFillSync } from "node:crypto";

const SEPARATOR = 0xff;
const CHANCE_BYTES = 8;
const TAIL_BYTES = 1 + CHANCE_BYTES;

/** Of ticks, which are nobody's: one is as good as another. */
export const TICK_KEY = Buffer.concat([Buffer.of(SEPARATOR), Buffer.alloc(CHANCE_BYTES)]);

/** A key of its own for a record of this person. */
export function recordKey(personKey: string): Buffer {
  const key = Buffer.alloc(Buffer.byteLength(personKey) + TAIL_BYTES, personKey);
  key[key.length - TAIL_BYTES] = SEPARATOR;
  randomFillSync(key, key.length - CHANCE_BYTES);
  return key;
}

/** The person's key, of whichever release; empty for a tick. */
export function personKeyOf(key: Buffer): string {
  return isOfItsOwn(key) ? key.toString("utf8", 0, key.length - TAIL_BYTES) : key.toString();
}

/** Whether no other record has this key. */
export function isOfItsOwn(key: Buffer): boolean {
  return key[key.length - TAIL_BYTES] === SEPARATOR;
}
