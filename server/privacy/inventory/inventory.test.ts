import { deepEqual, equal, ok } from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { emptyPerson } from "../../../core/profile/person.ts";
import { compileProgram } from "../../../core/program/compile.ts";
import { shopProgram } from "../../../core/program/shop.ts";
import { takeBackup } from "../../backup/backup.ts";
import { openNodeAudit } from "../../audit/open.ts";
import { openHost } from "../../embedded/host.ts";
import { randomEvent, START_MS, testFolder, type Clock } from "../../embedded/testing.ts";
import { rngFrom } from "../../../core/math/rng.ts";
import { ask, startNode } from "../../http/testing.ts";
import { StateFile } from "../../state/state-file.ts";
import { DEFAULT_RETENTION } from "../retention.ts";
import { INVENTORY, inventoryPage } from "./inventory.ts";
import { FILES, STATE_TABLES } from "./state.ts";

const DAY = 86_400_000;

test("the page of the documentation is the inventory", () => {
  const page = readFileSync(resolve(import.meta.dirname, "../../../docs/inventory.md"), "utf8");
  equal(page, inventoryPage(DEFAULT_RETENTION), "run: node scripts/inventory.ts");
});

test("every field of a person has its row, also those that types do not see", () => {
  const compiled = compileProgram(shopProgram, 1);
  ok("program" in compiled);
  const stored = Object.keys(emptyPerson(compiled.program.plan)).filter((name) => !["layout", "recentCategories"].includes(name));
  const rows = Object.keys(INVENTORY.find(({ kind }) => kind === "person")!.fields);
  deepEqual(rows.sort(), stored.sort());
});

test("every table of a state and every file of a data folder has its row", async () => {
  const clock: Clock = { nowMs: START_MS };
  const { path } = testFolder();
  const [dataFolder, kekFolder] = [join(path, "data"), join(path, "kek")];
  const options = { dataFolder, projects: { default: shopProgram }, now: () => clock.nowMs, encryption: { kekFolder } };
  let host = await openHost(options);
  const project = host.projects.get("default")!;
  const rng = rngFrom(1);
  for (let serial = 0; serial < 200; serial++) {
    clock.nowMs += DAY;
    const letter = { code: "x", path: "", message: "", source: "", body: {} };
    await project.submit({ events: [randomEvent(rng, clock, { persons: 5, serial })], deadLetters: serial % 9 === 0 ? [letter] : [] });
    await project.decide({ user_id: "u1" }, "hero");
    await project.recommend({ ref: { user_id: "u1" }, placement: "home", limit: 3 });
    if (serial % 20 === 19) await project.retain();
  }
  await project.erasePerson({ user_id: "u2" });
  await host.close();
  const audit = openNodeAudit({ dataFolder, kekFolder }, () => clock.nowMs);
  audit.close();
  await startAndStopKeys(dataFolder);
  host = await openHost(options);
  await host.close();

  const paths = readdirSync(dataFolder, { recursive: true }).map(String).filter((name) => statSync(join(dataFolder, name)).isFile());
  const patterns = Object.keys(FILES).map((pattern) => new RegExp(`^${patternOf(pattern)}$`));
  deepEqual(paths.filter((name) => !patterns.some((pattern) => pattern.test(name))), []);
  ok(paths.some((name) => name.includes("base-")), "there is a base too");

  const vault = await import("../../vault/vault.ts").then(({ readVault }) => readVault({ dataFolder, kekFolder })!);
  const state = readdirSync(join(dataFolder, "projects/default")).find((name) => name.startsWith("state"))!;
  const file = StateFile.open(join(dataFolder, "projects/default", state), vault.keys.get(`state/default/${state}`));
  const tables = Object.keys(STATE_TABLES);
  const met = new Set<string>();
  for (const [key] of file.all()) {
    const table = tables.filter((name) => key.startsWith(name)).sort((a, b) => b.length - a.length)[0];
    ok(table !== undefined, `${key} has no row`);
    met.add(table);
  }
  await file.close();
  for (const table of ["meta", "p:", "m:", "v:", "t:"]) ok(met.has(table), `${table} was met: the test sees something`);
  await takeBackup({ dataFolder, kekFolder, to: join(path, "b"), backupKeys: join(path, "bk"), now: () => clock.nowMs });
});

test("an export holds every stored field of a person, with a dictionary, and is served with the inventory", async (t) => {
  const node = await startNode();
  t.after(() => node.close());
  const event = {
    event_id: "e1", user_id: "ada", anonymous_id: "phone", session_id: "s", event_type: "view", item_id: "i1", value: 1,
    timestamp: Date.now(), page_url: "https://x.de/", additional_data: { a: 1 },
    context: Object.fromEntries(["device", "os", "browser", "locale", "timezone", "country", "region", "weather", "variant"].map((k) => [k, k])),
  };
  await ask(node, "PUT /v1/items", { items: [{ item_id: "i1", title: "One" }] });
  await ask(node, "POST /v1/events", event);
  const response = await fetch(`${node.url}/v1/privacy/users/ada/export`);
  const lines = (await response.text()).trimEnd().split("\n").map((line) => JSON.parse(line));
  const [dictionary] = lines;
  const fieldsOf = (kind: string): string[] => Object.keys(dictionary.fields[kind]);
  const state = lines.find(({ record }) => record === "state").state;
  const missing = fieldsOf("person").filter((field) => !(field in state));
  deepEqual(missing, [], "what the inventory says is shown");
  const shown = lines.find(({ record }) => record === "event").event;
  deepEqual(Object.keys(shown).filter((field) => !fieldsOf("event").includes(field)), []);
  deepEqual(Object.keys(event).filter((field) => !(field in shown)), []);

  const { json } = await ask(node, "GET /v1/privacy/inventory");
  deepEqual(json.kinds.map(({ kind }: { kind: string }) => kind), INVENTORY.map(({ kind }) => kind));
  const ages = (await ask(node, "GET /v1/privacy/retention")).json;
  equal(ages.policy.find(({ kind }: { kind: string }) => kind === "events").age, "90d");
  equal(ages.last_run, null);
});

function patternOf(pattern: string): string {
  return pattern
    .replaceAll(".", "\\.")
    .replace("projects/*", "projects/[^/]+")
    .replace("/state/", "/state(?:-\\d+)?/")
    .replace("/ids/", "/(?:base-)?ids(?:-\\d+)?/")
    .replace("/base/*", "/base-\\d+/[^/]+")
    .replaceAll("*", "[^/]*");
}

async function startAndStopKeys(dataFolder: string): Promise<void> {
  const { openKeyRing } = await import("../../access/key-ring.ts");
  openKeyRing(join(dataFolder, "keys.json"), Date.now).issue({ project: "default", role: "read", name: "x" });
}
