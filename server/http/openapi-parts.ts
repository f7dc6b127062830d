// What the operations of the OpenAPI document are put together from.
import { ref, type Schema } from "./openapi-schemas.ts";
import { PROBLEMS, type ProblemCode } from "./problem.ts";
import type { Need } from "../access/roles.ts";

export interface Operation {
  /** What the key must be allowed; a test holds it against what the route enforces. */
  "x-access"?: Need;
  security?: readonly Record<string, readonly string[]>[];
  tags: string[];
  summary: string;
  description?: string;
  parameters?: Schema[];
  requestBody?: Schema;
  responses: Record<string, Schema>;
  /** Problems of its own; what every operation, every body and every key can be answered is added to them. */
  faults?: readonly ProblemCode[];
}

/** Of what goes into the log. */
export const CHANGES = ["overloaded", "storage_full", "storage_failed"] as const;

export const query = (name: string, schema: Schema, description: string): Schema => ({
  name,
  in: "query",
  schema,
  description,
});
export const path = (name: string, description: string): Schema => ({
  name,
  in: "path",
  required: true,
  schema: { type: "string", minLength: 1, maxLength: 128 },
  description,
});
export const text: Schema = { type: "string" };
export const project: Schema = { $ref: "#/components/parameters/project" };
export const limit = (high: number, otherwise: number): Schema =>
  query("limit", { type: "integer", minimum: 1, maximum: high, default: otherwise }, "How many at most.");
export const placementLimit = query(
  "limit",
  { type: "integer", minimum: 1, maximum: 200, default: 20 },
  "How many at most. Where it is missing, the placement's `limit`; 20 where that is missing too.",
);
export const json = (schema: Schema, description = "Done."): Schema => ({
  description,
  content: { "application/json": { schema } },
});
export const body = (schema: Schema, description = ""): Schema => ({
  required: true,
  description,
  content: { "application/json": { schema } },
});

/** Where no event was good the problem holds what became of each as well. */
const EVENTS_FAULT: Schema = { anyOf: [ref("RejectedEvents"), ref("Problem")] };
const WAITS: Schema = {
  "Retry-After": { description: "Seconds to wait before the next try; not with every code.", schema: { type: "integer", minimum: 1 } },
};

/** Groups the problems that an operation can answer by their status, each once. */
export function problems(codes: readonly ProblemCode[]): Record<string, Schema> {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of new Set(codes)) {
    const [status] = PROBLEMS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, list]) => [
      String(status),
      {
        description: list.map((code) => `\`${code}\``).join(", "),
        ...((status === 429 || status === 503) && { headers: WAITS }),
        content: { "application/problem+json": { schema: list.includes("events_rejected") ? EVENTS_FAULT : ref("Problem") } },
      },
    ]),
  );
}

export const personQuery = [
  query("user_id", text, "The user; this or `anonymous_id` is required."),
  query("anonymous_id", text, "The visitor."),
];
export const listAnswer = json(ref("RecommendationList"), "The list, best first.");

export type Paths = Readonly<Record<string, Record<string, Operation>>>;
