// The OpenAPI 3.1 document of the HTTP interface. A test holds it against the routes that the server registers.
import { accessOf } from "./openapi-access.ts";
import { INTAKE_PATHS } from "./openapi-intake.ts";
import { OPERATION_PATHS } from "./openapi-operation.ts";
import { problems, project, text, type Operation, type Paths } from "./openapi-parts.ts";
import { PERSON_PATHS } from "./openapi-persons.ts";
import { SCHEMAS, type Schema } from "./openapi-schemas.ts";
import { SERVING_PATHS } from "./openapi-serving.ts";
import type { ProblemCode } from "./problem.ts";

const PATHS: Paths = { ...INTAKE_PATHS, ...PERSON_PATHS, ...SERVING_PATHS, ...OPERATION_PATHS };

/** Whatever is asked. */
const ALWAYS = ["bad_request", "cross_origin", "rate_limited", "shutting_down"] as const;
/**
 * Where a key is needed. A project that is named is held against the key's, whatever is asked; and what is done with the key
 * may have to be taken down before it is answered.
 */
const REFUSALS = [
  "key_missing",
  "key_invalid",
  "token_invalid",
  "token_expired",
  "forbidden",
  "wrong_project",
  "unknown_project",
  "key_in_url",
  "origin_not_allowed",
  "unavailable",
] as const;
/** Where something is sent. */
const BODY_FAULTS = [
  "bad_json",
  "too_deep",
  "body_too_large",
  "unsupported_media_type",
  "unsupported_encoding",
  "overloaded",
] as const;

/** Each operation with what it needs, and every problem that it can be answered with. */
function withAccess(paths: Paths): Paths {
  const entries = Object.entries(paths).map(([path, methods]) => {
    const operations = Object.entries(methods).map(([method, { faults = [], ...operation }]): [string, Operation] => {
      const need = accessOf(`${method.toUpperCase()} ${path}`);
      const { parameters = [], requestBody } = operation;
      const codes: ProblemCode[] = [...faults, ...ALWAYS];
      if (need !== "public") codes.push(...REFUSALS);
      if (requestBody !== undefined) codes.push(...BODY_FAULTS);
      if (parameters.some((parameter) => parameter["in"] === "path")) codes.push("bad_parameter");
      if (parameters.includes(project)) codes.push("unknown_project");
      const responses = merged(problems(codes), operation.responses);
      return [method, { ...operation, "x-access": need, ...(need === "public" && { security: [] }), responses }];
    });
    return [path, Object.fromEntries(operations)] as const;
  });
  return Object.fromEntries(entries);
}

/** A status that is an answer as well as a problem (`GET /readyz`: 503) has the content of both. */
function merged(faults: Record<string, Schema>, answers: Record<string, Schema>): Record<string, Schema> {
  const responses = { ...faults, ...answers };
  for (const [status, answer] of Object.entries(answers)) {
    const fault = faults[status];
    if (fault === undefined) continue;
    const content = { ...(answer["content"] as Schema), ...(fault["content"] as Schema) };
    const description = `${String(answer["description"])} Or ${String(fault["description"])}.`;
    responses[status] = { ...fault, ...answer, description, content };
  }
  return responses;
}

/** The whole document; also served at `/docs/openapi.json`. */
export const openApiDocument = {
  openapi: "3.1.0",
  info: {
    title: "attune",
    version: "0.1.0",
    description:
      "From a click to a changed page within milliseconds. JSON in, JSON out; errors are problem documents (RFC 9457) with a stable `code`. What is no request that a route could take (405, 408, 417, 431) and a fault of the server (500) are such documents too, and are not named with each operation. A body may be sent with `Content-Encoding: gzip` or `zstd`.",
    license: { name: "Apache-2.0", identifier: "Apache-2.0" },
  },
  servers: [{ url: "/" }],
  tags: [
    "Events",
    "Segment",
    "Profiles",
    "Recommendations",
    "Decisions",
    "Live",
    "Segments",
    "Program",
    "Catalogue",
    "Privacy",
    "Access",
    "Operation",
    "Health",
    "Pages",
  ].map((name) => ({ name })),
  paths: withAccess(PATHS),
  security: [{ key: [] }, { key: [], userToken: [] }],
  components: {
    securitySchemes: {
      key: {
        type: "http",
        scheme: "bearer",
        description:
          "A key of the project. On loopback without keys none is needed. Write keys may stand in the query as `key`.",
      },
      userToken: {
        type: "apiKey",
        in: "header",
        name: "attune-user-token",
        description: "With a write key: the user whose data may be read.",
      },
    },
    parameters: {
      project: {
        name: "project",
        in: "query",
        schema: text,
        description: "The project, `default` where it is missing; also the header `attune-project`.",
      },
    },
    schemas: SCHEMAS,
  },
};
