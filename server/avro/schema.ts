// An Avro schema (1.12, https://avro.apache.org/docs/1.12.0/specification/) as a graph that a datum is read along.
// Schemas come from senders: whatever is no schema is refused with a problem, and its size and depth are bounded.
import { isObject, parseJson } from "../http/body.ts";
import { Problem } from "../http/problem.ts";

const SCHEMA_BYTES_MAX = 64 * 1024;
const PRIMITIVES = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"] as const;

export type Schema =
  | { kind: (typeof PRIMITIVES)[number] }
  /** Microseconds; read as milliseconds, which is what attune's times are. */
  | { kind: "micros" }
  | { kind: "record"; fields: { name: string; schema: Schema }[] }
  | { kind: "enum"; symbols: readonly string[] }
  | { kind: "array"; items: Schema }
  | { kind: "map"; values: Schema }
  | { kind: "union"; branches: readonly Schema[] }
  | { kind: "fixed"; sizeBytes: number };

/** @throws Problem (bad_request, bad_json, too_deep). */
export function parseSchema(bytes: Buffer): Schema {
  if (bytes.length > SCHEMA_BYTES_MAX) throw badSchema(`it has more than ${SCHEMA_BYTES_MAX} bytes`);
  return read(parseJson(bytes), { namespace: "", named: new Map() });
}

interface Scope {
  /** The enclosing one: names without a dot are in it. */
  namespace: string;
  named: Map<string, Schema>;
}

/** Recursion is bounded by the depth that `parseJson` allows. */
function read(json: unknown, scope: Scope): Schema {
  if (typeof json === "string") return primitive(json) ?? reference(json, scope);
  if (Array.isArray(json)) return { kind: "union", branches: json.map((branch) => read(branch, scope)) };
  if (!isObject(json)) throw badSchema("a type is a name, an object or a list");
  const { type, logicalType } = json;
  switch (type) {
    case "record":
    case "error":
      return readRecord(json, scope);
    case "enum":
      return define(json, scope, { kind: "enum", symbols: namesOf(json["symbols"]) });
    case "fixed": {
      const { size } = json;
      if (typeof size !== "number" || !Number.isInteger(size) || size < 0) throw badSchema("a fixed has a size");
      return define(json, scope, { kind: "fixed", sizeBytes: size });
    }
    case "array":
      return { kind: "array", items: read(json["items"], scope) };
    case "map":
      return { kind: "map", values: read(json["values"], scope) };
    case "long":
      return { kind: /^(local-)?timestamp-micros$/.test(String(logicalType)) ? "micros" : "long" };
    default:
      return read(type, scope);
  }
}

function primitive(name: string): Schema | undefined {
  const kind = PRIMITIVES.find((known) => known === name);
  return kind === undefined ? undefined : { kind };
}

function reference(name: string, { namespace, named }: Scope): Schema {
  const found = named.get(name) ?? named.get(`${namespace}.${name}`);
  if (found === undefined) throw badSchema("it names a type that it does not define");
  return found;
}

function readRecord(json: Record<string, unknown>, scope: Scope): Schema {
  const record: Schema = { kind: "record", fields: [] };
  define(json, scope, record);
  const { fields } = json;
  if (!Array.isArray(fields)) throw badSchema("a record has fields");
  const inner = { ...scope, namespace: namespaceOf(fullNameOf(json, scope)) };
  for (const field of fields as unknown[]) {
    if (!isObject(field) || typeof field["name"] !== "string") throw badSchema("a field has a name");
    record.fields.push({ name: field["name"], schema: read(field["type"], inner) });
  }
  return record;
}

/** Before its own parts are read, so that a type may hold itself. */
function define(json: Record<string, unknown>, scope: Scope, schema: Schema): Schema {
  scope.named.set(fullNameOf(json, scope), schema);
  return schema;
}

function fullNameOf({ name, namespace }: Record<string, unknown>, scope: Scope): string {
  if (typeof name !== "string") throw badSchema("a record, an enum and a fixed have names");
  if (name.includes(".")) return name;
  return `${typeof namespace === "string" ? namespace : scope.namespace}.${name}`;
}

function namespaceOf(fullName: string): string {
  return fullName.slice(0, Math.max(0, fullName.lastIndexOf(".")));
}

function namesOf(symbols: unknown): string[] {
  if (!Array.isArray(symbols) || symbols.some((symbol) => typeof symbol !== "string")) {
    throw badSchema("an enum has symbols");
  }
  return symbols as string[];
}

function badSchema(why: string): Problem {
  return new Problem("bad_request", `The Avro schema cannot be used: ${why}.`);
}
