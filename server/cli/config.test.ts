// Settings of the environment and of the file, put together.
import { deepEqual, equal, rejects } from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readSettings } from "./config.ts";

const folder = mkdtempSync(join(tmpdir(), "attune-config-"));
after(() => rmSync(folder, { recursive: true, force: true }));

test("webhooks: the environment wins over the file, and changes no more than it names", async () => {
  const config = join(folder, "attune.config.ts");
  writeFileSync(config, `export default { webhooks: { secret: "of the file", allowPrivate: true } };`);
  const webhooks = async (environment: Record<string, string>) => (await readSettings({ config }, environment)).webhooks;
  deepEqual(await webhooks({}), { secret: "of the file", allowPrivate: true });
  deepEqual(await webhooks({ ATTUNE_WEBHOOK_SECRET: "" }), { secret: "of the file", allowPrivate: true });
  deepEqual(await webhooks({ ATTUNE_WEBHOOK_SECRET: "another" }), { secret: "another", allowPrivate: true });
  deepEqual(await webhooks({ ATTUNE_WEBHOOK_ALLOW_PRIVATE: "0" }), { secret: "of the file", allowPrivate: false });
  await rejects(webhooks({ ATTUNE_WEBHOOK_ALLOW_PRIVATE: "perhaps" }), /ATTUNE_WEBHOOK_ALLOW_PRIVATE is "perhaps": 1 or 0/);
});

test("the log level is one that there is; set to nothing it is info", async () => {
  const level = async (environment: Record<string, string>) => (await readSettings({}, environment)).logLevel;
  equal(await level({}), "info");
  equal(await level({ ATTUNE_LOG_LEVEL: "" }), "info");
  equal(await level({ ATTUNE_LOG_LEVEL: "warn" }), "warn");
  await rejects(level({ ATTUNE_LOG_LEVEL: "loud" }), {
    name: "SettingError",
    message: 'ATTUNE_LOG_LEVEL is "loud": one of silent, fatal, error, warn, info, debug, trace',
  });
});
