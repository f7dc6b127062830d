// The OpenAPI 3.1 document of the HTTP interface. A test holds it against the routes that the server registers.
import { accessOf } from "./openapi-access.ts";
import { ref, SCHEMAS, SEGMENT_FIELDS, type Schema } from "./openapi-schemas.ts";
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
}

const PERSON_CALLS = ["bad_parameter", "unknown_project"] as const;
const CHANGES = ["bad_json", "too_deep", "body_too_large", "unsupported_media_type", "overloaded", "storage_full", "storage_failed", "shutting_down"] as const;

const query = (name: string, schema: Schema, description: string): Schema => ({ name, in: "query", schema, description });
const path = (name: string, description: string): Schema => ({
  name, in: "path", required: true, schema: { type: "string", minLength: 1, maxLength: 128 }, description,
});
const text: Schema = { type: "string" };
const project: Schema = { $ref: "#/components/parameters/project" };
const limit = (high: number, otherwise: number): Schema =>
  query("limit", { type: "integer", minimum: 1, maximum: high, default: otherwise }, "How many at most.");
const placementLimit = query("limit", { type: "integer", minimum: 1, maximum: 200, default: 20 },
  "How many at most. Where it is missing, the placement's `limit`; 20 where that is missing too.");
const json = (schema: Schema, description = "Done."): Schema => ({ description, content: { "application/json": { schema } } });
const body = (schema: Schema, description = ""): Schema => ({
  required: true, description, content: { "application/json": { schema } },
});

/** Groups the problems that an operation can answer by their status. */
function problems(codes: readonly ProblemCode[]): Record<string, Schema> {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of codes) {
    const [status] = PROBLEMS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, list]) => [
      String(status),
      { description: list.map((code) => `\`${code}\``).join(", "), content: { "application/problem+json": { schema: ref("Problem") } } },
    ]),
  );
}

const JSON_FAULTS = ["bad_json", "too_deep", "body_too_large", "unsupported_media_type"] as const;
const overlap: Schema = {
  type: "object", properties: { overlap_s: { type: "integer", minimum: 0, maximum: 2592000, default: 86400 } },
};
const personQuery = [
  query("user_id", text, "The user; this or `anonymous_id` is required."),
  query("anonymous_id", text, "The visitor."),
];
const listAnswer = json(ref("RecommendationList"), "The list, best first.");

function profileOperations(who: "user" | "visitor", parameter: Schema): Record<string, Operation> {
  return {
    get: {
      tags: ["Profiles"],
      summary: `Read a ${who}'s profile`,
      parameters: [parameter, project],
      responses: { 200: json(ref("Profile"), "The profile as it is now."), ...problems([...PERSON_CALLS, "unknown_person"]) },
    },
    patch: {
      tags: ["Profiles"],
      summary: `Set a ${who}'s attributes`,
      description: "Attributes that are not named stay; null removes one.",
      parameters: [parameter, project],
      requestBody: body({ type: "object", properties: { attributes: { type: "object", additionalProperties: true } }, required: ["attributes"] }),
      responses: { 200: json(ref("Profile"), "The profile afterwards."), ...problems([...PERSON_CALLS, ...CHANGES]) },
    },
  };
}

