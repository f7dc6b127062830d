// The published .proto files against the contract: its services, its fields, and what they are in JSON.
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import protobuf from "protobufjs";
import { CONTRACT_FIELDS, CONTRACT_SERVICES } from "../http/contract.ts";
import { SCHEMAS, type Schema } from "../http/openapi-schemas.ts";
import { startNode } from "../http/testing.ts";
import { TooDeepError } from "./json-types.ts";
import { AVRO_FILE, codecOf, PROTO_FOLDER, protoRoot } from "./messages.ts";

/**
 * What the four services carry. A problem is a status there, its code in the trailer `attune-code` and in ErrorInfo;
 * what else the contract names, HTTP alone has.
 */
const MESSAGES = [
  "Event",
  "Context",
  "IntakeAnswer",
  "Item",
  "Profile",
  "RecommendationRequest",
  "RecommendationList",
  "DecideRequest",
  "Decision",
] as const;

/** The kind of value that a field has in protobuf, as JSON Schema's `type` would have it. */
function kindOf(field: protobuf.Field): string {
  if (field.repeated) return "array";
  if (field.map) return "object";
  const type = field.resolvedType?.fullName ?? field.type;
  if (type === ".google.protobuf.Timestamp") return "time";
  if (type === ".google.protobuf.Value") return "any";
  if (field.resolvedType !== null) return "object";
  return { string: "string", bool: "boolean", double: "number", uint32: "integer" }[field.type] ?? field.type;
}

function kindOfSchema(schema: Schema): string {
  const options = (schema["anyOf"] ?? []) as Schema[];
  if (options.some(({ format }) => format === "date-time") || schema["format"] === "date-time") return "time";
  const [first] = options;
  if (first !== undefined) return kindOfSchema(first);
  return "$ref" in schema ? "object" : String(schema["type"] ?? "any");
}

test("every service of the contract is published, and served", async () => {
  const published = CONTRACT_SERVICES.map((name) => protoRoot.lookupService(name).fullName.slice(1));
  deepEqual(published, CONTRACT_SERVICES);
  const node = await startNode({ config: { grpc: { port: 0, ifFree: false } } });
  ok(/^127\.0\.0\.1:\d+$/.test(node.server.grpcAddress!));
  deepEqual(node.server.grpcServices, CONTRACT_SERVICES);
  await node.close();
});

test("every field of the contract is in its message, with the same kind of value as in the OpenAPI document", () => {
  for (const schema of MESSAGES) {
    const fields = CONTRACT_FIELDS[schema]!;
    const message = protoRoot.lookupType(`attune.v1.${schema}`);
    const properties = SCHEMAS[schema]!["properties"] as Record<string, Schema>;
    for (const name of fields) {
      const field = message.fields[name];
      ok(field !== undefined, `${schema}.${name}`);
      equal(kindOf(field), kindOfSchema(properties[name]!), `${schema}.${name}`);
    }
  }
});

test("no message has a field that JSON does not know", () => {
  for (const name of MESSAGES) {
    const properties = SCHEMAS[name]!["properties"] as Record<string, Schema>;
    for (const field of Object.keys(protoRoot.lookupType(`attune.v1.${name}`).fields)) {
      ok(field in properties, `${name}.${field}`);
    }
  }
});

test("the Avro schema has an event's fields", () => {
  const { fields } = JSON.parse(readFileSync(PROTO_FOLDER + AVRO_FILE, "utf8")) as {
    fields: { name: string; type: any }[];
  };
  deepEqual(fields.map(({ name }) => name).sort(), [...CONTRACT_FIELDS["Event"]!].sort());
  const context = fields.find(({ name }) => name === "context")!.type[1].fields as { name: string }[];
  deepEqual(context.map(({ name }) => name).sort(), [...CONTRACT_FIELDS["Context"]!].sort());
});

test("bytes that were once published are read for ever", () => {
  const bytes =
    "0a54120265311a01753a0c08d2c384d806108095879f0259000000000000000062030a01786a2f0a240a0161121f321d0a091100" +
    "0000000000f03f0a0208000a0c2a0a0a080a016212031a01630a070a016e120208007a0c0880f2d6ca061080cab5ee01";
  const message = {
    events: [
      {
        event_id: "e1",
        user_id: "u",
        timestamp: 1_795_236_306_602,
        value: 0,
        context: { device: "x" },
        additional_data: { a: [1, null, { b: "c" }], n: null },
      },
    ],
    sent_at: 1_767_225_600_500,
  };
  deepEqual(codecOf("EventBatch").decode(Buffer.from(bytes, "hex")), message);
  equal(codecOf("EventBatch").encode(message).toString("hex"), bytes);
});

test("what JSON has no word for, and what is not there", () => {
  const event = codecOf("Event");
  const data = {
    nan: NaN,
    infinite: Infinity,
    nothing: undefined,
    empty: "",
    list: [],
    own: JSON.parse('{"__proto__":1}'),
  };
  const { additional_data: read } = event.decode(
    event.encode({ event_id: "", value: null, unknown: 1, additional_data: data }),
  );
  deepEqual(Object.entries(read as object), [
    ["nan", null],
    ["infinite", null],
    ["empty", ""],
    ["list", []],
    ["own", JSON.parse('{"__proto__":1}')],
  ]);
  deepEqual(event.decode(event.encode({ event_id: "", value: null, unknown: 1 })), {});
  for (const ms of [0, -1, 1.5e12 + 1, "1969-12-31T23:59:59.999Z"]) {
    const { timestamp } = event.decode(event.encode({ timestamp: ms }));
    equal(timestamp, typeof ms === "string" ? -1 : Math.floor(ms));
  }
  throws(() => event.encode({ timestamp: "yesterday" }));
});

test("depth is bounded both for objects and for lists", () => {
  const event = codecOf("Event");
  const nested = (depth: number, wrap: (inner: unknown) => unknown): unknown =>
    depth === 0 ? 1 : wrap(nested(depth - 1, wrap));
  const inObjects = (depth: number) => event.encode({ additional_data: nested(depth, (a) => ({ a })) as object });
  const inLists = (depth: number) => event.encode({ additional_data: { a: nested(depth - 1, (a) => [a]) } });
  for (const at of [inObjects, inLists]) {
    event.decode(at(32));
    throws(() => event.decode(at(33)), TooDeepError);
  }
});
