import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { ask, startNode, type TestNode } from "../http/testing.ts";

const limits = { keyPerS: 10_000, addressPerS: 10_000, personPerS: 10_000 };

async function countRefused(node: TestNode, times: number, headersOf: (i: number) => Record<string, string>, path = "/v1/trending") {
  const answers = await Promise.all(
    Array.from({ length: times }, (_, i) => ask(node, `GET ${path}`, undefined, { headers: headersOf(i) })),
  );
  const refused = answers.filter(({ status }) => status === 429);
  for (const { json, headers } of refused) deepEqual([json.code, headers.get("retry-after")], ["rate_limited", "1"]);
  ok(answers.every(({ status }) => status === 200 || status === 429));
  return refused.length;
}

async function keyed(config: object): Promise<[TestNode, Record<string, string>, Record<string, string>]> {
  const node = await startNode({ config });
  const bearer = () => {
    const { key } = node.keys.issue({ project: "default", role: "admin", name: "a" });
    return { authorization: `Bearer ${key}` };
  };
  return [node, bearer(), bearer()];
}

test("a key beyond its limit is told to wait, another one is not", async (t) => {
  const [node, busy, quiet] = await keyed({ limits: { ...limits, keyPerS: 5 } });
  t.after(() => node.close());
  ok((await countRefused(node, 60, () => busy)) > 0);
  equal(await countRefused(node, 4, () => quiet), 0);
});

test("an address beyond its limit is told to wait, whatever it says of itself", async (t) => {
  const [node, key] = await keyed({ limits: { ...limits, addressPerS: 5 } });
  t.after(() => node.close());
  ok((await countRefused(node, 60, (i) => ({ ...key, "x-forwarded-for": `10.0.0.${i}` }))) > 0);
});

test("behind a trusted proxy each address has its own", async (t) => {
  const [node, key] = await keyed({ limits: { ...limits, addressPerS: 5 }, trustedProxies: ["127.0.0.1"] });
  t.after(() => node.close());
  equal(await countRefused(node, 60, (i) => ({ ...key, "x-forwarded-for": `10.0.0.${i}` })), 0);
});

test("a person who is asked for too often is left in peace, others are not", async (t) => {
  const [node, key] = await keyed({ limits: { ...limits, personPerS: 5 } });
  t.after(() => node.close());
  ok((await countRefused(node, 60, () => key, "/v1/recommendations?user_id=ada")) > 0);
  equal(await countRefused(node, 4, () => key, "/v1/recommendations?user_id=bob"), 0);
});

test("a node without keys counts nothing", async (t) => {
  const node = await startNode({ config: { limits: { keyPerS: 1, addressPerS: 1, personPerS: 1 } } });
  t.after(() => node.close());
  equal(await countRefused(node, 60, () => ({})), 0);
});