/** One call of the Segment tracking protocol: the long path and the web SDK's letter are the same. */
function segmentOperation(summary: string, fields: readonly string[]): Operation {
  const properties = Object.fromEntries(fields.map((name) => [name, SEGMENT_FIELDS[name]!]));
  return {
    tags: ["Segment"],
    summary,
    description: "HTTP Basic with the write key as user name, or `writeKey` in the body. What is refused is a dead letter; the call still succeeds, as Segment has it.",
    requestBody: {
      required: true,
      content: { "application/json": { schema: { type: "object", properties } }, "text/plain": { schema: text } },
    },
    responses: {
      200: json({ type: "object", properties: { success: { const: true } }, required: ["success"] }, "Taken: on disk, and in the profile."),
      ...problems(["bad_json", "bad_parameter", "unknown_project", "too_deep", "body_too_large", "too_many_events", "unsupported_media_type", "unsupported_encoding", "overloaded", "storage_full", "storage_failed", "shutting_down"]),
    },
  };
}
const PERSON_FIELDS = ["messageId", "userId", "anonymousId", "timestamp", "sentAt", "context"] as const;
const segmentBatch = segmentOperation("Send a batch of Segment calls", ["batch", "sentAt", "writeKey"]);
const segmentTrack = segmentOperation("Track: what somebody did", ["event", "properties", ...PERSON_FIELDS]);
const segmentPage = segmentOperation("Page: a page view", ["name", "category", "properties", ...PERSON_FIELDS]);
const segmentScreen = segmentOperation("Screen: a page view in an app", ["name", "category", "properties", ...PERSON_FIELDS]);
const segmentIdentify = segmentOperation("Identify: who somebody is; both ids link the two", ["traits", ...PERSON_FIELDS]);
const segmentAlias = segmentOperation("Alias: the id before is this user's", ["previousId", ...PERSON_FIELDS]);
const segmentGroup = segmentOperation("Group: the company of somebody, as attributes `group_id` and `group_…`", ["groupId", "traits", ...PERSON_FIELDS]);

function consentOperations(who: "user" | "visitor", parameter: Schema): Record<string, Operation> {
  return {
    get: {
      tags: ["Privacy"],
      summary: `Read what a ${who} allows`,
      description: "Where nobody was asked yet, the program's default, with `source` `default`.",
      parameters: [parameter, project],
      responses: { 200: json(ref("Consent"), "What holds now."), ...problems(["bad_parameter", "unknown_project"]) },
    },
    put: {
      tags: ["Privacy"],
      summary: `Set what a ${who} allows`,
      description:
        "Purposes that are not named stay as they are. Without `analytics` events are refused and not kept, without `profiling` they are kept and shape nothing, without `personalization` lists and slots follow nobody. `tcf` takes the string of an IAB TCF consent platform instead. From the next event and the next answer on.",
      parameters: [parameter, project],
      requestBody: body(ref("ConsentRequest")),
      responses: { 200: json(ref("Consent"), "What holds from now on."), ...problems(["bad_parameter", "unknown_project", ...CHANGES]) },
    },
  };
}

function exportOperation(who: "user" | "visitor", parameter: Schema): Record<string, Operation> {
  return {
    get: {
      tags: ["Privacy"],
      summary: `Export everything held on a ${who}`,
      description:
        "One JSON object a line. `record` says what it is, and the first line explains each kind: profile and conclusions, consent, events as they were received, what was said about him, what he was shown, refused events that name him. All his linked ids are in it.",
      parameters: [parameter, project],
      responses: {
        200: { description: "The lines.", content: { "application/x-ndjson": { schema: { type: "string" } } } },
        ...problems(["bad_parameter", "unknown_project", "unavailable"]),
      },
    },
  };
}

function erasureOperation(who: "user" | "visitor", parameter: Schema): Record<string, Operation> {
  return {
    delete: {
      tags: ["Privacy"],
      summary: `Erase a ${who}`,
      description:
        "He and all ids that are linked to him are forgotten at once. The job takes his records out of the log, derives all state from it anew, and looks for him again. What he did before and arrives later is refused (`erased`); what he does from now on counts.",
      parameters: [parameter, project],
      responses: {
        202: json(ref("ErasureJob"), "He is forgotten; the job runs."),
        ...problems(["bad_parameter", "unknown_project", "unavailable", "storage_full", "storage_failed"]),
      },
    },
  };
}

