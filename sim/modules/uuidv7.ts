// `uuidv7` in the simulation: ordered by time, and the same for the same seed.
import { current } from "../world.ts";

export function uuidv7(): string {
  return uuidAt(current.world.wallMs);
}

export class V7Generator {
  generateOrResetWithTs(ms: number): string {
    return uuidAt(ms);
  }
}

function uuidAt(ms: number): string {
  const time = Math.max(0, ms).toString(16).padStart(12, "0");
  const random = (): string => current.world.rng.between(0, 0xffff).toString(16).padStart(4, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random().slice(1)}-8${random().slice(1)}-${random()}${random()}${random()}`;
}
