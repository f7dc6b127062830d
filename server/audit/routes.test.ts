import { deepEqual, equal } from "node:assert/strict";
import { after, test } from "node:test";
import { ask, startNode } from "../http/testing.ts";

const node = await startNode();
after(() => node.close());
const made = (role: "write" | "read" | "operator" | "admin") =>
  node.keys.issue({ project: "default", role, name: role });
const bearer = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });

test("the trail says who read whom and who changed what, and nothing of what visitors do", async () => {
  const program = (await ask(node, "GET /v1/program")).json;
  await node.project.setAttributes({ user_id: "ada" }, { plan: "pro" });
  await ask(node, "PUT /v1/program", program);
  const [admin, operator, read, write] = [made("admin"), made("operator"), made("read"), made("write")];
  await ask(node, "GET /v1/users/ada/profile", undefined, bearer(read.key));
  await ask(node, "GET /v1/users/ada/profile", undefined, bearer(read.key));
  await ask(node, "GET /v1/recommendations?anonymous_id=x", undefined, bearer(write.key));
  await ask(node, "GET /v1/search?q=a", undefined, bearer(read.key));
  await ask(node, "PUT /v1/items", { items: [{ item_id: "i1", title: "One" }] }, bearer(operator.key));
  await ask(node, "DELETE /v1/items/i1", undefined, bearer(operator.key));
  await ask(node, "PUT /v1/program", { segments: 1 }, bearer(operator.key));
  const rotated = await ask(node, `POST /v1/keys/${read.stored.id}/rotate`, {}, bearer(admin.key));
  equal(rotated.status, 201);
  await ask(node, `DELETE /v1/keys/${write.stored.id}`, undefined, bearer(admin.key));

  const { json } = await ask(node, "GET /v1/audit", undefined, bearer(admin.key));
  deepEqual(
    json.entries.map(({ actor, action, details }: any) => [actor, action, details ?? {}]).reverse(),
    [
      ["open", "PUT /v1/program", { version: 2 }],
      [read.stored.id, "GET /v1/users/{user_id}/profile", {}],
      [read.stored.id, "GET /v1/search", {}],
      [operator.stored.id, "PUT /v1/items", { items: 1 }],
      [operator.stored.id, "DELETE /v1/items/{item_id}", { item_id: "i1" }],
      [admin.stored.id, "POST /v1/keys/{key_id}/rotate", { key_id: read.stored.id, made_key_id: rotated.json.key_id, role: "read" }],
      [admin.stored.id, "DELETE /v1/keys/{key_id}", { key_id: write.stored.id }],
    ],
  );
  // As a word: hashes are hexadecimal, and may hold these letters.
  equal(/\bada\b/.test(JSON.stringify(json)), false);
  const hers = await ask(node, "GET /v1/audit?user_id=ada&action=GET+/v1/users/{user_id}/profile", undefined, bearer(admin.key));
  equal(hers.json.entries.length, 1);
  const page = await ask(node, "GET /v1/audit?limit=2", undefined, bearer(admin.key));
  const next = await ask(node, `GET /v1/audit?limit=2&before=${page.json.next}`, undefined, bearer(admin.key));
  equal(next.json.entries[0].seq, page.json.next - 1);
});

test("consent that is set for somebody is in the trail each time, and a user token with whom it speaks for", async (t) => {
  const other = await startNode();
  t.after(() => other.close());
  const [admin, operator, write] = (["admin", "operator", "write"] as const).map((role) =>
    other.keys.issue({ project: "default", role, name: role }),
  );
  const consent = (id: string, profiling: string, key: string) =>
    ask(other, `PUT /v1/privacy/${id}/consent`, { profiling }, bearer(key));
  await consent("users/ada", "denied", operator!.key);
  await consent("users/ada", "granted", operator!.key);
  await consent("users/ada", "perhaps", operator!.key);
  await consent("visitors/passer-by", "denied", write!.key);
  const made = await ask(other, "POST /v1/user-tokens", { user_id: "ada" }, bearer(operator!.key));
  equal(made.status, 201);
  const { entries } = (await ask(other, "GET /v1/audit?user_id=ada", undefined, bearer(admin!.key))).json;
  deepEqual(
    entries.map(({ actor, action }: any) => [actor, action]),
    [
      [admin!.stored.id, "GET /v1/audit"],
      [operator!.stored.id, "POST /v1/user-tokens"],
      [operator!.stored.id, "PUT /v1/privacy/users/{user_id}/consent"],
      [operator!.stored.id, "PUT /v1/privacy/users/{user_id}/consent"],
    ],
  );
  const all = (await ask(other, "GET /v1/audit", undefined, bearer(admin!.key))).json.entries;
  equal(all.some(({ action }: any) => action.includes("visitors")), false, "what a visitor says for himself is not there");
});

test("without keys, exports are taken down and other reads are not", async (t) => {
  const open = await startNode();
  t.after(() => open.close());
  await open.project.setAttributes({ user_id: "ada" }, { plan: "pro" });
  await ask(open, "GET /v1/users/ada/profile");
  await (await fetch(`${open.url}/v1/privacy/users/ada/export`)).text();
  const { json } = await ask(open, "GET /v1/audit?user_id=ada");
  deepEqual(
    json.entries.map(({ actor, action }: any) => [actor, action]),
    [
      ["open", "GET /v1/audit"],
      ["open", "GET /v1/privacy/users/{user_id}/export"],
    ],
  );
});

test("a first key that is no admin key would shut the door for good", async (t) => {
  const fresh = await startNode();
  t.after(() => fresh.close());
  const refused = await ask(fresh, "POST /v1/keys", { role: "write", name: "site" });
  deepEqual([refused.status, refused.json.code], [409, "admin_key_first"]);
  const first = await ask(fresh, "POST /v1/keys", { role: "admin", name: "ops" });
  equal(first.status, 201);
  equal((await ask(fresh, "GET /v1/keys")).status, 401);
  const listed = await ask(fresh, "GET /v1/keys", undefined, bearer(first.json.key));
  equal(listed.text.includes(first.json.key), false);
  equal(listed.json.keys.length, 1);
});
