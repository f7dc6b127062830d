// Operations that take things in: Segment's protocol, events, dead letters, the catalogue.
import {
  body,
  CHANGES,
  json,
  limit,
  listAnswer,
  path,
  personQuery,
  project,
  query,
  text,
  type Operation,
  type Paths,
} from "./openapi-parts.ts";
import { ref, SEGMENT_FIELDS } from "./openapi-schemas.ts";

function segmentOperation(summary: string, fields: readonly string[]): Operation {
  const properties = Object.fromEntries(fields.map((name) => [name, SEGMENT_FIELDS[name]!]));
  return {
    tags: ["Segment"],
    summary,
    description:
      "HTTP Basic with the write key as user name, or `writeKey` in the body. What is refused is a dead letter; the call still succeeds, as Segment has it.",
    parameters: [project],
    requestBody: {
      required: true,
      content: { "application/json": { schema: { type: "object", properties } }, "text/plain": { schema: text } },
    },
    responses: {
      200: json(
        { type: "object", properties: { success: { const: true } }, required: ["success"] },
        "Taken: on disk, and in the profile.",
      ),
    },
    faults: ["bad_parameter", "too_many_events", ...CHANGES],
  };
}
const PERSON_FIELDS = ["messageId", "userId", "anonymousId", "timestamp", "sentAt", "context"] as const;
const segmentBatch = segmentOperation("Send a batch of Segment calls", ["batch", "sentAt", "writeKey"]);
const segmentTrack = segmentOperation("Track: what somebody did", ["event", "properties", ...PERSON_FIELDS]);
const segmentPage = segmentOperation("Page: a page view", ["name", "category", "properties", ...PERSON_FIELDS]);
const segmentScreen = segmentOperation("Screen: a page view in an app", [
  "name",
  "category",
  "properties",
  ...PERSON_FIELDS,
]);
const segmentIdentify = segmentOperation("Identify: who somebody is; both ids link the two", [
  "traits",
  ...PERSON_FIELDS,
]);
const segmentAlias = segmentOperation("Alias: the id before is this user's", ["previousId", ...PERSON_FIELDS]);
const segmentGroup = segmentOperation("Group: the company of somebody, as attributes `group_id` and `group_…`", [
  "groupId",
  "traits",
  ...PERSON_FIELDS,
]);

