// The OpenAPI 3.1 document of the HTTP interface. A test holds it against the routes that the server registers.
import { accessOf } from "./openapi-access.ts";
import { INTAKE_PATHS } from "./openapi-intake.ts";
import { OPERATION_PATHS } from "./openapi-operation.ts";
import { problems, project, text, type Operation, type Paths } from "./openapi-parts.ts";
import { PERSON_PATHS } from "./openapi-persons.ts";
import { SCHEMAS } from "./openapi-schemas.ts";
import { SERVING_PATHS } from "./openapi-serving.ts";

const PATHS: Paths = { ...INTAKE_PATHS, ...PERSON_PATHS, ...SERVING_PATHS, ...OPERATION_PATHS };

const REFUSALS = [
  "key_missing",
  "key_invalid",
  "token_invalid",
  "token_expired",
  "forbidden",
  "wrong_project",
  "origin_not_allowed",
] as const;

/** Each operation with what it needs, and how it refuses. */
function withAccess(paths: Paths): Paths {
  const entries = Object.entries(paths).map(([path, methods]) => {
    const operations = Object.entries(methods).map(([method, operation]): [string, Operation] => {
      const need = accessOf(`${method.toUpperCase()} ${path}`);
      const { parameters = [] } = operation;
      const faults = parameters.some((parameter) => parameter["in"] === "path") ? (["bad_parameter"] as const) : [];
      if (need === "public") {
        const responses = { ...problems(faults), ...operation.responses };
        return [method, { ...operation, "x-access": need, security: [], responses }];
      }
      const named = parameters.includes(project) ? (["unknown_project"] as const) : [];
      const refusals = problems([...REFUSALS, ...faults, ...named]);
      return [method, { ...operation, "x-access": need, responses: { ...refusals, ...operation.responses } }];
    });
    return [path, Object.fromEntries(operations)] as const;
  });
  return Object.fromEntries(entries);
}

/** The whole document; also served at `/docs/openapi.json`. */
export const openApiDocument = {
  openapi: "3.1.0",
  info: {
    title: "attune",
    version: "0.1.0",
    description:
      "From a click to a changed page within milliseconds. JSON in, JSON out; errors are problem documents (RFC 9457) with a stable `code`.",
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
