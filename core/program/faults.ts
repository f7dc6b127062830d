// Gathering the faults of a document: each with its JSON pointer, all in one go.
import { FAULTS_MAX, NAME_CHARS_MAX } from "./limits.ts";
import { didYouMean } from "./cel/names.ts";
import { DURATION_FORM, durationMs } from "./duration.ts";
import type { ProgramFault } from "./program.ts";

/** What is a slip too many is read as the rest, with all its faults; what is no program at all is not read to its end. */
const READ_BEYOND = 10;

export type JsonObject = Readonly<Record<string, unknown>>;

export interface NumberRange {
  min: number;
  max: number;
  /** `min` itself is not allowed. */
  above?: boolean;
  whole?: boolean;
}

/** A place in the document: its pointer, and what is written there. */
export class Faults {
  readonly list: ProgramFault[] = [];

  add(path: string, code: string, message: string, position?: number): void {
    if (this.list.length >= FAULTS_MAX) return;
    this.list.push(position === undefined ? { path, code, message } : { path, code, message, position });
  }

  /** The value as an object, with a fault for every key that is not among `keys`; undefined where it is none. */
  object(value: unknown, path: string, keys: readonly string[] | null): JsonObject | undefined {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      this.add(path, "bad_type", `this must be an object, not ${kindOf(value)}`);
      return undefined;
    }
    if (keys !== null) {
      for (const key of Object.keys(value)) {
        if (this.list.length >= FAULTS_MAX) break;
        if (!keys.includes(key)) {
          const near = didYouMean(key, keys);
          this.add(
            at(path, key),
            "unknown_key",
            `unknown key \`${key}\`${near === "" ? `; known here: ${keys.join(", ")}` : near}`,
          );
        }
      }
    }
    return value as JsonObject;
  }

  /** Names and values of a part such as `segments`; names that are none are reported and left out. */
  entries(value: unknown, path: string, limit: { name: string; max: number }): [string, unknown][] {
    if (value === undefined) return [];
    const part = this.object(value, path, null);
    if (part === undefined) return [];
    const names = Object.keys(part);
    if (names.length > limit.max) {
      this.add(
        path,
        "too_many",
        `${names.length} ${limit.name}, at most ${limit.max} are allowed (${limit.name.toUpperCase()}_MAX)`,
      );
    }
    const read = names.slice(0, limit.max * READ_BEYOND);
    return read.filter((name) => this.name(name, at(path, name))).map((name) => [name, part[name]]);
  }

  name(name: string, path: string): boolean {
    if (name.length <= NAME_CHARS_MAX && /^[a-z][a-z0-9_]*$/.test(name)) return true;
    this.add(
      path,
      "bad_name",
      `\`${name}\` is no name: write small letters, digits and _, a letter first, at most ${NAME_CHARS_MAX}`,
    );
    return false;
  }

  array(value: unknown, path: string, max: number): readonly unknown[] | undefined {
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) {
      this.add(path, "bad_type", `this must be a list, not ${kindOf(value)}`);
      return undefined;
    }
    if (value.length > max) this.add(path, "too_many", `${value.length} entries, at most ${max} are allowed`);
    return value.slice(0, max * READ_BEYOND);
  }

  string(value: unknown, path: string, max: number): string | undefined {
    if (value === undefined) return undefined;
    if (typeof value !== "string") {
      this.add(path, "bad_type", `this must be a string, not ${kindOf(value)}`);
      return undefined;
    }
    if (value.length <= max) return value;
    this.add(path, "too_long", `${value.length} characters, at most ${max} are allowed`);
    return undefined;
  }

  boolean(value: unknown, path: string): boolean | undefined {
    if (value === undefined || typeof value === "boolean") return value;
    this.add(path, "bad_type", `this must be true or false, not ${kindOf(value)}`);
    return undefined;
  }

  number(value: unknown, path: string, { min, max, above = false, whole = false }: NumberRange): number | undefined {
    if (value === undefined) return undefined;
    if (typeof value !== "number") {
      this.add(path, "bad_type", `this must be a number, not ${kindOf(value)}`);
      return undefined;
    }
    if (value <= max && (above ? value > min : value >= min) && (!whole || Number.isInteger(value))) return value;
    const range = `${above ? "above" : "from"} ${min} ${above ? "and at most" : "to"} ${max}`;
    this.add(path, "out_of_range", `${value} is out of range: write a ${whole ? "whole " : ""}number ${range}`);
    return undefined;
  }

  duration(value: unknown, path: string): number | undefined {
    if (value === undefined) return undefined;
    const ms = typeof value === "string" ? durationMs(value) : undefined;
    if (ms === undefined) {
      const shown = typeof value === "string" ? `\`${value.slice(0, 40)}\`` : kindOf(value);
      this.add(path, "bad_duration", `${shown} is no duration: write ${DURATION_FORM}`);
    }
    return ms;
  }

  oneOf<T extends string>(value: unknown, path: string, choices: readonly T[]): T | undefined {
    if (value === undefined) return undefined;
    if (typeof value === "string" && (choices as readonly string[]).includes(value)) return value as T;
    const shown = typeof value === "string" ? `\`${value.slice(0, 40)}\`` : kindOf(value);
    const near = typeof value === "string" ? didYouMean(value, choices) : "";
    this.add(path, "bad_choice", `${shown} is none of ${choices.join(", ")}${near}`);
    return undefined;
  }

  /** Different members of `choices`. */
  choices<T extends string>(value: unknown, path: string, choices: readonly T[]): readonly T[] | undefined {
    const list = this.array(value, path, choices.length);
    if (list === undefined) return undefined;
    const seen = new Set<T>();
    list.forEach((entry, i) => {
      const choice = this.oneOf(entry, at(path, i), choices);
      if (choice !== undefined && seen.has(choice))
        this.add(at(path, i), "duplicate", `\`${choice}\` is there already: leave it out`);
      if (choice !== undefined) seen.add(choice);
    });
    return [...seen];
  }

  required(value: unknown, path: string, what: string): boolean {
    if (value !== undefined) return true;
    this.add(path, "missing", `${what} is missing`);
    return false;
  }
}

/** Pointer to a member (RFC 6901). */
export function at(path: string, key: string | number): string {
  return `${path}/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : typeof value === "undefined" ? "nothing" : `a ${typeof value}`;
}
