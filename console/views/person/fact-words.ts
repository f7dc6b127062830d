// What is known of a person in words: attributes as they came, surroundings as the node means them.
import type { Profile } from "../../api/types.ts";

/** A text as it is, anything else as JSON. */
export function plainWords(_name: string, value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/** A zone that the node reads (`core/profile/local-time.ts`): an offset. By any other it counts in UTC. */
const OFFSET = /^(Etc\/GMT|UTC|GMT)?([+-])(\d{1,2})(?::?([0-5]\d))?$/;

/** The node's own `hour` and `weekday` are those of where the visitor is only if the visitor's zone is known. */
export function surroundingWords(name: string, value: unknown, { timezone }: Profile["context"]): string {
  const zone = typeof timezone === "string" && OFFSET.test(timezone) ? ", where the visitor is" : " UTC";
  if (name === "hour" && typeof value === "number") return `${String(value).padStart(2, "0")}:00${zone}`;
  if (name === "weekday" && typeof value === "number") return WEEKDAYS[value] ?? String(value);
  return plainWords(name, value);
}
