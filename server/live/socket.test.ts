// What a connection leaves behind, however it ends.
import { equal, ok } from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { duplexPair } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { test } from "node:test";
import { WebSocket } from "ws";
import { createLimits, DEFAULT_LIMITS } from "../access/limits.ts";
import { NOBODY, openPrincipal, type Principal } from "../access/principal.ts";
import { silent, startNode } from "../http/testing.ts";
import { createEnricher } from "../intake/enrich/enrich.ts";
import type { Intake } from "../intake/intake.ts";
import { createHub, UNREAD_PAUSE_BYTES } from "./hub.ts";
import { createSocketServer } from "./socket.ts";

/** What a socket server needs besides, of a node that takes no events here. */
const AROUND = {
  limits: createLimits(DEFAULT_LIMITS, Date.now),
  isOwnPage: () => false,
  addressOf: () => "127.0.0.1",
  intake: {} as Intake,
  enricher: createEnricher(() => ({ local: true, listed: false })),
  logger: silent,
  now: Date.now,
};

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
    ...AROUND,
    projects: () => node.project,
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

test("who sends and does not read is read no further; when he reads, it goes on", async (t) => {
  const node = await startNode();
  t.after(() => node.close());
  const hub = createHub(node.project, { logger: silent, now: Date.now });
  let taken = 0;
  let sentBytes = 0;
  const sockets = createSocketServer({
    hubOf: () => ({
      ...hub,
      join(outlet) {
        const send = outlet.send.bind(outlet);
        outlet.send = (message) => {
          if (message.type === "ack") taken++;
          sentBytes += JSON.stringify(message).length;
          send(message);
        };
        return hub.join(outlet);
      },
    }),
    gate: { isOpen: true, open: openPrincipal(), identify: () => openPrincipal() },
    ...AROUND,
    projects: () => node.project,
  });
  t.after(() => sockets.close());
  const [client, server] = duplexPair();
  t.after(() => client.destroy());
  const headers = { upgrade: "websocket", "sec-websocket-version": "13", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==" };
  await sockets.take({ method: "GET", url: "/v1/live", headers } as unknown as IncomingMessage, server, Buffer.alloc(0));
  const message = Buffer.from('{"unsubscribe":true}');
  const frame = Buffer.concat([Buffer.from([0x81, 0x80 | message.length, 0, 0, 0, 0]), message]);
  const messages = 20_000;
  // As it comes from a network: in pieces, and the next when the one before is out, or never.
  for (let written = 0; written < messages; written += 100) {
    client.write(Buffer.concat(Array.from({ length: 100 }, () => frame)));
    await setImmediate();
  }
  for (let before = -1; before !== taken; await setImmediate()) before = taken;
  ok(taken < messages && sentBytes < 4 * UNREAD_PAUSE_BYTES, `${taken} of ${messages} answered, ${sentBytes} bytes`);
  client.resume();
  while (taken < messages) await setImmediate();
});
