// What keys cost: CPU of a request with a key, and with a user token, against one on a node without keys. Client and
// server are one process, and turns of all kinds follow each other, so a busy machine slows all of them alike.
import { Agent, request } from "node:http";
import { signUserToken } from "../server/access/user-token.ts";
import { startNode } from "../server/http/testing.ts";

const TURNS = 40;
const REQUESTS = 250;
const EVENTS = 50;

const open = await startNode();
// Counted as by default, but never refused.
const limits = { keyPerS: 1_000_000, addressPerS: 1_000_000, personPerS: 1_000_000 };
const keyed = await startNode({ config: { limits } });
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const write = keyed.keys.issue({ project: "default", role: "write", name: "site" }).key;
const secret = keyed.keys.rotateSecret("default", 0);
const bearer = { authorization: `Bearer ${write}` };
const token = { ...bearer, "attune-user-token": await signUserToken("ada", secret, Date.now(), 900) };
let sent = 0;

function ask(url: string, path: string, headers: Record<string, string>, body?: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const type = body === undefined ? {} : { "content-type": "application/json" };
    const options = { agent, method: body === undefined ? "GET" : "POST", headers: { ...headers, ...type } };
    const asked = request(url + path, options, (response) => {
      if (response.statusCode! >= 300) reject(new Error(String(response.statusCode)));
      response.resume().on("end", resolve);
    });
    asked.on("error", reject).end(body);
  });
}
function batch(): string {
  const events = Array.from({ length: EVENTS }, () => ({
    event_id: `e${sent++}`,
    event_type: "view",
    anonymous_id: `a${sent % 200}`,
    item_id: `i${sent % 100}`,
    timestamp: Date.now(),
  }));
  return JSON.stringify({ events });
}

const kinds: Record<string, () => Promise<void>> = {
  "list, no keys": () => ask(open.url, "/v1/recommendations?user_id=ada", {}),
  "list, key and token": () => ask(keyed.url, "/v1/recommendations?user_id=ada", token),
  "trending, no keys": () => ask(open.url, "/v1/trending", {}),
  "trending, key": () => ask(keyed.url, "/v1/trending", bearer),
  [`${EVENTS} events, no keys`]: () => ask(open.url, "/v1/events", {}, batch()),
  [`${EVENTS} events, key`]: () => ask(keyed.url, "/v1/events", bearer, batch()),
};
const medians = new Map<string, number[]>(Object.keys(kinds).map((name) => [name, []]));
for (let turn = 0; turn < TURNS; turn++) {
  for (const [name, one] of Object.entries(kinds)) {
    const count = name.includes("events") ? REQUESTS / 10 : REQUESTS;
    const before = process.cpuUsage();
    for (let i = 0; i < count; i++) await one();
    const { user, system } = process.cpuUsage(before);
    if (turn >= TURNS / 4) medians.get(name)!.push((user + system) / count);
  }
}
for (const [name, values] of medians) {
  const median = values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
  process.stdout.write(`${name}: ${median.toFixed(1)} µs of CPU a request, client included\n`);
}
await open.close();
await keyed.close();
agent.destroy();
