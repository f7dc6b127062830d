// Operations on one person: profile, consent, erasure, export; and what is kept of everybody.
import {
  body,
  CHANGES,
  json,
  path,
  project,
  type Operation,
  type Paths,
} from "./openapi-parts.ts";
import { ref, type Schema } from "./openapi-schemas.ts";

function profileOperations(who: "user" | "visitor", parameter: Schema): Record<string, Operation> {
  return {
    get: {
      tags: ["Profiles"],
      summary: `Read a ${who}'s profile`,
      parameters: [parameter, project],
      responses: {
        200: json(ref("Profile"), "The profile as it is now."),
      },
      faults: ["bad_parameter", "unknown_person"],
    },
    patch: {
      tags: ["Profiles"],
      summary: `Set a ${who}'s attributes`,
      description: "Attributes that are not named stay; null removes one.",
      parameters: [parameter, project],
      requestBody: body({
        type: "object",
        properties: { attributes: { type: "object", additionalProperties: true } },
        required: ["attributes"],
      }),
      responses: { 200: json(ref("Profile"), "The profile afterwards.") },
      faults: ["bad_parameter", ...CHANGES],
    },
  };
}

/** One call of the Segment tracking protocol: the long path and the web SDK's letter are the same. */
function consentOperations(who: "user" | "visitor", parameter: Schema): Record<string, Operation> {
  return {
    get: {
      tags: ["Privacy"],
      summary: `Read what a ${who} allows`,
      description: "Where nobody was asked yet, the program's default, with `source` `default`.",
      parameters: [parameter, project],
      responses: { 200: json(ref("Consent"), "What holds now.") },
      faults: ["bad_parameter"],
    },
    put: {
      tags: ["Privacy"],
      summary: `Set what a ${who} allows`,
      description:
        "Purposes that are not named stay as they are. Without `analytics` events are refused and not kept, without `profiling` they are kept and shape nothing, without `personalization` lists and slots follow nobody. `tcf` takes the string of an IAB TCF consent platform instead. From the next event and the next answer on.",
      parameters: [parameter, project],
      requestBody: body(ref("ConsentRequest")),
      responses: {
        200: json(ref("Consent"), "What holds from now on."),
      },
      faults: ["bad_parameter", ...CHANGES],
    },
  };
}

function exportOperation(who: "user" | "visitor", parameter: Schema): Record<string, Operation> {
  return {
    get: {
      tags: ["Privacy"],
      summary: `Export everything held on a ${who}`,
      description:
        "One JSON object a line. `record` says what it is, and the first line explains each kind: profile and conclusions, consent, events as they were received, what was said about the person, what they were shown, refused events that name them. All their linked ids are in it.",
      parameters: [parameter, project],
      responses: {
        200: { description: "The lines.", content: { "application/x-ndjson": { schema: { type: "string" } } } },
      },
      faults: ["bad_parameter"],
    },
  };
}

function erasureOperation(who: "user" | "visitor", parameter: Schema): Record<string, Operation> {
  return {
    delete: {
      tags: ["Privacy"],
      summary: `Erase a ${who}`,
      description:
        "The person and all ids that are linked to them are forgotten at once. The job takes their records out of the log, derives all state from it anew, and looks for them again. What was done before and arrives later is refused (`erased`); what is done from now on counts.",
      parameters: [parameter, project],
      responses: {
        202: json(ref("ErasureJob"), "The person is forgotten; the job runs."),
      },
      faults: ["bad_parameter", ...CHANGES],
    },
  };
}

export const PERSON_PATHS: Paths = {
  "/v1/users/{user_id}/profile": profileOperations("user", path("user_id", "The user.")),
  "/v1/visitors/{anonymous_id}/profile": profileOperations("visitor", path("anonymous_id", "The anonymous visitor.")),
  "/v1/privacy/users/{user_id}/consent": consentOperations("user", path("user_id", "The user.")),
  "/v1/privacy/visitors/{anonymous_id}/consent": consentOperations(
    "visitor",
    path("anonymous_id", "The anonymous visitor."),
  ),
  "/v1/privacy/users/{user_id}": erasureOperation("user", path("user_id", "The user.")),
  "/v1/privacy/visitors/{anonymous_id}": erasureOperation("visitor", path("anonymous_id", "The anonymous visitor.")),
  "/v1/privacy/jobs/{job_id}": {
    get: {
      tags: ["Privacy"],
      summary: "What came of an erasure",
      description: "The proof says what was erased where and when, and what looking for it again found.",
      parameters: [path("job_id", "The job."), project],
      responses: {
        200: json(ref("ErasureJob"), "The job."),
      },
      faults: ["bad_parameter", "unknown_job"],
    },
  },
  "/v1/privacy/inventory": {
    get: {
      tags: ["Privacy"],
      summary: "Every field that is stored",
      description: "What it is, what for, how long it is kept, whether an export shows it, and whether the disk does.",
      parameters: [project],
      responses: { 200: json(ref("Inventory"), "By kind of data.") },
    },
  },
  "/v1/privacy/retention": {
    get: {
      tags: ["Privacy"],
      summary: "How long what is kept",
      description:
        "The ages in force (`retention` in attune.config.ts), and what the node's last run of retention did.",
      parameters: [project],
      responses: { 200: json(ref("Retention"), "The policy.") },
    },
  },
  "/v1/privacy/users/{user_id}/export": exportOperation("user", path("user_id", "The user.")),
  "/v1/privacy/visitors/{anonymous_id}/export": exportOperation(
    "visitor",
    path("anonymous_id", "The anonymous visitor."),
  ),
};
