// The lines of an export, whichever host writes it: what is known of a person now, then a line for each record of his.
import type { Unit } from "../../core/experiment/units.ts";
import type { PersonState } from "../../core/profile/person.ts";
import { profileView } from "../../core/profile/view.ts";
import type { CompiledProgram } from "../../core/program/compiled.ts";
import type { LogRecord } from "../../core/record.ts";
import type { ExportLine } from "../ports.ts";
import { DATA_DICTIONARY } from "./dictionary.ts";
import { exportedFields } from "./inventory/inventory.ts";

export interface KnownPerson {
  /** His canonical key. */
  readonly key: string;
  /** Undefined: nobody is known by it. */
  readonly person: PersonState | undefined;
  readonly plan: CompiledProgram["plan"];
  readonly nowMs: number;
  /** His part in experiments, those that were taken out included. */
  readonly units: Iterable<[run: string, unit: Unit]>;
}

/** The dictionary, and what is known and concluded now. */
export function* knownLines({ key, person, plan, nowMs, units }: KnownPerson): Generator<ExportLine> {
  yield { record: "dictionary", kinds: DATA_DICTIONARY, fields: exportedFields() };
  yield { record: "person", key, profile: person === undefined ? null : profileView(person, plan, nowMs) };
  yield { record: "consent", consent: person?.consent ?? null };
  if (person !== undefined) yield { record: "state", state: storedFields(person) };
  for (const [run, unit] of units) yield { record: "experiment", run, unit };
}

export function lineOf(record: LogRecord): ExportLine {
  switch (record.kind) {
    case "event":
      return { record: "event", event: record.event };
    case "attributes": {
      const { at, attributes, consent } = record;
      return { record: "attributes", at, attributes, ...(consent === undefined ? {} : { consent }) };
    }
    case "decision":
      return { record: "decision", at: record.at, decision: record.decision };
    default:
      return { record: record.kind, at: record.at, ...("letter" in record ? { letter: record.letter } : {}) };
  }
}

/** What the state holds of him, field by field as the inventory names them. */
function storedFields({ layout: _layout, recentCategories: _counted, ...stored }: PersonState): Record<string, unknown> {
  const plain = (_key: string, value: unknown): unknown => {
    if (value instanceof Map) return Object.fromEntries(value);
    if (value === undefined) return null;
    return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
  };
  return JSON.parse(JSON.stringify(stored, plain)) as Record<string, unknown>;
}
