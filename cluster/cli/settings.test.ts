import { deepEqual, equal, throws } from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { SettingError } from "../../server/cli/config.ts";
import { clusterRetention, resolveCluster } from "./settings.ts";

const DAY_MS = 86_400_000;

test("ages of topics are taken, and only those that are given", () => {
  deepEqual(clusterRetention(undefined).topics, {});
  deepEqual(clusterRetention({ events: "30d", dead_letters: "forever", audit: "forever" }).topics, {
    events: 30 * DAY_MS,
    dead_letters: Infinity,
  });
});

test("persons have the ages of the embedded host, or those that are given", () => {
  deepEqual(clusterRetention(undefined).persons, { profiles: 395 * DAY_MS, visitors: 30 * DAY_MS });
  const given = clusterRetention({ profiles: "forever", visitors: "14d" });
  deepEqual(given, { topics: {}, persons: { profiles: Infinity, visitors: 14 * DAY_MS } });
  throws(() => clusterRetention({ visitors: "12h" }), /retention.visitors is 12h: at least 1d/);
});

test("an age that a cluster would not keep to is refused, not forgotten", () => {
  for (const kind of ["audit", "erasures"])
    throws(() => clusterRetention({ [kind]: "400d" }), new RegExp(`retention.${kind} is 400d`));
  throws(() => clusterRetention({ events: "1d" }), SettingError);
  throws(() => clusterRetention({ evnts: "30d" }), SettingError);
});

test("a cluster has the demo unless somebody says no; a variable that is set to nothing says nothing", async (t) => {
  const data = mkdtempSync(join(tmpdir(), "attune-cluster-settings-"));
  const before = process.env["ATTUNE_DEMO"];
  t.after(() => {
    rmSync(data, { recursive: true, force: true });
    if (before === undefined) delete process.env["ATTUNE_DEMO"];
    else process.env["ATTUNE_DEMO"] = before;
  });
  for (const [said, isOn] of [["", true], ["1", true], ["0", false]] as const) {
    process.env["ATTUNE_DEMO"] = said;
    equal((await resolveCluster({ data })).plan.demo, isOn, `"${said}"`);
  }
});
