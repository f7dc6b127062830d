// Writes the savepoint that tests of later releases start from: `node keep-savepoint.ts NAME`. To be run by hand for a
// release that changes what is stored; savepoints of earlier ones stay.
import { cpSync } from "node:fs";
import { join } from "node:path";
import { shopProgram } from "../../../core/program/shop.ts";
import { START_MS } from "../../../server/embedded/testing.ts";
import { KEPT_VERSIONS, keptRecords } from "./kept.ts";
import { Rig } from "./rig.ts";

const [name] = process.argv.slice(2);
if (name === undefined) throw new Error("a name is needed, e.g. 1");
const rig = await Rig.start();
try {
  await rig.putProgram({ version: 1, at: START_MS, document: shopProgram });
  for (const record of keptRecords()) await rig.write([record]);
  // Transactions that are still to be committed belong to one broker: a savepoint for all has none.
  const args = { sink: "at-least-once" };
  const jobId = await rig.submit({ args, settings: { "state.backend.type": "hashmap" } });
  const versions = (): (number | undefined)[] =>
    [...KEPT_VERSIONS.keys()].map((key) => rig.outputs.profiles.get(key)?.version);
  await rig.until(
    () => `${versions().join()} instead of ${[...KEPT_VERSIONS.values()].join()}`,
    () => versions().join() === [...KEPT_VERSIONS.values()].join(),
  );
  cpSync(await rig.rest.stop(jobId), join(import.meta.dirname, "../savepoints", name), { recursive: true });
} finally {
  await rig.stop();
}
