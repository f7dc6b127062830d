import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { KEYS_MAX } from "../../server/access/key-file.ts";
import { makeKey } from "../../server/access/key-table.ts";
import { AuditDamagedError } from "../../server/audit/audit-log.ts";
import { SettingError } from "../../server/cli/config.ts";
import { isMisuse, isPlain } from "./plain-faults.ts";

test("a full ring and a trail that ends too early are told in a line; a bug keeps its stack", () => {
  throws(() => makeKey({ project: "default", role: "read", name: "r" }, KEYS_MAX, 0), isPlain);
  equal(isPlain(new AuditDamagedError("the topic ends before its anchor")), true);
  equal(isPlain(new TypeError("undefined is not a function")), false);
});

test("a wrong setting is a misuse, a full ring is none", () => {
  deepEqual([new SettingError("x"), new AuditDamagedError("x")].map(isMisuse), [true, false]);
});
