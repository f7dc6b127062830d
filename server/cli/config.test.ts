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

test("a flag that is set to nothing is refused: the data would lie where one happens to be", async () => {
  const message = "--data is empty: give it a value, or leave it out";
  await rejects(readSettings({ data: "" }, { ATTUNE_DATA: folder }), { name: "SettingError", message });
  await rejects(readSettings({ host: "" }, {}), { name: "SettingError", message: /^--host is empty/ });
});

test("a group's role whose project is mistyped is refused: it would hold in every project", async () => {
  const config = join(folder, "roles.ts");
  const rest = `issuer: "https://id.example", clientId: "attune", publicUrl: "https://attune.example"`;
  const read = (grant: string) => {
    writeFileSync(config, `export default { oidc: { ${rest}, roles: { team: ${grant} } } };`);
    return readSettings({ config }, {});
  };
  await rejects(read(`{ role: "operator", projct: "shop" }`), {
    name: "SettingError",
    message: 'oidc.roles["team"] has no projct: { role, project }',
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
    ["export default { oidc: { roleCliam: 'roles' } };", /no setting oidc\.roleCliam; there are oidc\.issuer, .*oidc\.roleClaim/],
    ["export default { oidc: { scopes: 'openid' } };", /oidc\.scopes must be a list of texts/],
    ["export default { cluster: { brokers: [] } };", /no setting cluster\.brokers/],
    ["export default { port: 'http' };", /ATTUNE_PORT is "http", which is no port/],
    ["export default { grpcPort: 70000 };", /ATTUNE_GRPC_PORT is "70000", which is no port/],
    ["export defalt {};", /settings-\d+\.ts cannot be read: \w+: /],
    ["throw new RangeError('of its own');", /cannot be read: RangeError: of its own/],
    ["export const port = 1;", /no default export/],
    ["export default { checkpointEveryMs: '10s' };", /: checkpointEveryMs must be a whole number from 100 to 2147483647, and is "10s"$/],
    ["export default { checkpointEveryMs: 2 ** 31 };", /checkpointEveryMs must be .*, and is 2147483648$/],
    ["export default { demo: '0' };", /demo must be true or false, and is "0"$/],
    ["export default { host: 5 };", /host must be a text/],
    ["export default { personsCachedMax: 0 };", /personsCachedMax must be a whole number from 1 on, and is 0$/],
    ["export default { trustedProxies: '10.0.0.0/8' };", /trustedProxies must be a list of addresses or CIDR ranges/],
    ["export default { trustedProxies: ['proxy.example'] };", /trustedProxies must be a list of addresses or CIDR ranges/],
    ["export default { botAddresses: ['10.0.0.0/99'] };", /botAddresses must be a list of addresses or CIDR ranges/],
    ["export default { limits: { addressPerS: '1000' } };", /limits\.addressPerS must be a number above 0, and is "1000"$/],
    ["export default { webhooks: { allowPrivate: 'no' } };", /webhooks\.allowPrivate must be true or false/],
    ["export default { webhooks: { secret: '' } };", /webhooks\.secret must be a text/],
    ["export default { tls: 'cert.pem' };", /: tls must be an object, and is "cert.pem"$/],
    ["export default { retention: { events: 90 } };", /retention must be an object of texts, and is {"events":90}$/],
    ["export default { projects: ['a'] };", /projects must be an object of texts/],
    ["export default { cluster: { partitions: '48' } };", /cluster\.partitions must be a whole number from 1 on, and is "48"$/],
    ["export default 5;", /: default must be an object, and is 5$/],
  ];
  for (const [text, message] of bad) await rejects(read(text), { name: "SettingError", message });
  const good = `port: 23, grpcPort: 'off', limits: { keyPerS: 5 }, data: undefined, trustedProxies: ["10.0.0.0/8", "::1", "192.0.2.7"]`;
  equal((await read(`export default { ${good} };`)).port, 23);
});
