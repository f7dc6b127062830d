import { ok } from "node:assert/strict";
import { test } from "node:test";
import { fuzz } from "./fuzz.ts";

test("a thousand mutated requests get an answer that is valid or a problem document", async () => {
  const { byStatus } = await fuzz({ runs: 1_000, seed: Number(process.env["SEED"] ?? 1) });
  // The mutations must not all be refused at the door.
  ok((byStatus[200] ?? 0) > 50 && (byStatus[202] ?? 0) > 20 && (byStatus[400] ?? 0) > 50, JSON.stringify(byStatus));
});