const PATHS: Record<string, Record<string, Operation>> = {
  "/v1/batch": { post: segmentBatch },
  "/v1/b": { post: segmentBatch },
  "/v1/import": { post: segmentBatch },
  "/v1/track": { post: segmentTrack },
  "/v1/t": { post: segmentTrack },
  "/v1/page": { post: segmentPage },
  "/v1/p": { post: segmentPage },
  "/v1/screen": { post: segmentScreen },
  "/v1/s": { post: segmentScreen },
  "/v1/identify": { post: segmentIdentify },
  "/v1/i": { post: segmentIdentify },
  "/v1/alias": { post: segmentAlias },
  "/v1/a": { post: segmentAlias },
  "/v1/group": { post: segmentGroup },
  "/v1/g": { post: segmentGroup },
  "/v1/projects/{write_key}/settings": {
    get: {
      tags: ["Segment"],
      summary: "Settings for Segment's SDKs",
      description: "What analytics.js asks its CDN for: with the node as `cdnURL` it sends to the node and loads nothing else.",
      parameters: [path("write_key", "The write key.")],
      responses: { 200: json({ type: "object", properties: { integrations: { type: "object" }, plan: { type: "object" } }, required: ["integrations"] }) },
    },
  },
  "/v1/events": {
    post: {
      tags: ["Events"],
      summary: "Send events",
      description:
        "One event, an array, or `{events, sent_at}`; at most 1,000 and 1 MiB (gzip or zstd: 8 MiB unpacked). What is accepted is on disk, counted once however often it is sent, and already in the profile, the segments and the next recommendation.",
      parameters: [project],
      requestBody: {
        required: true,
        content: {
          "application/json": { schema: { anyOf: [ref("Event"), { type: "array", items: ref("Event") }, { type: "object", properties: { events: { type: "array", items: ref("Event"), maxItems: 1000 }, sent_at: { type: ["string", "number"] } }, required: ["events"] }] } },
          "text/plain": { schema: { type: "string", description: "The same JSON, as `navigator.sendBeacon` sends it." } },
          "application/x-protobuf": { schema: { type: "string", format: "binary", description: "`attune.v1.Event` or `attune.v1.EventBatch`: /docs/proto/attune/v1/events.proto." } },
          "application/avro": { schema: { type: "string", format: "binary", description: "An object container file (null, deflate, zstandard) of records with an event's fields; with `;format=binary` the bare encoding of an array of /docs/proto/attune/v1/event.avsc." } },
        },
      },
      responses: {
        202: {
          description: "What became of each event; as `attune.v1.IntakeAnswer` with `Accept: application/x-protobuf`.",
          content: { "application/json": { schema: ref("IntakeAnswer") }, "application/x-protobuf": { schema: { type: "string", format: "binary" } } },
        },
        ...problems(["events_rejected", "bad_request", "bad_parameter", "too_many_events", "unsupported_encoding", "unknown_project", ...CHANGES]),
      },
    },
  },
  "/v1/events/stream": {
    get: {
      tags: ["Operation"],
      summary: "Watch events as they come",
      description: "Server-sent events: `event` (at most 50 a second, evenly sampled beyond), `rejected`, and each second `status` {per_s, shown, skipped}.",
      parameters: [...personQuery, query("event_type", text, "Only events of this type."), project],
      responses: { 200: { description: "An endless stream.", content: { "text/event-stream": { schema: text } } }, ...problems(["bad_parameter", "too_many_connections"]) },
    },
  },
  "/v1/dead-letters": {
    get: {
      tags: ["Operation"],
      summary: "List dead letters",
      description: "Rejected events and failed webhooks, newest first, each with its reason.",
      parameters: [limit(500, 50), query("before", text, "The `next` of the page before."), project],
      responses: {
        200: json({ type: "object", properties: { dead_letters: { type: "array", items: ref("DeadLetter") }, total: { type: "integer" }, next: { type: ["string", "null"] } }, required: ["dead_letters", "total", "next"] }),
        ...problems(["bad_parameter"]),
      },
    },
  },
  "/v1/dead-letters/{id}/retry": {
    post: {
      tags: ["Operation"],
      summary: "Try a dead letter again",
      description: "Without a body as it was, with one as corrected. The letter goes when the event is good.",
      parameters: [path("id", "The letter's id."), project],
      requestBody: { required: false, content: { "application/json": { schema: ref("Event") } } },
      responses: { 200: json(ref("IntakeAnswer")), ...problems(["events_rejected", "unknown_dead_letter", ...CHANGES]) },
    },
  },
  "/v1/items": {
    put: {
      tags: ["Catalogue"],
      summary: "Put items",
      description: "All or none; an item that is there is replaced.",
      parameters: [project],
      requestBody: body({ type: "object", properties: { items: { type: "array", items: ref("Item"), maxItems: 10000 } }, required: ["items"] }),
      responses: { 200: json({ type: "object", properties: { accepted: { type: "integer" } }, required: ["accepted"] }), ...problems(["bad_item", "bad_parameter", ...CHANGES]) },
    },
    get: {
      tags: ["Catalogue"],
      summary: "Read some items",
      parameters: [query("ids", text, "At most 100 ids with commas between them."), project],
      responses: { 200: json({ type: "object", properties: { items: { type: "array", items: ref("Item") } }, required: ["items"] }), ...problems(["bad_parameter"]) },
    },
  },
  "/v1/items/{item_id}": {
    get: {
      tags: ["Catalogue"],
      summary: "Read an item",
      parameters: [path("item_id", "The item."), project],
      responses: { 200: json(ref("Item")), ...problems(["unknown_item"]) },
    },
    delete: {
      tags: ["Catalogue"],
      summary: "Take an item away",
      parameters: [path("item_id", "The item."), project],
      responses: { 204: { description: "It is gone." }, ...problems(["unknown_item", "storage_full", "storage_failed"]) },
    },
  },
  "/v1/items/{item_id}/similar": {
    get: {
      tags: ["Recommendations"],
      summary: "Items like another",
      parameters: [path("item_id", "The item."), limit(200, 20), project],
      responses: { 200: listAnswer, ...problems(["bad_parameter"]) },
    },
  },
  "/v1/users/{user_id}/profile": profileOperations("user", path("user_id", "The user.")),
  "/v1/visitors/{anonymous_id}/profile": profileOperations("visitor", path("anonymous_id", "The anonymous visitor.")),
  "/v1/privacy/users/{user_id}/consent": consentOperations("user", path("user_id", "The user.")),
  "/v1/privacy/visitors/{anonymous_id}/consent": consentOperations("visitor", path("anonymous_id", "The anonymous visitor.")),
  "/v1/privacy/users/{user_id}": erasureOperation("user", path("user_id", "The user.")),
  "/v1/privacy/visitors/{anonymous_id}": erasureOperation("visitor", path("anonymous_id", "The anonymous visitor.")),
  "/v1/privacy/jobs/{job_id}": {
    get: {
      tags: ["Privacy"],
      summary: "What came of an erasure",
      description: "The proof says what was erased where and when, and what looking for it again found.",
      parameters: [path("job_id", "The job."), project],
      responses: { 200: json(ref("ErasureJob"), "The job."), ...problems(["bad_parameter", "unknown_project", "unknown_job"]) },
    },
  },
  "/v1/privacy/inventory": {
    get: {
      tags: ["Privacy"],
      summary: "Every field that is stored",
      description: "What it is, what for, how long it is kept, whether an export shows it, and whether the disk does.",
      parameters: [project],
      responses: { 200: json(ref("Inventory"), "By kind of data."), ...problems(["unknown_project", "unavailable"]) },
    },
  },
  "/v1/privacy/retention": {
    get: {
      tags: ["Privacy"],
      summary: "How long what is kept",
      description: "The ages in force (`retention` in attune.config.ts), and what the node's last run of retention did.",
      parameters: [project],
      responses: { 200: json(ref("Retention"), "The policy."), ...problems(["unknown_project", "unavailable"]) },
    },
  },
  "/v1/privacy/users/{user_id}/export": exportOperation("user", path("user_id", "The user.")),
  "/v1/privacy/visitors/{anonymous_id}/export": exportOperation("visitor", path("anonymous_id", "The anonymous visitor.")),
  "/v1/recommendations": {
    get: {
      tags: ["Recommendations"],
      summary: "Recommend",
      parameters: [
        ...personQuery,
        query("placement", { type: "string", default: "home" }, "A placement of the program."),
        placementLimit,
        query("item_id", text, "The item of the page."),
        query("exclude", text, "Items to leave out, with commas between them, or repeated."),
        query("filter", text, "CEL over the item, such as `item.price < 50`."),
        query("explain", { enum: ["0", "1"], default: "0" }, "1: each item with its sources, the visitor's own items behind it, and a sentence for him."),
        query("why_not", text, "Items, with commas between them: why they are not in the list (read key)."),
        project,
      ],
      responses: { 200: listAnswer, ...problems([...PERSON_CALLS, "bad_filter", "unknown_placement"]) },
    },
    post: {
      tags: ["Recommendations"],
      summary: "Recommend, with a context",
      parameters: [project],
      requestBody: body(ref("RecommendationRequest")),
      responses: { 200: listAnswer, ...problems([...PERSON_CALLS, "bad_json", "bad_filter", "bad_rules", "unknown_placement", "unsupported_media_type"]) },
    },
  },
  "/v1/recommendations/preview": {
    post: {
      tags: ["Recommendations"],
      summary: "Preview a list: before and after, what moved, and why",
      description: "Other rules (a draft of the placement), another context, another history. Nothing changes, and no decision is logged. `why_not` tells of items that are missing: unavailable, filtered by which rule, excluded, capped, shown too often, pushed out by diversity, proposed by no model, or ranked behind the end.",
      parameters: [project],
      requestBody: body(ref("PreviewRequest")),
      responses: { 200: json(ref("Preview"), "Both lists."), ...problems(["bad_json", "bad_parameter", "bad_filter", "bad_rules", "unknown_placement", "unsupported_media_type"]) },
    },
  },
  "/v1/trending": {
    get: {
      tags: ["Recommendations"],
      summary: "What trends",
      parameters: [limit(200, 20), query("filter", text, "CEL over the item."), project],
      responses: { 200: listAnswer, ...problems(["bad_parameter", "bad_filter"]) },
    },
  },
  "/v1/decide": {
    post: {
      tags: ["Decisions"],
      summary: "Decide a slot",
      description: "The variant, layout or action that the program picks for the visitor.",
      parameters: [project],
      requestBody: body(ref("DecideRequest")),
      responses: { 200: json(ref("Decision")), ...problems([...PERSON_CALLS, "bad_json", "unknown_slot", "unsupported_media_type"]) },
    },
  },
  "/v1/slots": {
    get: {
      tags: ["Decisions"],
      summary: "Slots, and what they have learnt",
      description: "Each variant's share, mean reward and the value of always showing it, estimated from the log.",
      parameters: [project],
      responses: { 200: json({ type: "object", properties: { slots: { type: "array", items: ref("Slot") } }, required: ["slots"] }) },
    },
  },
  "/v1/models": {
    get: {
      tags: ["Decisions"],
      summary: "How the models do",
      description: "Hit rates by hour from steps that were ranked before they were learnt, calibration, what is watched for drift, alarms, and how the background model does against the one before.",
      parameters: [project],
      responses: { 200: json(ref("ModelHealth")) },
    },
  },
  "/v1/experiments": {
    get: {
      tags: ["Decisions"],
      summary: "Experiments and what they have shown",
      parameters: [project],
      responses: { 200: json({ type: "object", properties: { experiments: { type: "array", items: ref("Experiment") } }, required: ["experiments"] }) },
    },
  },
  "/v1/experiments/{name}": {
    get: {
      tags: ["Decisions"],
      summary: "What an experiment has shown",
      description: "Per variant users, exposures, conversions and lift with intervals that hold whenever one looks.",
      parameters: [path("name", "The experiment."), project],
      responses: { 200: json(ref("Experiment")), ...problems(["bad_parameter", "unknown_experiment"]) },
    },
  },
  "/v1/segments": {
    get: {
      tags: ["Segments"],
      summary: "Segments with live sizes",
      parameters: [project],
      responses: { 200: json({ type: "object", properties: { segments: { type: "array", items: ref("Segment") } }, required: ["segments"] }) },
    },
  },
  "/v1/segments/{name}/users": {
    get: {
      tags: ["Segments"],
      summary: "Members of a segment",
      parameters: [path("name", "The segment."), limit(1000, 50), query("after", text, "The `next` of the page before."), project],
      responses: {
        200: json({ type: "object", properties: { segment: text, users: { type: "array", items: ref("PersonRef") }, total: { type: "integer" }, next: { type: ["string", "null"] } }, required: ["segment", "users", "total", "next"] }),
        ...problems(["bad_parameter", "unknown_segment"]),
      },
    },
  },
  "/v1/program": {
    get: {
      tags: ["Program"],
      summary: "Read the program",
      description: "The document, with its `version` and `created_at`; it can be put back as it is.",
      parameters: [query("version", { type: "integer", minimum: 0 }, "An earlier version."), project],
      responses: { 200: json(ref("Program")), ...problems(["bad_parameter", "unknown_version"]) },
    },
    put: {
      tags: ["Program"],
      summary: "Replace the program",
      description: "Takes effect at once. A bad one changes nothing and is answered with every fault and its path.",
      parameters: [project],
      requestBody: body(ref("Program")),
      responses: { 200: json({ type: "object", properties: { version: { type: "integer" } }, required: ["version"] }), ...problems(["bad_program", ...CHANGES]) },
    },
  },
  "/v1/program/check": {
    post: {
      tags: ["Program"],
      summary: "Check a program",
      parameters: [project],
      requestBody: body(ref("Program")),
      responses: { 200: json({ type: "object", properties: { ok: { type: "boolean" }, faults: { type: "array", items: ref("Fault") }, warnings: { type: "array", items: ref("Fault"), description: "What a program may say and should not." } }, required: ["ok", "faults", "warnings"] }), ...problems(["bad_json", "unsupported_media_type"]) },
    },
  },
  "/v1/program/rollback": {
    post: {
      tags: ["Program"],
      summary: "Bring an earlier version back",
      parameters: [project],
      requestBody: body({ type: "object", properties: { version: { type: "integer" } }, required: ["version"] }),
      responses: { 200: json({ type: "object", properties: { version: { type: "integer", description: "The new version's number." } }, required: ["version"] }), ...problems(["bad_parameter", "unknown_version", ...CHANGES]) },
    },
  },
  "/v1/program/versions": {
    get: {
      tags: ["Program"],
      summary: "Versions of the program",
      parameters: [project],
      responses: { 200: json({ type: "object", properties: { current: { type: ["integer", "null"] }, versions: { type: "array", items: { type: "object", properties: { version: { type: "integer" }, created_at: { type: "string", format: "date-time" } } } } }, required: ["current", "versions"] }) },
    },
  },
  "/v1/keys": {
    get: {
      tags: ["Access"],
      summary: "Keys of the project",
      description: "With those that are no longer in force. The keys themselves are not kept, only their hashes.",
      parameters: [project],
      responses: { 200: json({ type: "object", properties: { keys: { type: "array", items: ref("Key") } }, required: ["keys"] }) },
    },
    post: {
      tags: ["Access"],
      summary: "Make a key",
      description: "A node's first key must be an admin key: from then on nobody gets in without one.",
      parameters: [project],
      requestBody: body(ref("KeyRequest")),
      responses: { 201: json(ref("IssuedKey"), "`key` is shown this once."), ...problems(["bad_parameter", "admin_key_first", "too_many_keys", ...JSON_FAULTS]) },
    },
  },
  "/v1/keys/{key_id}/rotate": {
    post: {
      tags: ["Access"],
      summary: "Replace a key",
      description: "A new key with the same rights; the old one goes on for `overlap_s`.",
      parameters: [path("key_id", "The key's id."), project],
      requestBody: body(overlap),
      responses: { 201: json(ref("IssuedKey"), "`key` is shown this once."), ...problems(["bad_parameter", "unknown_key", "too_many_keys", ...JSON_FAULTS]) },
    },
  },
  "/v1/keys/{key_id}": {
    delete: {
      tags: ["Access"],
      summary: "Revoke a key",
      description: "At once: the next request with it is refused, open connections of it are told nothing more.",
      parameters: [path("key_id", "The key's id."), project],
      responses: { 204: { description: "It is revoked." }, ...problems(["unknown_key"]) },
    },
  },
  "/v1/token-secrets": {
    post: {
      tags: ["Access"],
      summary: "A new secret for user tokens",
      description: "Your backend signs user tokens with it (HS256, audience `attune:PROJECT`, `sub` the user, at most a day). Tokens of the old one are taken for `overlap_s`.",
      parameters: [project],
      requestBody: body(overlap),
      responses: { 201: json({ type: "object", properties: { id: text, secret: text }, required: ["id", "secret"] }), ...problems(["bad_parameter", ...JSON_FAULTS]) },
    },
  },
  "/v1/user-tokens": {
    post: {
      tags: ["Access"],
      summary: "Make a user token",
      description: "For backends that sign none themselves. The page sends it as `attune-user-token`, and a write key may then read what is this user's.",
      parameters: [project],
      requestBody: body({ type: "object", properties: { user_id: text, life_s: { type: "integer", minimum: 1, maximum: 86400, default: 900 } }, required: ["user_id"] }),
      responses: { 201: json({ type: "object", properties: { user_token: text, expires_at: { type: "string", format: "date-time" } }, required: ["user_token", "expires_at"] }), ...problems(["bad_parameter", ...JSON_FAULTS]) },
    },
  },
  "/v1/session": {
    get: { tags: ["Access"], summary: "Who asks", responses: { 200: json(ref("Session")) } },
    post: {
      tags: ["Access"],
      summary: "Open the console with a key",
      description: "Sets a cookie that no script reads; it counts only for requests of the console's own pages.",
      requestBody: body({ type: "object", properties: { key: text }, required: ["key"] }),
      responses: { 201: json(ref("Session")), ...problems(["bad_parameter", "key_invalid", "forbidden", ...JSON_FAULTS]) },
    },
    delete: {
      tags: ["Access"],
      summary: "Close the console",
      responses: {
        200: json({ type: "object", properties: { logout_url: text }, required: ["logout_url"], description: "The session has ended; the identity provider's own ends at this page." }),
        204: { description: "The session has ended." },
      },
    },
  },
  "/v1/session/oidc": {
    get: {
      tags: ["Access"],
      summary: "Log in with the identity provider",
      description: "Leads the browser to the provider's login. Where it cannot, back to the console with `login_fault`.",
      parameters: [project],
      responses: { 302: { description: "To the provider." }, ...problems(["no_identity_provider", "unknown_project"]) },
    },
  },
  "/v1/session/oidc/callback": {
    get: {
      tags: ["Access"],
      summary: "Come back from the identity provider",
      description: "The address that the provider must know. Opens a session with the role that the person's groups give, or leads to the console with `login_fault`: login_denied, login_expired, login_no_role, login_failed.",
      responses: { 302: { description: "To the console." }, ...problems(["no_identity_provider"]) },
    },
  },
  "/v1/audit": {
    get: {
      tags: ["Access"],
      summary: "The audit trail",
      description: "Who read, changed, exported and erased what, newest first. Persons are in it as keyed hashes; ask by `user_id` or `anonymous_id` for what concerns one.",
      parameters: [limit(500, 50), query("before", { type: "integer", minimum: 1 }, "The `next` of the page before."), query("action", text, "Only this action."), ...personQuery, project],
      responses: { 200: json({ type: "object", properties: { entries: { type: "array", items: ref("AuditEntry") }, next: { type: ["integer", "null"] } }, required: ["entries", "next"] }), ...problems(["bad_parameter"]) },
    },
  },
  "/v1/live": {
    get: {
      tags: ["Live"],
      summary: "Changes as they happen",
      description:
        "With an upgrade to WebSocket: send `{subscribe: {…}}` and `{type: \"events\", events: […]}`, receive messages. Without: the same messages as server-sent events, by the query. Always the newest state, never a backlog; a reader that does not read is cut.",
      parameters: [...personQuery, query("placements", text, "Lists to be kept fresh, with commas between them."), placementLimit, query("item_id", text, "The item of the page."), query("exclude", text, "Items to leave out."), query("explain", { enum: ["0", "1"] }, "With reasons."), project],
      responses: {
        101: { description: "WebSocket." },
        200: { description: "An endless stream; `event:` is the message's type, `data:` its JSON.", content: { "text/event-stream": { schema: ref("LiveMessage") } } },
        ...problems(["bad_parameter", "unknown_project", "too_many_connections"]),
      },
    },
  },
  "/v1/search": {
    get: {
      tags: ["Operation"],
      summary: "Find a person, an item or a segment",
      parameters: [query("q", text, "How the id begins, of an item also a word of its title; empty: the first persons and segments."), limit(200, 10), project],
      responses: {
        200: json({ type: "object", properties: { persons: { type: "array", items: ref("PersonRef") }, items: { type: "array", items: ref("Item") }, segments: { type: "array", items: text } }, required: ["persons", "items", "segments"] }),
        ...problems(["bad_parameter"]),
      },
    },
  },
  "/v1/stats": { get: { tags: ["Operation"], summary: "Figures of the project", parameters: [project], responses: { 200: json(ref("Stats")) } } },
  "/v1/projects": {
    get: { tags: ["Operation"], summary: "Projects of the node", responses: { 200: json({ type: "object", properties: { projects: { type: "array", items: text } }, required: ["projects"] }) } },
  },
  "/healthz": { get: { tags: ["Health"], summary: "Liveness", responses: { 200: json({ type: "object", properties: { status: { const: "ok" } } }) } } },
  "/readyz": {
    get: {
      tags: ["Health"],
      summary: "Readiness with each part's state",
      responses: { 200: json({ type: "object", properties: { status: text, parts: { type: "object" } } }, "Ready."), 503: json({ type: "object" }, "Some part is not.") },
    },
  },
  "/metrics": { get: { tags: ["Health"], summary: "Prometheus text", responses: { 200: { description: "Metrics.", content: { "text/plain": { schema: text } } } } } },
  "/console/": { get: { tags: ["Pages"], summary: "The console", responses: { 200: { description: "HTML." } } } },
  "/demo/": {
    get: {
      tags: ["Pages"],
      summary: "The demo site, where the node was started with it",
      responses: { 200: { description: "HTML." }, ...problems(["unknown_route"]) },
    },
  },
  "/sdk/attune.js": { get: { tags: ["Pages"], summary: "The browser SDK", responses: { 200: { description: "JavaScript." } } } },
  "/docs/proto/attune/v1/events.proto": { get: { tags: ["Pages"], summary: "Schemas of protobuf and gRPC", description: "Beside it `profiles.proto`, `recommendations.proto`, `decisions.proto`, and `event.avsc` for Avro.", responses: { 200: { description: "Protocol Buffers." } } } },
  "/docs/": { get: { tags: ["Pages"], summary: "This reference", responses: { 200: { description: "HTML." } } } },
};

