// What proxies in front need of the node's connections: that they are there when a request comes over one.
import { deepEqual, ok } from "node:assert/strict";
import { Agent, request } from "node:http";
import { test } from "node:test";
import { pino } from "pino";
import { ask, startNode, type TestNode } from "./testing.ts";

const behindProxy = (): Promise<TestNode> => startNode({ config: { trustedProxies: ["127.0.0.1"] } });

test("an idle connection of a browser is closed soon, a proxy's after the proxy has given it up itself", async () => {
  const nodes = await Promise.all([startNode(), behindProxy()]);
  try {
    const answers = await Promise.all(nodes.map((node) => ask(node, "GET /healthz")));
    deepEqual(answers.map(({ headers }) => headers.get("keep-alive")), ["timeout=72", "timeout=3660"]);
  } finally {
    await Promise.all(nodes.map((node) => node.close()));
  }
});

test("a proxy that the settings do not name is told of once, one that they name never", async () => {
  for (const [trustedProxies, warnings] of [[[], 1], [["192.0.2.1"], 1], [["127.0.0.1"], 0]] as const) {
    const lines: string[] = [];
    const logger = pino({ level: "warn" }, { write: (line) => lines.push(line) });
    const node = await startNode({ config: { trustedProxies: [...trustedProxies] }, logger });
    try {
      const headers = { "x-forwarded-for": "203.0.113.9" };
      for (let i = 0; i < 3; i++) await ask(node, "POST /v1/events", { user_id: "ada", event_type: "view", timestamp: Date.now() }, { headers });
      deepEqual(lines.filter((line) => line.includes("trustedProxies")).length, warnings);
      ok(!lines.join().includes("203.0.113.9"), "no address of a visitor is logged");
    } finally {
      await node.close();
    }
  }
});

test("a node that goes down behind a proxy takes what comes over a kept connection, and closes it with the answer", async () => {
  const node = await behindProxy();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const send = (id: string): Promise<unknown[]> =>
    new Promise((resolve, reject) => {
      const options = { method: "POST", agent, headers: { "content-type": "application/json" } };
      const asked = request(`${node.url}/v1/events`, options, (response) => {
        const seen = [response.statusCode, response.headers.connection, response.socket.localPort];
        response.resume().on("end", () => setImmediate(resolve, seen)); // the connection is the agent's again
      });
      asked.on("error", reject);
      asked.end(JSON.stringify({ event_id: id, user_id: "ada", event_type: "view", item_id: "a", timestamp: Date.now() }));
    });
  let gone: Promise<void> | undefined;
  try {
    const [, , port] = await send("e1");
    gone = node.close();
    deepEqual(await send("e2"), [202, "close", port]);
  } finally {
    await (gone ?? node.close());
    agent.destroy();
  }
});
