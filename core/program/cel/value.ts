// Values that expressions compute with, and their static types.

/** The outcome of an evaluation that failed: a missing attribute, a wrong type. It is a value, because data is no exception. */
export const FAULT: unique symbol = Symbol("fault");

export type CelKind = "double" | "string" | "bool" | "null" | "list" | "map" | "dyn";

export interface CelType {
  readonly kind: CelKind;
  readonly element?: CelType;
}

export const DOUBLE: CelType = { kind: "double" };
export const STRING: CelType = { kind: "string" };
export const BOOL: CelType = { kind: "bool" };
export const NULL: CelType = { kind: "null" };
export const MAP: CelType = { kind: "map" };
export const DYN: CelType = { kind: "dyn" };
export const STRINGS: CelType = { kind: "list", element: STRING };
export const LIST: CelType = { kind: "list", element: DYN };

export const listOf = (element: CelType): CelType => ({ kind: "list", element });

/** In the words of who writes rules. */
const WORDS: Readonly<Record<CelKind, string>> = {
  double: "number",
  string: "string",
  bool: "condition",
  null: "null",
  list: "list",
  map: "map",
  dyn: "value of unknown type",
};

export function typeName({ kind, element = DYN }: CelType): string {
  return kind === "list" && element.kind !== "dyn" ? `list of ${typeName(element)}s` : WORDS[kind];
}

/** Whether a value of type `a` may equal one of type `b`. */
export function comparable(a: CelType, b: CelType): boolean {
  if (a.kind === "dyn" || b.kind === "dyn") return true;
  if (a.kind !== b.kind) return false;
  if (a.kind !== "list") return true;
  return comparable(a.element ?? DYN, b.element ?? DYN);
}

export const kindIs = (type: CelType, kind: CelKind): boolean => type.kind === kind || type.kind === "dyn";

const EQUAL_DEPTH_MAX = 8;

/** CEL equality of two values: by value, and false between values of different types. */
export function celEquals(a: unknown, b: unknown, depth = 0): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null || depth > EQUAL_DEPTH_MAX)
    return false;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((value, i) => celEquals(value, b[i], depth + 1));
  }
  if (Array.isArray(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && celEquals(valueAt(a, key), valueAt(b, key), depth + 1));
}

/** An own property; FAULT where there is none, so that a prototype is never read. */
export function valueAt(holder: object, key: string): unknown {
  if (!Object.hasOwn(holder, key)) return FAULT;
  const value = (holder as Record<string, unknown>)[key];
  return value === undefined ? FAULT : value;
}
