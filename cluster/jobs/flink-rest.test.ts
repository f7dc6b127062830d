// What Flink says of a fault, as an operator reads it.
import { equal, rejects } from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { FlinkError, FlinkRest } from "./flink-rest.ts";

const TRACE = [
  "java.util.concurrent.CompletionException: org.apache.flink.CheckpointException: not all tasks run.",
  "\tat java.base/java.util.concurrent.CompletableFuture.completeExceptionally(CompletableFuture.java:2162)",
  "Caused by: org.apache.flink.CheckpointException: not all tasks run.",
  "\tat java.base/java.util.concurrent.CompletableFuture.completeExceptionally(CompletableFuture.java:2162)",
  "\t... 5 more",
  "Caused by: org.apache.flink.CheckpointException: not all tasks run.",
].join("\n");

test("of a stack trace the causes are told, once, without its frames", async (t) => {
  const answers = [{ "request-id": "r" }, { status: { id: "COMPLETED" }, operation: { "failure-cause": { class: "c", "stack-trace": TRACE } } }];
  const server = createServer((_, response) => response.end(JSON.stringify(answers.shift()))).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const flink = new FlinkRest(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await rejects(flink.savepoint("job"), (error: FlinkError) => {
    const [first, , second] = TRACE.split("\n");
    equal(error.message, `the savepoint failed: ${first}\n${second}`);
    return true;
  });
});
