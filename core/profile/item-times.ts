// When items were shown to a person, and when he bought them: the latest of each, newest first, kept only where a
// placement asks for them (frequency caps, `purchased_for`). A function of the set of events, as `recent` is.
import type { In, Out } from "./codec-times.ts";
import { inserted } from "./lists.ts";

/** Shows that are kept: a page of 24 cards eight times over. */
export const SHOWN_MAX = 200;
export const BOUGHT_MAX = 200;

export interface ItemTime {
  readonly item_id: string;
  /** Event time, Unix ms. */
  readonly timestamp: number;
  /** Hash of the event id: orders what happened in the same millisecond. */
  readonly tie: number;
}

/** `list` with `entry`, of which the newest `max`. */
export function withItemTime(list: readonly ItemTime[], entry: ItemTime, max: number): readonly ItemTime[] {
  let at = 0;
  while (at < list.length && !isNewer(entry, list[at]!)) at++;
  return at >= max ? list : inserted(list, at, entry, max);
}

export function writeItemTimes({ writer, strings, baseMs }: Out, list: readonly ItemTime[]): void {
  writer.varint(list.length);
  let laterMs = baseMs;
  for (const { item_id, timestamp, tie } of list) {
    strings(item_id);
    writer.varint(laterMs - timestamp);
    laterMs = timestamp;
    writer.uint32(tie);
  }
}

export function readItemTimes({ reader, strings, baseMs }: In, max: number): readonly ItemTime[] {
  const list = new Array<ItemTime>(reader.count(max));
  let timestamp = baseMs;
  for (let i = 0; i < list.length; i++) {
    const item_id = strings();
    timestamp -= reader.varint();
    list[i] = { item_id, timestamp, tie: reader.uint32() };
  }
  return list;
}

function isNewer(entry: ItemTime, than: ItemTime): boolean {
  return entry.timestamp !== than.timestamp ? entry.timestamp > than.timestamp : entry.tie > than.tie;
}
