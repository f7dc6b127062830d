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

test("a name that is no setting, and a file that is no module, are refused with words", async () => {
  let files = 0;
  const read = (text: string) => {
    const config = join(folder, `settings-${++files}.ts`);
    writeFileSync(config, text);
    return readSettings({ config }, {});
  };
  const bad: [string, RegExp][] = [
    ["export default { odic: {} };", /there is no setting odic; there are host, .*oidc/],
    ["export default { limits: { adressPerS: 1 } };", /no setting limits\.adressPerS; there are limits\.keyPerS/],
    ["export default { webhooks: { url: '' } };", /no setting webhooks\.url/],
    ["export default { tls: { crt: '' } };", /no setting tls\.crt/],
    ["export default { cluster: { brokers: [] } };", /no setting cluster\.brokers/],
    ["export default { port: 'http' };", /"http" is no port/],
    ["export default { grpcPort: 70000 };", /"70000" is no port/],
    ["export defalt {};", /settings-\d+\.ts cannot be read: \w+: /],
    ["throw new RangeError('of its own');", /cannot be read: RangeError: of its own/],
    ["export const port = 1;", /no default export/],
  ];
  for (const [text, message] of bad) await rejects(read(text), { name: "SettingError", message });
  equal((await read("export default { port: 23, grpcPort: 'off', limits: { keyPerS: 5 } };")).port, 23);
});
