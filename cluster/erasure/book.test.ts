// The ledger of erasures beside what is none of ours.
import { equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { encodeErasure } from "../wire/erasure.ts";
import { ErasureBook } from "./book.ts";

test("what somebody else wrote to the ledger is refused, and takes no erasure back", () => {
  const book = new ErasureBook();
  book.take(encodeErasure({ kind: "salt", salt: "c2FsdA" }));
  book.take(encodeErasure({ kind: "erasure", job_id: "1", status: "running", at: 1_000, keys: ["u:ada"] }));
  for (const foreign of ["garbage", "", "null", "{}", "[]", '{"kind":"salt"}', '{"kind":"erasure"}', '{"kind":"erasure","job_id":"2","at":5,"status":"done"}'])
    throws(() => book.take(Buffer.from(foreign)), foreign);
  equal(book.covers("u:ada", 1_000), true);
  equal(book.covers("u:ada", 1_001), false);
  equal(book.running().length, 1);
});
