import { equal, ok, rejects } from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";
import { setImmediate } from "node:timers/promises";
import { test, type TestContext } from "node:test";
import { CAN_SHARE_PORT, claimPort, openDoors } from "./doors.ts";

const skip = CAN_SHARE_PORT ? false : "sockets cannot share a port here";
const OPTIONS = { backlog: 511, connectionsMax: 20_000, allowHalfOpen: false };

async function opened(t: TestContext) {
  const server = createServer();
  server.listen({ host: "127.0.0.1", port: 0, reusePort: true });
  await once(server, "listening");
  const doors = await openDoors(server, OPTIONS);
  const { port } = server.address() as AddressInfo;
  const close = () => Promise.all([doors.close(), new Promise((resolve) => server.close(resolve))]);
  t.after(close);
  return { server, port, close };
}

test("many connections that come at once are taken in fewer turns of the event loop than they are", { skip }, async (t) => {
  const many = 320;
  const { server, port } = await opened(t);
  let taken = 0;
  server.on("connection", (socket) => {
    taken++;
    socket.resume();
  });
  const clients = Array.from({ length: many }, () => connect(port, "127.0.0.1"));
  let turns = 0;
  for (; taken < many; turns++) await setImmediate();
  for (const client of clients) client.destroy();
  ok(turns < many / 2, `${turns} turns`);
});

test("a port whose doors are open is taken; once they are closed, it is free", { skip }, async (t) => {
  const { port, close } = await opened(t);
  await rejects(claimPort("127.0.0.1", port), { code: "EADDRINUSE" });
  await close();
  equal(await claimPort("127.0.0.1", port), undefined);
});
