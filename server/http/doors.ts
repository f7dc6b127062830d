// More listening sockets for one server, on the same port. libuv takes one connection a turn of the event loop from each
// (https://github.com/libuv/libuv/pull/3696): a busy node, whose turns are long, would leave thousands waiting until the
// kernel resets them, and nobody told them to come again.
import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** Beside the server's own. */
const DOORS = 15;
/** Where many sockets may listen on one port, and the kernel gives each its share. */
export const CAN_SHARE_PORT = process.platform === "linux";

export interface DoorOptions {
  backlog: number;
  /** Of all doors together with the server's own. */
  connectionsMax: number;
  /** Whether a client may end its side of a connection and still be answered. */
  allowHalfOpen: boolean;
}

export interface Doors {
  /** Takes no more connections. Resolves when those that are open have ended. */
  close(): Promise<void>;
}

/**
 * Says that nobody listens on the port: sockets that share it would not notice another program that shares it too.
 * @throws Error (EADDRINUSE) where somebody does.
 */
export async function claimPort(host: string, port: number): Promise<void> {
  const probe = createServer();
  probe.listen({ host, port });
  await once(probe, "listening");
  probe.close();
  await once(probe, "close");
}

/** @param server - listens already, with `reusePort`. */
export async function openDoors(server: Server, { backlog, connectionsMax, allowHalfOpen }: DoorOptions): Promise<Doors> {
  const { address: host, port } = server.address() as AddressInfo;
  const doors = Array.from({ length: DOORS }, () => createServer({ allowHalfOpen, noDelay: true }));
  for (const door of [server, ...doors]) door.maxConnections = Math.ceil(connectionsMax / (DOORS + 1));
  for (const door of doors) {
    door.on("connection", (socket: Socket) => server.emit("connection", socket));
    door.listen({ host, port, backlog, reusePort: true });
  }
  await Promise.all(doors.map((door) => once(door, "listening")));
  return {
    async close() {
      await Promise.all(doors.map((door) => new Promise((resolve) => door.close(resolve))));
    },
  };
}
