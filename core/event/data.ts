// Bounds of the free part of an event: additional_data.
import { utf8Length } from "../wire/writer.ts";
import { rejection, type Rejection, type RejectionCode } from "./rejection.ts";

export const DATA_KEYS_MAX = 64;
/** Objects and arrays in each other, additional_data itself included. */
const DATA_DEPTH_MAX = 5;
/** As JSON in UTF-8. */
const DATA_BYTES_MAX = 16_384;

/** What is wrong with additional data, or null. Bounded work, whatever the value is. */
export function checkData(data: Record<string, unknown>): Rejection | null {
  let keys = 0;
  for (const key in data) if (Object.hasOwn(data, key)) keys++;
  if (keys > DATA_KEYS_MAX) return rejection("additional_data_too_many_keys", "/additional_data");
  const walk: Walk = { least: 0, most: 0, fault: null };
  visit(walk, data, 1);
  if (walk.fault !== null) return rejection(walk.fault, "/additional_data");
  // Only a value near the bound has its JSON written to be measured.
  if (walk.most > DATA_BYTES_MAX && utf8Length(JSON.stringify(data)) > DATA_BYTES_MAX) {
    return rejection("additional_data_too_large", "/additional_data");
  }
  return null;
}

interface Walk {
  /** Bytes that the JSON seen so far takes at least, and at most. */
  least: number;
  most: number;
  fault: RejectionCode | null;
}

function visit(walk: Walk, value: unknown, depth: number): void {
  switch (typeof value) {
    case "string":
      grow(walk, value.length + 2, 6 * value.length + 2); // \u0000 is the longest way to write a unit.
      return;
    case "number":
      if (value - value !== 0) walk.fault = "additional_data_invalid"; // 1e999 parses as Infinity.
      grow(walk, 1, 25);
      return;
    case "boolean":
      grow(walk, 4, 5);
      return;
    case "object":
      if (value === null) grow(walk, 4, 4);
      else visitContainer(walk, value, depth);
      return;
    case "undefined":
      return; // As JSON.stringify does: not there.
    default:
      walk.fault = "additional_data_invalid";
  }
}

function visitContainer(walk: Walk, value: object, depth: number): void {
  if (depth > DATA_DEPTH_MAX) {
    walk.fault = "additional_data_too_deep";
    return;
  }
  grow(walk, 2, 2);
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length && walk.fault === null; i++) {
      grow(walk, 1, 1);
      visit(walk, value[i], depth + 1);
    }
    return;
  }
  for (const key in value) {
    if (walk.fault !== null) return;
    if (!Object.hasOwn(value, key)) continue;
    if (key === "__proto__") {
      walk.fault = "additional_data_invalid";
      return;
    }
    grow(walk, key.length + 3, 6 * key.length + 4);
    visit(walk, (value as Record<string, unknown>)[key], depth + 1);
  }
}

function grow(walk: Walk, least: number, most: number): void {
  walk.least += least;
  walk.most += most;
  // Commas between entries are in `least` once too often.
  if (walk.least > 2 * DATA_BYTES_MAX && walk.fault === null) walk.fault = "additional_data_too_large";
}
