// `node:timers/promises` in the simulation.
import { current } from "../world.ts";

export function setImmediate(): Promise<void> {
  return new Promise((resolve) => current.world.after(0, resolve));
}

export function setTimeout(ms: number): Promise<void> {
  return new Promise((resolve) => current.world.after(ms, resolve));
}
