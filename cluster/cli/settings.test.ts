import { deepEqual, throws } from "node:assert/strict";
import { test } from "node:test";
import { SettingError } from "../../server/cli/config.ts";
import { kafkaRetention } from "./settings.ts";

const DAY_MS = 86_400_000;

test("ages that Kafka keeps to are taken, and only those that are given", () => {
  deepEqual(kafkaRetention(undefined), {});
  deepEqual(kafkaRetention({ events: "30d", dead_letters: "forever", audit: "forever" }), {
    events: 30 * DAY_MS,
    dead_letters: Infinity,
  });
});

test("an age that a cluster would not keep to is refused, not forgotten", () => {
  for (const kind of ["profiles", "visitors", "audit", "erasures"])
    throws(() => kafkaRetention({ [kind]: "400d" }), new RegExp(`retention.${kind} is 400d`));
  throws(() => kafkaRetention({ events: "1d" }), SettingError);
  throws(() => kafkaRetention({ evnts: "30d" }), SettingError);
});
