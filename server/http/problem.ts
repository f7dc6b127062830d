// Problem documents (RFC 9457): every error that a client can see, its stable code and its status, in one table.
import { HostError } from "../ports.ts";

/** Code → status and title. Codes are public and stable: clients branch on them, `detail` is for people. */
export const PROBLEMS = {
  bad_request: [400, "The request cannot be understood"],
  bad_json: [400, "The body is not valid JSON"],
  bad_parameter: [400, "A parameter is missing or wrong"],
  bad_filter: [400, "The filter is not a CEL expression over the item"],
  bad_rules: [400, "The rules of the list have faults"],
  bad_item: [400, "An item is not valid, nothing was changed"],
  events_rejected: [400, "No event was good"],
  too_deep: [400, "The JSON is nested too deep"],
  key_missing: [401, "A key is needed"],
  key_invalid: [401, "The key is not in force"],
  token_invalid: [401, "The user token cannot be trusted"],
  token_expired: [401, "The user token has expired"],
  forbidden: [403, "The key does not allow this"],
  wrong_project: [403, "The key is another project's"],
  key_in_url: [403, "A secret key must not stand in a URL"],
  origin_not_allowed: [403, "The key is not for pages of this origin"],
  cross_origin: [403, "This route does not answer to pages of another origin"],
  unknown_route: [404, "No such route"],
  unknown_project: [404, "No such project"],
  unknown_person: [404, "Nobody is known by this id"],
  unknown_item: [404, "No such item"],
  unknown_placement: [404, "The program has no such placement"],
  unknown_slot: [404, "The program has no such slot"],
  unknown_experiment: [404, "The program has no such experiment"],
  unknown_segment: [404, "The program has no such segment"],
  unknown_version: [404, "No such version of the program"],
  unknown_key: [404, "No such key is in force"],
  no_identity_provider: [404, "The node has no identity provider"],
  unknown_job: [404, "No such job"],
  unknown_dead_letter: [404, "No such dead letter"],
  not_found: [404, "No such file"],
  method_not_allowed: [405, "The route does not take this method"],
  request_timeout: [408, "The request took too long to arrive"],
  admin_key_first: [409, "A node's first key must be an admin key"],
  too_many_keys: [409, "The node keeps no more keys"],
  page_expired: [410, "The list has another order by now"],
  program_changed: [412, "The program is another by now, nothing was changed"],
  body_too_large: [413, "The body is too large"],
  too_many_events: [413, "The batch has too many events"],
  unsupported_media_type: [415, "The content type is not supported"],
  unsupported_encoding: [415, "The content encoding is not supported"],
  expectation_failed: [417, "The expectation cannot be met"],
  bad_program: [422, "The program has faults, nothing was changed"],
  overloaded: [429, "Too much work is waiting"],
  rate_limited: [429, "Too many requests"],
  headers_too_large: [431, "The header is too large"],
  internal: [500, "A fault of the server"],
  not_supported_here: [501, "This host cannot do it"],
  shutting_down: [503, "The server is going down"],
  storage_failed: [503, "The log cannot be written"],
  unavailable: [503, "A part that the answer needs is away"],
  too_many_connections: [503, "Too many connections are open"],
  storage_full: [507, "The disk is full"],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ProblemCode = keyof typeof PROBLEMS;

/** What a problem document may say beyond its code. */
export interface ProblemExtras {
  /** The query or path parameter at fault. */
  parameter?: string;
  /** JSON pointer into the body. */
  pointer?: string;
  faults?: readonly { path: string; code: string; message: string }[];
  retryAfterS?: number;
  /** Further members of the document. */
  members?: Readonly<Record<string, unknown>>;
}

/** Thrown by handlers, answered by the shell as a problem document. `detail` must not repeat personal data. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly code: ProblemCode;
  readonly extras: ProblemExtras;
  constructor(code: ProblemCode, detail: string, extras: ProblemExtras = {}) {
    super(detail);
    this.code = code;
    this.extras = extras;
  }
  get status(): number {
    return PROBLEMS[this.code][0];
  }
}

export function goingDown(): Problem {
  return new Problem("shutting_down", "The server is going down.", { retryAfterS: 1 });
}

export function problemDocument(problem: Problem): Record<string, unknown> {
  const [status, title] = PROBLEMS[problem.code];
  const { parameter, pointer, faults, members } = problem.extras;
  return {
    type: `/docs/#problem-${problem.code}`,
    title,
    status,
    code: problem.code,
    detail: problem.message,
    ...(parameter !== undefined && { parameter }),
    ...(pointer !== undefined && { pointer }),
    ...(faults !== undefined && { faults }),
    ...members,
  };
}

/** A fault of the host in HTTP's words; its codes are problem codes. */
export function problemOfHost(fault: HostError): Problem {
  return new Problem(fault.code, fault.message, fault.retryAfterS > 0 ? { retryAfterS: fault.retryAfterS } : {});
}