export const INTAKE_PATHS: Paths = {
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
      description:
        "What analytics.js asks its CDN for: with the node as `cdnURL` it sends to the node and loads nothing else.",
      parameters: [path("write_key", "The write key.")],
      responses: {
        200: json({
          type: "object",
          properties: { integrations: { type: "object" }, plan: { type: "object" } },
          required: ["integrations"],
          additionalProperties: true,
        }),
      },
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
          "application/json": {
            schema: {
              anyOf: [
                ref("Event"),
                { type: "array", items: ref("Event") },
                {
                  type: "object",
                  properties: {
                    events: { type: "array", items: ref("Event"), maxItems: 1000 },
                    sent_at: { type: ["string", "number"] },
                  },
                  required: ["events"],
                },
              ],
            },
          },
          "text/plain": {
            schema: { type: "string", description: "The same JSON, as `navigator.sendBeacon` sends it." },
          },
          "application/x-protobuf": {
            schema: {
              type: "string",
              format: "binary",
              description: "`attune.v1.Event` or `attune.v1.EventBatch`: /docs/proto/attune/v1/events.proto.",
            },
          },
          "application/avro": {
            schema: {
              type: "string",
              format: "binary",
              description:
                "An object container file (null, deflate, zstandard) of records with an event's fields; with `;format=binary` the bare encoding of an array of /docs/proto/attune/v1/event.avsc.",
            },
          },
        },
      },
      responses: {
        202: {
          description: "What became of each event; as `attune.v1.IntakeAnswer` with `Accept: application/x-protobuf`.",
          content: {
            "application/json": { schema: ref("IntakeAnswer") },
            "application/x-protobuf": { schema: { type: "string", format: "binary" } },
          },
        },
      },
      faults: ["events_rejected", "bad_parameter", "too_many_events", ...CHANGES],
    },
  },
  "/v1/events/stream": {
    get: {
      tags: ["Operation"],
      summary: "Watch events as they come",
      description:
        "Server-sent events: `event` (at most 50 a second, evenly sampled beyond), `rejected`, and each second `status` {per_s, shown, skipped}.",
      parameters: [...personQuery, query("event_type", text, "Only events of this type."), project],
      responses: {
        200: { description: "An endless stream.", content: { "text/event-stream": { schema: text } } },
      },
      faults: ["bad_parameter", "too_many_connections"],
    },
  },
  "/v1/dead-letters": {
    get: {
      tags: ["Operation"],
      summary: "List dead letters",
      description:
        "Rejected events and failed webhooks, newest first, each with its reason. With a filter 5,000 letters are looked at for a page: where `next` is given there may be more, also behind a page that is short or empty. `total` counts all letters.",
      parameters: [
        limit(500, 50),
        query("before", text, "The `next` of the page before."),
        query("code", text, "Only letters with this code."),
        query("user_id", text, "Only letters whose body names this user, as a text or a number."),
        query("anonymous_id", text, "Only letters whose body names this visitor."),
        project,
      ],
      responses: {
        200: json({
          type: "object",
          properties: {
            dead_letters: { type: "array", items: ref("DeadLetter") },
            total: { type: "integer" },
            next: { type: ["string", "null"] },
          },
          required: ["dead_letters", "total", "next"],
        }),
      },
      faults: ["bad_parameter"],
    },
  },
  "/v1/dead-letters/{id}/retry": {
    post: {
      tags: ["Operation"],
      summary: "Try a dead letter again",
      description:
        "Without a body (or with `{}`) as it was, with one as corrected. An event without an `event_id` takes the letter's id, and `sent_at` is held against the time when the letter came. The letter goes when the event is good.",
      parameters: [path("id", "The letter's id."), project],
      requestBody: { required: false, content: { "application/json": { schema: ref("Event") } } },
      responses: {
        200: json(ref("IntakeAnswer")),
      },
      faults: ["events_rejected", "unknown_dead_letter", ...CHANGES],
    },
  },
  "/v1/items": {
    put: {
      tags: ["Catalogue"],
      summary: "Put items",
      description: "All or none; an item that is there is replaced.",
      parameters: [project],
      requestBody: body({
        type: "object",
        properties: { items: { type: "array", items: ref("Item"), maxItems: 10000 } },
        required: ["items"],
      }),
      responses: {
        200: json({ type: "object", properties: { accepted: { type: "integer" } }, required: ["accepted"] }),
      },
      faults: ["bad_item", "bad_parameter", ...CHANGES],
    },
    get: {
      tags: ["Catalogue"],
      summary: "Read some items",
      parameters: [query("ids", text, "At most 100 ids with commas between them."), project],
      responses: {
        200: json({
          type: "object",
          properties: { items: { type: "array", items: ref("Item") } },
          required: ["items"],
        }),
      },
      faults: ["bad_parameter"],
    },
  },
  "/v1/items/{item_id}": {
    get: {
      tags: ["Catalogue"],
      summary: "Read an item",
      parameters: [path("item_id", "The item."), project],
      responses: { 200: json(ref("Item")) },
      faults: ["unknown_item"],
    },
    delete: {
      tags: ["Catalogue"],
      summary: "Take an item away",
      description:
        "An event that names it later makes it known again, without what the catalogue said, and such items are listed too unless the program sets `catalogue_only`. `available: false` keeps an item out of every list.",
      parameters: [path("item_id", "The item."), project],
      responses: {
        204: { description: "It is gone." },
      },
      faults: ["unknown_item", ...CHANGES],
    },
  },
  "/v1/items/{item_id}/similar": {
    get: {
      tags: ["Recommendations"],
      summary: "Items like another",
      parameters: [path("item_id", "The item."), limit(200, 20), project],
      responses: { 200: listAnswer },
      faults: ["bad_parameter"],
    },
  },
};
