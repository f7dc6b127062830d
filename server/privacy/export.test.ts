import { deepEqual, equal } from "node:assert/strict";
import { request, type IncomingMessage } from "node:http";
import { once } from "node:events";
import { test } from "node:test";
import { ask, startNode } from "../http/testing.ts";
import { checkExport, view } from "./testing/export-check.ts";

/** 10 MB: what lies in the connection's buffers is less. */
const EXPORTED_EVENTS = 1_000;

test("an export holds all of a person's records under all of his ids, and nobody else's", async (t) => {
  const node = await startNode();
  t.after(() => node.close());
  await checkExport(node, async () => {});
});

test("an export waits for a slow reader as often as it must, and leaves no listener behind", async (t) => {
  const node = await startNode();
  t.after(() => node.close());
  const warnings: string[] = [];
  const onWarning = ({ name }: Error): void => void warnings.push(name);
  process.on("warning", onWarning);
  t.after(() => process.off("warning", onWarning));
  const note = "n".repeat(10_000);
  for (let batch = 0; batch < EXPORTED_EVENTS / 50; batch++) {
    const events = Array.from({ length: 50 }, (_, i) => view(`e${batch}-${i}`, { user_id: "ada" }, { timestamp: Date.now(), additional_data: { note } }));
    equal((await ask(node, "POST /v1/events", { events })).json.accepted, 50);
  }
  const asked = request(`${node.url}/v1/privacy/users/ada/export`).end();
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of answer) {
    text += chunk;
    await new Promise(setImmediate);
  }
  equal(text.split("\n").filter((line) => line.includes(note)).length, EXPORTED_EVENTS);
  deepEqual(warnings, []);
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
