// What a connection leaves behind, however it ends.
import { equal } from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate } from "node:timers/promises";
import { test } from "node:test";
import { WebSocket } from "ws";
import { createLimits, DEFAULT_LIMITS } from "../access/limits.ts";
import { NOBODY, openPrincipal, type Principal } from "../access/principal.ts";
import { silent, startNode } from "../http/testing.ts";
import { createEnricher } from "../intake/enrich/enrich.ts";
import type { Intake } from "../intake/intake.ts";
import { createHub } from "./hub.ts";
import { createSocketServer } from "./socket.ts";

test("a connection that ends while it is asked who it is for joins nobody", async (t) => {
  const node = await startNode();
  t.after(() => node.close());
  const hub = createHub(node.project, { logger: silent, now: Date.now });
  let joined = 0;
  const asked = Promise.withResolvers<void>();
  const known = Promise.withResolvers<Principal>();
  const sockets = createSocketServer({
    hubOf: () => ({
      ...hub,
      join(outlet) {
        joined++;
        return hub.join(outlet);
      },
    }),
    gate: {
      isOpen: false,
      open: openPrincipal(),
      identify({ key }) {
        if (key === undefined) return NOBODY;
        asked.resolve();
        return known.promise;
      },
    },
    limits: createLimits(DEFAULT_LIMITS, Date.now),
    projects: () => node.project,
    isOwnPage: () => false,
    addressOf: () => "127.0.0.1",
    intake: {} as Intake,
    enricher: createEnricher(() => ({ local: true, listed: false })),
    logger: silent,
    now: Date.now,
  });
  const server = createServer().listen(0, "127.0.0.1");
  t.after(() => (sockets.close(), server.close()));
  server.on("upgrade", (request, socket, head) => void sockets.take(request, socket, head));
  await once(server, "listening");
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/v1/live`;
  for (const isGone of [true, false]) {
    const client = new WebSocket(url);
    await once(client, "open");
    client.send(JSON.stringify({ auth: { key: "pk_one" } }));
    await asked.promise;
    if (isGone) {
      client.terminate();
      while (sockets.open > 0) await setImmediate();
    }
    known.resolve(openPrincipal());
    if (isGone) await setImmediate();
    else await once(client, "message");
    equal(joined, isGone ? 0 : 1);
  }
});
