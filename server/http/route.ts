// A route as the rooms of the server declare it: handlers see a call and give an answer, and never the HTTP library.
import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import type { Reader } from "../access/reader.ts";
import type { Principal } from "../access/principal.ts";
import type { Need } from "../access/roles.ts";
import type { PersonRef } from "../../core/record.ts";

export type Query = Readonly<Record<string, string | string[] | undefined>>;

/** Who asks is known and allowed what the route needs before a handler is called. */
export interface Call extends Reader {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly headers: IncomingHttpHeaders;
  /** The body as it came; null where the request had none. */
  readonly body: Buffer | null;
  /** The sender's address: used for the country and the address lists, never kept. */
  readonly address: string;
  readonly nowMs: number;
  /** Whether the sender's side is encrypted, by this node or by a trusted proxy. */
  readonly isSecure: boolean;
  /** False for a route with `keyInBody` while no key was shown: whoever asks may be anybody. */
  readonly isAdmitted: boolean;
  /** For routes with `keyInBody`: the key that the body carries, before `project` is asked for. @throws Problem. */
  showKey(key: string | undefined): void;
  /** Who asks, for public routes that tell him: `nobody` also where what he shows is worth nothing. */
  whoAsks(): Promise<Principal>;
}

export interface Answer {
  readonly status: number;
  /** Sent as JSON; leave out for an empty body. */
  readonly json?: unknown;
  /** Sent as it is, with its content type in `headers`. */
  readonly bytes?: Buffer | string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the audit trail says of a change beyond its route and its path. */
  readonly audit?: Readonly<Record<string, string | number | boolean>>;
  /** Whom a change is about, for the audit trail, where the path does not name him. */
  readonly about?: PersonRef;
}

export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** With parameters in braces, as the OpenAPI document writes it: `/v1/items/{item_id}`. */
  readonly path: string;
  /** What a principal must be allowed. */
  readonly access: Need;
  /** Shows or changes persons whom the request does not name: reading it is audited. */
  readonly persons?: boolean;
  /** Visitors may do it for themselves; of whoever may read anybody each time is audited as a change. */
  readonly isChange?: boolean;
  /** Its protocol may carry the key in the body; the handler shows it. */
  readonly keyInBody?: boolean;
  /** Pages of other origins may call it: the routes that the SDK needs. */
  readonly crossOrigin?: boolean;
  readonly handle: (call: Call) => Answer | Promise<Answer>;
}

/** A route that keeps the response open (server-sent events). Throws a Problem before it has written anything. */
export interface StreamRoute {
  readonly path: string;
  readonly access: Need;
  readonly persons?: boolean;
  readonly crossOrigin?: boolean;
  readonly open: (call: Call, response: ServerResponse) => void | Promise<void>;
}

export function ok(json: unknown): Answer {
  return { status: 200, json };
}
