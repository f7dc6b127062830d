// Operations of those who run a node: keys, sessions, audit, what happens, health, pages.
import {
  body,
  json,
  limit,
  path,
  personQuery,
  placementLimit,
  project,
  query,
  text,
  type Paths,
} from "./openapi-parts.ts";
import { ref, type Schema } from "./openapi-schemas.ts";

const overlap: Schema = {
  type: "object",
  properties: { overlap_s: { type: "integer", minimum: 0, maximum: 2592000, default: 86400 } },
};

const page = (type: string, description: string): Schema => ({ description, content: { [type]: { schema: text } } });
const html = page("text/html", "HTML.");

export const OPERATION_PATHS: Paths = {
  "/v1/keys": {
    get: {
      tags: ["Access"],
      summary: "Keys of the project",
      description: "With those that are no longer in force. The keys themselves are not kept, only their hashes.",
      parameters: [project],
      responses: {
        200: json({ type: "object", properties: { keys: { type: "array", items: ref("Key") } }, required: ["keys"] }),
      },
    },
    post: {
      tags: ["Access"],
      summary: "Make a key",
      description: "A node's first key must be an admin key: from then on nobody gets in without one.",
      parameters: [project],
      requestBody: body(ref("KeyRequest")),
      responses: {
        201: json(ref("IssuedKey"), "`key` is shown this once."),
      },
      faults: ["bad_parameter", "admin_key_first", "too_many_keys"],
    },
  },
  "/v1/keys/{key_id}/rotate": {
    post: {
      tags: ["Access"],
      summary: "Replace a key",
      description: "A new key with the same rights; the old one goes on for `overlap_s`.",
      parameters: [path("key_id", "The key's id."), project],
      requestBody: body(overlap),
      responses: {
        201: json(ref("IssuedKey"), "`key` is shown this once."),
      },
      faults: ["bad_parameter", "unknown_key", "too_many_keys"],
    },
  },
  "/v1/keys/{key_id}": {
    delete: {
      tags: ["Access"],
      summary: "Revoke a key",
      description: "At once: the next request with it is refused, open connections of it are told nothing more.",
      parameters: [path("key_id", "The key's id."), project],
      responses: { 204: { description: "It is revoked." } },
      faults: ["unknown_key"],
    },
  },
  "/v1/token-secrets": {
    post: {
      tags: ["Access"],
      summary: "A new secret for user tokens",
      description:
        "Your backend signs user tokens with it (HS256, audience `attune:PROJECT`, `sub` the user, at most a day). Tokens of the old one are taken for `overlap_s`.",
      parameters: [project],
      requestBody: body(overlap),
      responses: {
        201: json({ type: "object", properties: { id: text, secret: text }, required: ["id", "secret"] }),
      },
      faults: ["bad_parameter"],
    },
  },
  "/v1/user-tokens": {
    post: {
      tags: ["Access"],
      summary: "Make a user token",
      description:
        "For backends that sign none themselves. The page sends it as `attune-user-token`, and a write key may then read what is this user's.",
      parameters: [project],
      requestBody: body({
        type: "object",
        properties: { user_id: text, life_s: { type: "integer", minimum: 1, maximum: 86400, default: 900 } },
        required: ["user_id"],
      }),
      responses: {
        201: json({
          type: "object",
          properties: { user_token: text, expires_at: { type: "string", format: "date-time" } },
          required: ["user_token", "expires_at"],
        }),
      },
      faults: ["bad_parameter"],
    },
  },
  "/v1/session": {
    get: { tags: ["Access"], summary: "Who asks", responses: { 200: json(ref("Session")) } },
    post: {
      tags: ["Access"],
      summary: "Open the console with a key",
      description: "Sets a cookie that no script reads; it counts only for requests of the console's own pages.",
      requestBody: body({ type: "object", properties: { key: text }, required: ["key"] }),
      responses: {
        201: json(ref("Session")),
      },
      faults: ["bad_parameter", "key_invalid", "forbidden"],
    },
    delete: {
      tags: ["Access"],
      summary: "Close the console",
      responses: {
        200: json({
          type: "object",
          properties: { logout_url: text },
          required: ["logout_url"],
          description: "The session has ended; the identity provider's own ends at this page.",
        }),
        204: { description: "The session has ended." },
      },
    },
  },
  "/v1/session/oidc": {
    get: {
      tags: ["Access"],
      summary: "Log in with the identity provider",
      description:
        "Leads the browser to the provider's login. Where it cannot, back to the console with `login_fault`.",
      parameters: [project],
      responses: { 302: { description: "To the provider." } },
      faults: ["no_identity_provider"],
    },
  },
  "/v1/session/oidc/callback": {
    get: {
      tags: ["Access"],
      summary: "Come back from the identity provider",
      description:
        "The address that the provider must know. Opens a session with the role that the person's groups give, or leads to the console with `login_fault`: login_denied, login_expired, login_no_role, login_failed.",
      responses: { 302: { description: "To the console." } },
      faults: ["no_identity_provider"],
    },
  },
  "/v1/audit": {
    get: {
      tags: ["Access"],
      summary: "The audit trail",
      description:
        "Who read, changed, exported and erased what, newest first. Persons are in it as keyed hashes; ask by `user_id` or `anonymous_id` for what concerns one.",
      parameters: [
        limit(500, 50),
        query("before", { type: "integer", minimum: 1 }, "The `next` of the page before."),
        query("action", text, "Only this action."),
        ...personQuery,
        project,
      ],
      responses: {
        200: json({
          type: "object",
          properties: { entries: { type: "array", items: ref("AuditEntry") }, next: { type: ["integer", "null"] } },
          required: ["entries", "next"],
        }),
      },
      faults: ["bad_parameter"],
    },
  },
  "/v1/live": {
    get: {
      tags: ["Live"],
      summary: "Changes as they happen",
      description:
        'With an upgrade to WebSocket: send `{subscribe: {…}}` and `{type: "events", events: […]}`, receive messages. Without: the same messages as server-sent events, by the query. Always the newest state, never a backlog; a reader that does not read is cut.',
      parameters: [
        ...personQuery,
        query("placements", text, "Lists to be kept fresh, with commas between them."),
        placementLimit,
        query("item_id", text, "The item of the page."),
        query("exclude", text, "Items to leave out."),
        query("explain", { enum: ["0", "1"] }, "With reasons."),
        project,
      ],
      responses: {
        101: { description: "WebSocket." },
        200: {
          description: "An endless stream; `event:` is the message's type, `data:` its JSON.",
          content: { "text/event-stream": { schema: ref("LiveMessage") } },
        },
      },
      faults: ["bad_parameter", "too_many_connections"],
    },
  },
  "/v1/search": {
    get: {
      tags: ["Operation"],
      summary: "Find a person, an item or a segment",
      parameters: [
        query(
          "q",
          text,
          "How the id begins, of an item also a word of its title; empty: the first persons and segments.",
        ),
        limit(200, 10),
        project,
      ],
      responses: {
        200: json({
          type: "object",
          properties: {
            persons: { type: "array", items: ref("PersonRef") },
            items: { type: "array", items: ref("Item") },
            segments: { type: "array", items: text },
          },
          required: ["persons", "items", "segments"],
        }),
      },
      faults: ["bad_parameter"],
    },
  },
  "/v1/stats": {
    get: {
      tags: ["Operation"],
      summary: "Figures of the project",
      parameters: [project],
      responses: { 200: json(ref("Stats")) },
    },
  },
  "/v1/projects": {
    get: {
      tags: ["Operation"],
      summary: "Projects of the node",
      responses: {
        200: json({ type: "object", properties: { projects: { type: "array", items: text } }, required: ["projects"] }),
      },
    },
  },
  "/healthz": {
    get: {
      tags: ["Health"],
      summary: "Liveness",
      responses: { 200: json({ type: "object", properties: { status: { const: "ok" } } }) },
    },
  },
  "/readyz": {
    get: {
      tags: ["Health"],
      summary: "Readiness with each part's state",
      responses: {
        200: json({ type: "object", properties: { status: text, parts: { type: "object" } } }, "Ready."),
        503: json({ type: "object" }, "Some part is not."),
      },
    },
  },
  "/metrics": {
    get: {
      tags: ["Health"],
      summary: "Prometheus text",
      responses: { 200: page("text/plain", "Metrics.") },
    },
  },
  "/console/": { get: { tags: ["Pages"], summary: "The console", responses: { 200: html } } },
  "/demo/": {
    get: {
      tags: ["Pages"],
      summary: "The demo site, where the node was started with it",
      responses: { 200: html },
      faults: ["unknown_route"],
    },
  },
  "/sdk/attune.js": {
    get: { tags: ["Pages"], summary: "The browser SDK", responses: { 200: page("text/javascript", "JavaScript.") } },
  },
  "/docs/proto/attune/v1/events.proto": {
    get: {
      tags: ["Pages"],
      summary: "Schemas of protobuf and gRPC",
      description: "Beside it `profiles.proto`, `recommendations.proto`, `decisions.proto`, and `event.avsc` for Avro.",
      responses: { 200: page("text/plain", "Protocol Buffers.") },
    },
  },
  "/docs/": { get: { tags: ["Pages"], summary: "This reference", responses: { 200: html } } },
};
