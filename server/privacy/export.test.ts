import { equal } from "node:assert/strict";
import { test } from "node:test";
import { ask, startNode } from "../http/testing.ts";
import { checkExport, view } from "./testing/export-check.ts";

test("an export holds all of a person's records under all of his ids, and nobody else's", async (t) => {
  const node = await startNode();
  t.after(() => node.close());
  await checkExport(node, async () => {});
});

test("an erasure answers with its job, and the job with its proof", async (t) => {
  const node = await startNode();
  t.after(() => node.close());
  await ask(node, "POST /v1/events", view("e1", { user_id: "ada", anonymous_id: "phone" }, { timestamp: Date.now() - 1_000 }));
  const { status, json } = await ask(node, "DELETE /v1/privacy/users/ada");
  equal(status, 202);
  equal((await ask(node, "GET /v1/users/ada/profile")).status, 404, "forgotten at once");
  let job = json;
  while (job.status === "running") job = (await ask(node, `GET /v1/privacy/jobs/${json.job_id}`)).json;
  equal(job.status, "done");
  equal(job.proof.scan.records_found, 0);
  const late = await ask(node, "POST /v1/events", view("e2", { anonymous_id: "phone" }, { timestamp: Date.now() - 60_000 }));
  equal(late.json.rejected[0].code, "erased");
  equal((await ask(node, "GET /v1/dead-letters")).json.total, 0);
  equal((await ask(node, "GET /v1/privacy/jobs/none")).status, 404);
});
