import { ok } from "node:assert/strict";
import { test } from "node:test";
import { fuzzSockets } from "./fuzz.ts";

test("three hundred connections of mutated messages and frames go on or are closed, and the node goes on", async () => {
  const { answers } = await fuzzSockets({ runs: 300, seed: Number(process.env["SEED"] ?? 1) });
  // Not all may be refused at the door.
  ok((answers["ack"] ?? 0) > 20 && (answers["error"] ?? 0) > 50 && (answers["hello"] ?? 0) > 250, JSON.stringify(answers));
});
