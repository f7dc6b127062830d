// What each operation needs, as the OpenAPI document says it (`x-access`). A test holds it against what the routes
// enforce, and asks every operation as every kind of principal.
import type { Need } from "../access/roles.ts";

const ACCESS: Readonly<Record<Need, readonly string[]>> = {
  public: [
    "GET /v1/projects/{write_key}/settings",
    "GET /v1/session",
    "POST /v1/session",
    "DELETE /v1/session",
    "GET /v1/session/oidc",
    "GET /v1/session/oidc/callback",
    "GET /healthz",
    "GET /readyz",
    "GET /console/",
    "GET /demo/",
    "GET /sdk/attune.js",
    "GET /docs/proto/attune/v1/events.proto",
    "GET /docs/",
  ],
  collect: [
    "POST /v1/events",
    "POST /v1/batch",
    "POST /v1/b",
    "POST /v1/import",
    "POST /v1/track",
    "POST /v1/t",
    "POST /v1/page",
    "POST /v1/p",
    "POST /v1/screen",
    "POST /v1/s",
    "POST /v1/identify",
    "POST /v1/i",
    "POST /v1/alias",
    "POST /v1/a",
    "POST /v1/group",
    "POST /v1/g",
    "PATCH /v1/users/{user_id}/profile",
    "PATCH /v1/visitors/{anonymous_id}/profile",
    "PUT /v1/privacy/users/{user_id}/consent",
    "PUT /v1/privacy/visitors/{anonymous_id}/consent",
  ],
  own: [
    "GET /v1/users/{user_id}/profile",
    "GET /v1/visitors/{anonymous_id}/profile",
    "GET /v1/privacy/users/{user_id}/consent",
    "GET /v1/privacy/visitors/{anonymous_id}/consent",
    "GET /v1/recommendations",
    "POST /v1/recommendations",
    "POST /v1/decide",
    "GET /v1/live",
  ],
  browse: ["GET /v1/items", "GET /v1/items/{item_id}", "GET /v1/items/{item_id}/similar", "GET /v1/trending"],
  read: [
    "GET /v1/events/stream",
    "POST /v1/recommendations/preview",
    "GET /v1/segments",
    "GET /v1/segments/{name}/users",
    "GET /v1/search",
    "GET /v1/experiments",
    "GET /v1/experiments/{name}",
    "GET /v1/slots",
    "GET /v1/models",
    "GET /v1/program",
    "POST /v1/program/check",
    "GET /v1/program/versions",
    "GET /v1/dead-letters",
    "GET /v1/stats",
    "GET /v1/projects",
    "GET /metrics",
  ],
  operate: [
    "PUT /v1/items",
    "DELETE /v1/items/{item_id}",
    "PUT /v1/program",
    "POST /v1/program/rollback",
    "POST /v1/dead-letters/{id}/retry",
    "POST /v1/user-tokens",
  ],
  admin: [
    "DELETE /v1/privacy/users/{user_id}",
    "DELETE /v1/privacy/visitors/{anonymous_id}",
    "GET /v1/privacy/jobs/{job_id}",
    "GET /v1/privacy/inventory",
    "GET /v1/privacy/retention",
    "GET /v1/privacy/users/{user_id}/export",
    "GET /v1/privacy/visitors/{anonymous_id}/export",
    "GET /v1/keys",
    "POST /v1/keys",
    "POST /v1/keys/{key_id}/rotate",
    "DELETE /v1/keys/{key_id}",
    "POST /v1/token-secrets",
    "GET /v1/audit",
  ],
};

const NEED_OF = new Map<string, Need>(
  Object.entries(ACCESS).flatMap(([need, operations]) => operations.map((operation) => [operation, need as Need] as const)),
);

/** @throws Error for an operation that says not what it needs. */
export function accessOf(operation: string): Need {
  const need = NEED_OF.get(operation);
  if (need === undefined) throw new Error(`${operation} says not what it needs: server/http/openapi-access.ts`);
  return need;
}
