// What Flink says of a fault, as an operator reads it.
import { equal, rejects } from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { FlinkError, FlinkRest } from "./flink-rest.ts";

const TRACE = [
  "java.util.concurrent.CompletionException: org.apache.flink.CheckpointException: not all tasks run.",
  "\tat java.base/java.util.concurrent.CompletableFuture.completeExceptionally(CompletableFuture.java:2162)",
  "Caused by: org.apache.flink.CheckpointException: not all tasks run.",
  "\tat java.base/java.util.concurrent.CompletableFuture.completeExceptionally(CompletableFuture.java:2162)",
  "\t... 5 more",
  "Caused by: org.apache.flink.CheckpointException: not all tasks run.",
].join("\n");

async function flinkThatSays(t: TestContext, answers: unknown[]): Promise<FlinkRest> {
  const server = createServer((_, response) => response.end(JSON.stringify(answers.shift()))).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return new FlinkRest(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

test("of a stack trace the causes are told, once, without its frames", async (t) => {
  const flink = await flinkThatSays(t, [{ "request-id": "r" }, { status: { id: "COMPLETED" }, operation: { "failure-cause": { class: "c", "stack-trace": TRACE } } }]);
  await rejects(flink.savepoint("job"), (error: FlinkError) => {
    const [first, , second] = TRACE.split("\n");
    equal(error.message, `the savepoint failed: ${first}\n${second}`);
    return true;
  });
});

test("checkpoints that were asked for before all tasks ran have not failed", async (t) => {
  const counts = { restored: 0, total: 19, in_progress: 1, completed: 2, failed: 16 };
  const completed = { id: 2, is_savepoint: false, end_to_end_duration: 5, state_size: 9, latest_ack_timestamp: 7, trigger_timestamp: 2, discarded: false };
  const failed = { id: 1, status: "FAILED" };
  const latest = { completed, savepoint: null, failed: null, restored: null };
  const flink = await flinkThatSays(t, [{ counts, latest }, { counts, latest: { ...latest, failed } }]);
  equal((await flink.checkpoints("job")).failed, 0);
  equal((await flink.checkpoints("job")).failed, 16);
});
