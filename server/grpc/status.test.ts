import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { status } from "@grpc/grpc-js";
import protobuf from "protobufjs";
import { Problem, PROBLEMS, type ProblemCode } from "../http/problem.ts";
import { HostError, type HostErrorCode } from "../ports.ts";
import { expectedProblem, statusOf } from "./status.ts";

test("every problem has a status that is an error", () => {
  for (const code of Object.keys(PROBLEMS) as ProblemCode[]) {
    const { code: grpc, metadata } = statusOf(new Problem(code, "why"));
    ok(grpc > status.OK && grpc <= status.UNAUTHENTICATED, code);
    deepEqual(metadata.get("attune-code"), [code]);
  }
});

test("a fault of the host says whether, and when, to try again", () => {
  const expected: Record<HostErrorCode, status> = {
    overloaded: status.RESOURCE_EXHAUSTED,
    storage_full: status.RESOURCE_EXHAUSTED,
    storage_failed: status.UNAVAILABLE,
    shutting_down: status.UNAVAILABLE,
    not_supported_here: status.UNIMPLEMENTED,
    unavailable: status.UNAVAILABLE,
    page_expired: status.NOT_FOUND,
  };
  for (const [code, grpc] of Object.entries(expected) as [HostErrorCode, status][]) {
    const problem = expectedProblem(new HostError(code, "wait", { retryAfterS: 1.5 }))!;
    const { code: sent, metadata } = statusOf(problem);
    equal(sent, grpc, code);
    deepEqual(metadata.get("grpc-retry-pushback-ms"), ["1500"]);
  }
  equal(expectedProblem(new Error("a bug")), undefined);
});

test("the details are google.rpc.Status, as other readers of it know it", () => {
  const { root } = protobuf.parse(
    `syntax = "proto3";
    message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
    message Any { string type_url = 1; bytes value = 2; }
    message ErrorInfo { string reason = 1; string domain = 2; map<string, string> metadata = 3; }
    message RetryInfo { Duration retry_delay = 1; }
    message Duration { int64 seconds = 1; int32 nanos = 2; }`,
    { keepCase: true },
  );
  const read = (name: string, bytes: Uint8Array): any =>
    root.lookupType(name).toObject(root.lookupType(name).decode(bytes), { longs: Number });
  const problem = new Problem("overloaded", "Later, please.", { parameter: "events", retryAfterS: 2 });
  const { metadata } = statusOf(problem);
  const [bytes] = metadata.get("grpc-status-details-bin") as [Buffer];
  const { code, message, details } = read("Status", bytes);
  deepEqual([code, message], [status.RESOURCE_EXHAUSTED, "Later, please."]);
  deepEqual(
    details.map(({ type_url: url, value }: any) => [url, read(url.split(".").at(-1), value)]),
    [
      [
        "type.googleapis.com/google.rpc.ErrorInfo",
        { reason: "overloaded", domain: "attune", metadata: { parameter: "events" } },
      ],
      ["type.googleapis.com/google.rpc.RetryInfo", { retry_delay: { seconds: 2 } }],
    ],
  );
});