const REFUSALS = [
  "key_missing", "key_invalid", "token_invalid", "token_expired", "forbidden", "wrong_project", "origin_not_allowed",
] as const;

/** Each operation with what it needs, and how it refuses. */
function withAccess(paths: Record<string, Record<string, Operation>>): Record<string, Record<string, Operation>> {
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
    description: "From a click to a changed page within milliseconds. JSON in, JSON out; errors are problem documents (RFC 9457) with a stable `code`.",
    license: { name: "Apache-2.0", identifier: "Apache-2.0" },
  },
  servers: [{ url: "/" }],
  tags: ["Events", "Segment", "Profiles", "Recommendations", "Decisions", "Live", "Segments", "Program", "Catalogue", "Privacy", "Access", "Operation", "Health", "Pages"].map((name) => ({ name })),
  paths: withAccess(PATHS),
  security: [{ key: [] }, { key: [], userToken: [] }],
  components: {
    securitySchemes: {
      key: { type: "http", scheme: "bearer", description: "A key of the project. On loopback without keys none is needed. Write keys may stand in the query as `key`." },
      userToken: { type: "apiKey", in: "header", name: "attune-user-token", description: "With a write key: the user whose data may be read." },
    },
    parameters: {
      project: { name: "project", in: "query", schema: text, description: "The project, `default` where it is missing; also the header `attune-project`." },
    },
    schemas: SCHEMAS,
  },
};
