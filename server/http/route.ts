// A route as the rooms of the server declare it: handlers see a call and give an answer, and never the HTTP library.
import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import type { Project } from "../ports.ts";

export type Query = Readonly<Record<string, string | string[] | undefined>>;

export interface Call {
  readonly project: Project;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly headers: IncomingHttpHeaders;
  /** The body as it came; null where the request had none. */
  readonly body: Buffer | null;
  /** The sender's address: used for the country and the address lists, never kept. */
  readonly address: string;
  readonly nowMs: number;
}

export interface Answer {
  readonly status: number;
  /** Sent as JSON; leave out for an empty body. */
  readonly json?: unknown;
  /** Sent as it is, with its content type in `headers`. */
  readonly bytes?: Buffer | string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** With parameters in braces, as the OpenAPI document writes it: `/v1/items/{item_id}`. */
  readonly path: string;
  /** Pages of other origins may call it: the routes that the SDK needs. */
  readonly crossOrigin?: boolean;
  readonly handle: (call: Call) => Answer | Promise<Answer>;
}

/** A route that keeps the response open (server-sent events). Throws a Problem before it has written anything. */
export interface StreamRoute {
  readonly path: string;
  readonly crossOrigin?: boolean;
  readonly open: (call: Call, response: ServerResponse) => void | Promise<void>;
}

export function ok(json: unknown): Answer {
  return { status: 200, json };
}
