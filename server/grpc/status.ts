// Errors as gRPC statuses: the problem codes of HTTP, by one table, with Google's error details and the time to wait.
import { Metadata, status, type StatusObject } from "@grpc/grpc-js";
import protobuf from "protobufjs";
import { FilterError, HostError, RulesError } from "../ports.ts";
import { Problem, problemOfHost, PROBLEMS, type ProblemCode } from "../http/problem.ts";

type HttpStatus = (typeof PROBLEMS)[ProblemCode][0];

/** Closed over the statuses that a problem has: a new one does not compile until it has a line here. */
const STATUS_OF_HTTP = {
  400: status.INVALID_ARGUMENT,
  401: status.UNAUTHENTICATED,
  403: status.PERMISSION_DENIED,
  404: status.NOT_FOUND,
  405: status.UNIMPLEMENTED,
  408: status.DEADLINE_EXCEEDED,
  409: status.ABORTED,
  410: status.NOT_FOUND,
  412: status.FAILED_PRECONDITION,
  413: status.INVALID_ARGUMENT,
  415: status.INVALID_ARGUMENT,
  417: status.INVALID_ARGUMENT,
  422: status.INVALID_ARGUMENT,
  429: status.RESOURCE_EXHAUSTED,
  431: status.INVALID_ARGUMENT,
  500: status.INTERNAL,
  501: status.UNIMPLEMENTED,
  502: status.UNAVAILABLE,
  503: status.UNAVAILABLE,
  507: status.RESOURCE_EXHAUSTED,
} as const satisfies Record<HttpStatus | 502, status>;

/** google.rpc.Status and what it holds here: https://google.aip.dev/193. */
const DETAILS = protobuf.parse(
  `syntax = "proto3";
  package google.rpc;
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message Any { string type_url = 1; bytes value = 2; }
  message ErrorInfo { string reason = 1; string domain = 2; map<string, string> metadata = 3; }
  message RetryInfo { Duration retry_delay = 1; }
  message Duration { int64 seconds = 1; int32 nanos = 2; }`,
  { keepCase: true },
).root;
const DOMAIN = "attune";

/** Any error as the problem that HTTP would answer; undefined for a bug. */
export function expectedProblem(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error;
  if (error instanceof HostError) return problemOfHost(error);
  if (error instanceof RulesError) return new Problem("bad_rules", error.message, { parameter: "rules", faults: error.faults });
  if (error instanceof FilterError) return new Problem("bad_filter", error.message, { parameter: "filter" });
  return undefined;
}

/**
 * The status of a failed call. Trailers: `attune-code`, the stable code; `grpc-retry-pushback-ms` where trying again
 * later helps; `grpc-status-details-bin` with ErrorInfo and RetryInfo.
 */
export function statusOf(problem: Problem): StatusObject & { name: string; message: string } {
  const code = STATUS_OF_HTTP[problem.status as HttpStatus];
  const { parameter, pointer, retryAfterS } = problem.extras;
  const named = { ...(parameter !== undefined && { parameter }), ...(pointer !== undefined && { pointer }) };
  const details = [any("ErrorInfo", { reason: problem.code, domain: DOMAIN, metadata: named })];
  const metadata = new Metadata();
  metadata.set("attune-code", problem.code);
  if (retryAfterS !== undefined) {
    metadata.set("grpc-retry-pushback-ms", String(Math.ceil(retryAfterS * 1_000)));
    const seconds = Math.floor(retryAfterS);
    details.push(any("RetryInfo", { retry_delay: { seconds, nanos: Math.round((retryAfterS - seconds) * 1e9) } }));
  }
  metadata.set("grpc-status-details-bin", encode("Status", { code, message: problem.message, details }));
  return { name: "ServiceError", code, details: problem.message, message: problem.message, metadata };
}

function any(name: string, value: object): object {
  return { type_url: `type.googleapis.com/google.rpc.${name}`, value: encode(name, value) };
}

function encode(name: string, value: object): Buffer {
  return Buffer.from(DETAILS.lookupType(`google.rpc.${name}`).encode(value).finish());
}
