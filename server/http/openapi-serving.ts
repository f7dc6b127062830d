// Operations that answer: lists, decisions, experiments, segments, and the program that they follow.
import {
  body,
  CHANGES,
  json,
  limit,
  listAnswer,
  path,
  personQuery,
  placementLimit,
  project,
  query,
  text,
  type Paths,
} from "./openapi-parts.ts";
import { ref } from "./openapi-schemas.ts";

const IF_MATCH = {
  name: "If-Match", in: "header", schema: { type: "string" }, description: "Tags of the programs that this one may replace.",
};
const TAG = { ETag: { description: "The document's entity tag, for `If-Match`.", schema: { type: "string" } } };

export const SERVING_PATHS: Paths = {
  "/v1/recommendations": {
    get: {
      tags: ["Recommendations"],
      summary: "Recommend",
      parameters: [
        ...personQuery,
        query("placement", { type: "string", default: "home" }, "A placement of the program."),
        placementLimit,
        query("item_id", text, "The item of the page."),
        query("exclude", text, "Items to leave out, such as those on the pages before: with commas between them, or repeated; 1,000 at most."),
        query("filter", text, "CEL over the item, such as `item.price < 50`."),
        query(
          "explain",
          { enum: ["0", "1"], default: "0" },
          "1: each item with its sources, the visitor's own items behind it, and a sentence for the visitor.",
        ),
        query("why_not", text, "Items, with commas between them: why they are not in the list (read key)."),
        project,
      ],
      responses: { 200: listAnswer },
      faults: ["bad_parameter", "bad_filter", "unknown_placement"],
    },
    post: {
      tags: ["Recommendations"],
      summary: "Recommend, with a context",
      parameters: [project],
      requestBody: body(ref("RecommendationRequest")),
      responses: {
        200: listAnswer,
      },
      faults: ["bad_parameter", "bad_filter", "bad_rules", "unknown_placement"],
    },
  },
  "/v1/recommendations/preview": {
    post: {
      tags: ["Recommendations"],
      summary: "Preview a list: before and after, what moved, and why",
      description:
        "Other rules (a draft of the placement), another context, another history. Nothing changes, and no decision is logged. `why_not` tells of items that are missing: unavailable, filtered by which rule, excluded, capped, shown too often, pushed out by diversity, proposed by no model, or ranked behind the end.",
      parameters: [project],
      requestBody: body(ref("PreviewRequest")),
      responses: {
        200: json(ref("Preview"), "Both lists."),
      },
      faults: ["bad_parameter", "bad_filter", "bad_rules", "unknown_placement"],
    },
  },
  "/v1/trending": {
    get: {
      tags: ["Recommendations"],
      summary: "What trends",
      parameters: [limit(200, 20), query("filter", text, "CEL over the item."), project],
      responses: { 200: listAnswer },
      faults: ["bad_parameter", "bad_filter"],
    },
  },
  "/v1/decide": {
    post: {
      tags: ["Decisions"],
      summary: "Decide a slot",
      description: "The variant, layout or action that the program picks for the visitor.",
      parameters: [project],
      requestBody: body(ref("DecideRequest")),
      responses: {
        200: json(ref("Decision")),
      },
      faults: ["bad_parameter", "unknown_slot"],
    },
  },
  "/v1/slots": {
    get: {
      tags: ["Decisions"],
      summary: "Slots, and what they have learnt",
      description: "Each variant's share, mean reward and the value of always showing it, estimated from the log.",
      parameters: [project],
      responses: {
        200: json({
          type: "object",
          properties: { slots: { type: "array", items: ref("Slot") } },
          required: ["slots"],
        }),
      },
    },
  },
  "/v1/models": {
    get: {
      tags: ["Decisions"],
      summary: "How the models do",
      description:
        "Hit rates by hour from steps that were ranked before they were learnt, calibration, what is watched for drift, alarms, and how the background model does against the one before.",
      parameters: [project],
      responses: { 200: json(ref("ModelHealth")) },
    },
  },
  "/v1/experiments": {
    get: {
      tags: ["Decisions"],
      summary: "Experiments and what they have shown",
      parameters: [project],
      responses: {
        200: json({
          type: "object",
          properties: { experiments: { type: "array", items: ref("Experiment") } },
          required: ["experiments"],
        }),
      },
    },
  },
  "/v1/experiments/{name}": {
    get: {
      tags: ["Decisions"],
      summary: "What an experiment has shown",
      description: "Per variant users, exposures, conversions and lift with intervals that hold whenever one looks.",
      parameters: [path("name", "The experiment."), project],
      responses: { 200: json(ref("Experiment")) },
      faults: ["bad_parameter", "unknown_experiment"],
    },
  },
  "/v1/segments": {
    get: {
      tags: ["Segments"],
      summary: "Segments with live sizes",
      parameters: [project],
      responses: {
        200: json({
          type: "object",
          properties: { segments: { type: "array", items: ref("Segment") } },
          required: ["segments"],
        }),
      },
    },
  },
  "/v1/segments/{name}/users": {
    get: {
      tags: ["Segments"],
      summary: "Members of a segment",
      parameters: [
        path("name", "The segment."),
        limit(1000, 50),
        query("after", text, "The `next` of the page before. An erasure puts the list in another order (`page_expired`): begin with the first page."),
        project,
      ],
      responses: {
        200: json({
          type: "object",
          properties: {
            segment: text,
            users: { type: "array", items: ref("PersonRef") },
            total: { type: "integer" },
            next: { type: ["string", "null"] },
          },
          required: ["segment", "users", "total", "next"],
        }),
      },
      faults: ["bad_parameter", "unknown_segment", "page_expired"],
    },
  },
  "/v1/program": {
    get: {
      tags: ["Program"],
      summary: "Read the program",
      description:
        "The document, with its `version` and `created_at`; it can be put back as it is. `ETag` is the document's: the same as long as nobody changes it, whatever trainings learn.",
      parameters: [query("version", { type: "integer", minimum: 0 }, "An earlier version."), project],
      responses: { 200: { ...json(ref("Program")), headers: TAG } },
      faults: ["bad_parameter", "unknown_version"],
    },
    put: {
      tags: ["Program"],
      summary: "Replace the program",
      description:
        "Takes effect at once. A bad one changes nothing and is answered with every fault and its path. With `If-Match`, the `ETag` that the document was read with, it changes nothing either where another came into force since (412).",
      parameters: [IF_MATCH, project],
      requestBody: body(ref("Program")),
      responses: {
        200: { ...json({ type: "object", properties: { version: { type: "integer" } }, required: ["version"] }), headers: TAG },
      },
      faults: ["program_changed", "bad_program", ...CHANGES],
    },
  },
  "/v1/program/check": {
    post: {
      tags: ["Program"],
      summary: "Check a program",
      parameters: [project],
      requestBody: body(ref("Program")),
      responses: {
        200: json({
          type: "object",
          properties: {
            ok: { type: "boolean" },
            faults: { type: "array", items: ref("Fault") },
            warnings: { type: "array", items: ref("Fault"), description: "What a program may say and should not." },
          },
          required: ["ok", "faults", "warnings"],
        }),
      },
    },
  },
  "/v1/program/rollback": {
    post: {
      tags: ["Program"],
      summary: "Bring an earlier version back",
      description:
        "As a new version. With `If-Match`, the `ETag` of the program that it is to take the place of, it changes nothing where another came into force since (412).",
      parameters: [IF_MATCH, project],
      requestBody: body({ type: "object", properties: { version: { type: "integer" } }, required: ["version"] }),
      responses: {
        200: json({
          type: "object",
          properties: { version: { type: "integer", description: "The new version's number." } },
          required: ["version"],
        }),
      },
      faults: ["program_changed", "bad_parameter", "unknown_version", ...CHANGES],
    },
  },
  "/v1/program/versions": {
    get: {
      tags: ["Program"],
      summary: "Versions of the program",
      parameters: [project],
      responses: {
        200: json({
          type: "object",
          properties: {
            current: { type: ["integer", "null"] },
            versions: {
              type: "array",
              items: {
                type: "object",
                properties: { version: { type: "integer" }, created_at: { type: "string", format: "date-time" } },
              },
            },
          },
          required: ["current", "versions"],
        }),
      },
    },
  },
};
