import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import { test } from "node:test";
import { KEYS_MAX } from "../../server/access/key-file.ts";
import { makeKey } from "../../server/access/key-table.ts";
import { AuditDamagedError } from "../../server/audit/audit-log.ts";
import { SettingError } from "../../server/cli/config.ts";
import { withAdmin } from "../kafka/topics.ts";
import { RedisLink } from "../redis/link.ts";
import { isMisuse, plainly } from "./plain-faults.ts";

test("a full ring and a trail that ends too early are told in a line; a bug keeps its stack", () => {
  throws(() => makeKey({ project: "default", role: "read", name: "r" }, KEYS_MAX, 0), (error) => plainly(error) !== undefined);
  equal(plainly(new AuditDamagedError("the topic ends before its anchor")), "the topic ends before its anchor");
  equal(plainly(new TypeError("undefined is not a function")), undefined);
});

test("a Redis that is away is told in a line", async () => {
  const link = await RedisLink.open({ urls: ["redis://127.0.0.1:1"] });
  await rejects(link.write("attune", ["DEL", "attune"]), (error) => plainly(error) === "Redis is away");
  link.close();
});

test("a wrong setting is a misuse, a full ring is none", () => {
  deepEqual([new SettingError("x"), new AuditDamagedError("x")].map(isMisuse), [true, false]);
});

test("brokers that are away are told in a line, with their address", async () => {
  const connection = { brokers: ["127.0.0.1:1"] };
  await rejects(withAdmin(connection, (admin) => admin.listTopics()), (error) => {
    equal(plainly(error), "Kafka does not answer: connect ECONNREFUSED 127.0.0.1:1");
    return true;
  });
});
