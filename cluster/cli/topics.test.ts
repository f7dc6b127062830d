// Partitions that somebody added to a topic, as "status" tells of them.
import { equal, match } from "node:assert/strict";
import { test } from "node:test";
import { clusterTopics, sayPartitions } from "./topics.ts";

test("a topic with other partitions than it was made with is named; one that has to have one is another check's", () => {
  const needs = clusterTopics({ default: "shop" }, 1);
  const found = new Map(needs.map(({ name, settings }) => [name, settings.partitions === "many" ? 4 : 1]));
  equal(sayPartitions(needs, found, 4), undefined);
  equal(sayPartitions(needs, new Map(), 4), undefined, "Kafka is away: that is told already");
  found.set("attune.default.profiles", 6);
  match(sayPartitions(needs, found, 4)!, /^attune\.default\.profiles has 6 partitions, and the cluster was planned with 4: /);
});
