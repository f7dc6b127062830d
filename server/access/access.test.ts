import { deepEqual, equal, notEqual, ok, throws } from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { SignJWT, UnsecuredJWT } from "jose";
import { KeyFileError } from "./key-file.ts";
import { openKeyRing, type FileKeyRing } from "./key-ring.ts";
import { credentialsOf, principalOf, TokenCache, type Principal } from "./principal.ts";
import { grants, NEEDS, ROLES, type Role } from "./roles.ts";
import { signUserToken, TOKEN_AGE_MAX_S, verifyUserToken } from "./user-token.ts";

const START_MS = 1_800_000_000_000;

interface Bench {
  path: string;
  ring: FileKeyRing;
  clock: { ms: number };
  reopen(): FileKeyRing;
}

function bench(t: TestContext): Bench {
  const folder = mkdtempSync(join(tmpdir(), "attune-keys-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const clock = { ms: START_MS };
  const path = join(folder, "keys.json");
  const reopen = (): FileKeyRing => openKeyRing(path, () => clock.ms);
  return { path, ring: reopen(), clock, reopen };
}

const issue = (ring: FileKeyRing, role: Role, extras: object = {}) =>
  ring.issue({ project: "default", role, name: `a ${role} key`, ...extras });

async function who(ring: FileKeyRing, shown: object, project = "default"): Promise<Principal> {
  const principal = await principalOf(shown, project, { ring, now: () => START_MS });
  if (typeof principal === "string") throw new Error(principal);
  return principal;
}

test("a role grants what its row says, and scopes only take away", () => {
  const table = Object.fromEntries(ROLES.map((role) => [role, NEEDS.filter((need) => grants(role, need))]));
  deepEqual(table, {
    write: ["public", "collect", "own", "browse"],
    read: ["public", "own", "browse", "read"],
    operator: ["public", "collect", "own", "browse", "read", "operate"],
    admin: ["public", "collect", "own", "browse", "read", "operate", "admin"],
  });
  equal(grants("write", "own", ["collect"]), false);
  equal(grants("write", "admin", ["admin"]), false);
});

test("only the hash of a key is kept, in a file that nobody else reads", (t) => {
  const { path, ring } = bench(t);
  const { key } = issue(ring, "admin");
  ok(!readFileSync(path, "utf8").includes(key));
  equal(statSync(path).mode & 0o777, 0o600);
  chmodSync(path, 0o644);
  throws(() => openKeyRing(path, Date.now), KeyFileError);
});

test("a damaged file is refused with what to do", (t) => {
  const { path } = bench(t);
  writeFileSync(path, "{", { mode: 0o600 });
  throws(() => openKeyRing(path, Date.now), /backup/);
  writeFileSync(path, '{"format":1,"keys":[{"id":1}],"secrets":[]}', { mode: 0o600 });
  throws(() => openKeyRing(path, Date.now), /backup/);
});

test("a flipped bit brings no revoked key back, and a file from before the checksum is read", async (t) => {
  const { ring, path } = bench(t);
  const { stored, key } = await issue(ring, "read");
  await ring.revoke(stored.id);
  const text = readFileSync(path, "utf8");
  writeFileSync(path, text.replace("revokedAtMs", "revokedAtMr"));
  throws(() => openKeyRing(path, Date.now), /rotted/);
  const { keys, secrets } = JSON.parse(text) as { keys: object[]; secrets: object[] };
  writeFileSync(path, JSON.stringify({ format: 1, keys, secrets }));
  equal(openKeyRing(path, Date.now).find(key), undefined);
  equal(openKeyRing(path, Date.now).list().length, 1);
});

test("a key file that goes away beside a running node takes no key back and opens nothing", (t) => {
  const { path, ring, clock, reopen } = bench(t);
  const { key } = issue(ring, "admin");
  rmSync(path);
  clock.ms += 1_000;
  equal(ring.isEmpty, false);
  equal(ring.find(key)?.role, "admin");
  issue(ring, "read");
  deepEqual(reopen().list().map(({ role }) => role), ["admin", "read"]);
});

test("a key is found until it is revoked, and a ring whose keys were all revoked stays closed", (t) => {
  const { ring, reopen } = bench(t);
  equal(ring.isEmpty, true);
  const { key, stored } = issue(ring, "read");
  equal(ring.find(key)?.id, stored.id);
  equal(ring.find(`${key}x`), undefined);
  equal(ring.revoke(stored.id), true);
  equal(ring.revoke(stored.id), false);
  equal(ring.find(key), undefined);
  equal(reopen().isEmpty, false);
});

test("an expired key is unknown, from that very millisecond", (t) => {
  const { ring, clock } = bench(t);
  const { key } = issue(ring, "read", { expiresAtMs: START_MS + 1_000 });
  clock.ms = START_MS + 999;
  ok(ring.find(key));
  clock.ms = START_MS + 1_000;
  equal(ring.find(key), undefined);
});

test("rotation gives a new key with the same rights, and both work during the overlap", (t) => {
  const { ring, clock } = bench(t);
  const { key: old, stored } = issue(ring, "write", { origins: ["https://shop.example"], scopes: ["collect"] });
  const { key, stored: next } = ring.rotate(stored.id, 60_000)!;
  notEqual(key, old);
  deepEqual([next.role, next.origins, next.scopes], ["write", ["https://shop.example"], ["collect"]]);
  equal(next.expiresAtMs, undefined);
  ok(ring.find(old) && ring.find(key));
  clock.ms += 60_000;
  equal(ring.find(old), undefined);
  ok(ring.find(key));
  equal(ring.rotate(stored.id, 1), undefined);
});

test("what another process writes is seen within a second, and nothing of it is lost", (t) => {
  const { ring, clock, reopen } = bench(t);
  const { stored, key } = issue(ring, "read");
  const beside = reopen();
  const { key: other } = issue(beside, "write");
  beside.revoke(stored.id);
  clock.ms += 1_000;
  equal(ring.find(key), undefined);
  ok(ring.find(other));
  issue(ring, "admin");
  clock.ms += 1_000;
  equal(beside.list().length, 3);
});

test("credentials come from Bearer, Basic or the URL", () => {
  equal(credentialsOf({ authorization: "Bearer sk_1" }, {}).key, "sk_1");
  equal(credentialsOf({ authorization: "bearer sk_1" }, { key: "pk_2" }).key, "sk_1");
  const basic = Buffer.from("pk_3:").toString("base64");
  equal(credentialsOf({ authorization: `Basic ${basic}` }, {}).key, "pk_3");
  const inUrl = credentialsOf({}, { key: "pk_4" });
  deepEqual([inUrl.key, inUrl.isInUrl], ["pk_4", true]);
  equal(credentialsOf({ authorization: "Bearer" }, {}).key, undefined);
  equal(credentialsOf({}, { key: ["a", "b"] }).key, undefined);
});

test("without any key everybody may do everything; with one, nobody may without", async (t) => {
  const { ring } = bench(t);
  const open = await who(ring, {});
  deepEqual([open.may("admin"), open.holds()], [true, true]);
  issue(ring, "read");
  equal(open.holds(), false, "nor may what was opened before");
  const nobody = await who(ring, {});
  deepEqual(
    NEEDS.filter((need) => nobody.may(need)),
    ["public"],
  );
});

test("a secret key in a URL, an unknown key, another project and another origin are refused", async (t) => {
  const { ring } = bench(t);
  const secret = issue(ring, "admin").key;
  const open = issue(ring, "write", { origins: ["https://shop.example"] }).key;
  const fault = (shown: object, project = "default") => principalOf(shown, project, { ring, now: () => START_MS });
  equal(await fault({ key: secret, isInUrl: true }), "key_in_url");
  equal(await fault({ key: "sk_unknown" }), "key_invalid");
  equal(await fault({ key: secret }, "news"), "wrong_project");
  equal(await fault({ key: open, origin: "https://evil.example" }), "origin_not_allowed");
  equal((await who(ring, { key: open, origin: "https://shop.example", isInUrl: true })).role, "write");
});

test("a user token speaks for its user alone, in its project, until it expires", async (t) => {
  const { ring, clock } = bench(t);
  const key = issue(ring, "write").key;
  const secret = ring.rotateSecret("default", 0);
  const userToken = await signUserToken("ada", secret, START_MS, 900);
  equal((await who(ring, { key, userToken })).userId, "ada");
  const at = async (ms: number, project = "default") => {
    const token = await verifyUserToken(userToken, project, ring.secrets("default"), ms);
    return typeof token === "string" ? token : token.userId;
  };
  equal(await at(START_MS + 900_000), "ada"); // within the clock tolerance
  equal(await at(START_MS + 931_000), "token_expired");
  equal(await at(START_MS, "news"), "token_invalid");
  ring.rotateSecret("default", 60_000);
  equal((await who(ring, { key, userToken })).userId, "ada");
  clock.ms += 60_000;
  equal(await at(START_MS), "token_invalid");
});

test("a token that was taken once ends with its day, however long it says to be good for", async (t) => {
  const { ring, clock } = bench(t);
  const key = issue(ring, "write").key;
  const secret = ring.rotateSecret("default", 0);
  const nowS = START_MS / 1_000;
  const userToken = await new SignJWT({ sub: "ada", iat: nowS, exp: nowS + 365 * 86_400 })
    .setProtectedHeader({ alg: "HS256" })
    .sign(Buffer.from(secret.secret));
  const known = { ring, now: () => clock.ms, tokens: new TokenCache(ring) };
  const ask = async () => principalOf({ key, userToken }, "default", known);
  const first = await ask();
  ok(typeof first === "object" && first.userId === "ada" && first.holds());
  clock.ms += (TOKEN_AGE_MAX_S + 31) * 1_000; // the tolerance, and a second
  equal(first.holds(), false);
  equal(await ask(), "token_expired");
});

test("a token of a common JWT library is taken: the secret as text, no audience, no time of issue", async (t) => {
  const { ring } = bench(t);
  const secret = ring.rotateSecret("default", 0);
  const nowS = START_MS / 1000;
  const verify = async (token: string): Promise<string> => {
    const user = await verifyUserToken(token, "default", [secret], START_MS);
    return typeof user === "string" ? user : user.userId;
  };
  for (const key of [Buffer.from(secret.secret), Buffer.from(secret.secret, "base64url")]) {
    const sign = (exp: number, more: object = {}): Promise<string> =>
      new SignJWT({ sub: "ada", exp, ...more }).setProtectedHeader({ alg: "HS256" }).sign(key);
    equal(await verify(await sign(nowS + 60)), "ada");
    equal(await verify(await sign(nowS + 60, { iat: nowS })), "ada");
    equal(await verify(await sign(nowS - 60)), "token_expired");
    equal(await verify(await sign(nowS + TOKEN_AGE_MAX_S + 60)), "token_invalid", "too long without iat");
    equal(await verify(await sign(nowS + 60, { aud: "attune:news" })), "token_invalid", "another project's");
    equal(await verify(await sign(nowS + 60, { aud: null })), "token_invalid");
  }
});

test("forged tokens are refused: no signature, another secret, no expiry, too long a life, no subject", async (t) => {
  const { ring } = bench(t);
  const secret = ring.rotateSecret("default", 0);
  const key = Buffer.from(secret.secret, "base64url");
  const verify = (token: string) => verifyUserToken(token, "default", [secret], START_MS);
  const nowS = START_MS / 1000;
  const jwt = () =>
    new SignJWT({}).setProtectedHeader({ alg: "HS256" }).setAudience("attune:default").setIssuedAt(nowS);
  const cases = {
    unsigned: new UnsecuredJWT({}).setSubject("ada").setAudience("attune:default").setIssuedAt(nowS).encode(),
    stranger: await jwt()
      .setSubject("ada")
      .setExpirationTime(nowS + 60)
      .sign(Buffer.alloc(32, 7)),
    eternal: await jwt().setSubject("ada").sign(key),
    nobody: await jwt()
      .setExpirationTime(nowS + 60)
      .sign(key),
    garbage: "a.b.c",
    huge: "a".repeat(10_000),
  };
  for (const [name, token] of Object.entries(cases)) equal(await verify(token), "token_invalid", name);
  const old = await new SignJWT({})
    .setProtectedHeader({ alg: "HS256" })
    .setSubject("ada")
    .setAudience("attune:default")
    .setIssuedAt(nowS - TOKEN_AGE_MAX_S - 60)
    .setExpirationTime(nowS + 60)
    .sign(key);
  equal(await verify(old), "token_expired");
  const good = await verify(
    await jwt()
      .setSubject("ada")
      .setExpirationTime(nowS + 60)
      .sign(key),
  );
  equal(typeof good === "string" ? good : good.userId, "ada");
});
