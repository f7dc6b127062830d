import { readFileSync } from "node:fs";

/** Reads one golden-vector file from /vectors; every host runs the same files. */
export function vectors<T>(path: string): T[] {
  return JSON.parse(readFileSync(new URL(`../../vectors/${path}`, import.meta.url), "utf8")).cases;
}
