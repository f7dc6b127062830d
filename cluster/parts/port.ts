// Ports for servers that must keep theirs over restarts.
import { readFileSync } from "node:fs";
import { connect, createServer } from "node:net";

const LOWEST = 15_000;
const TRIES_MAX = 200;
const ANSWER_TIMEOUT_MS = 2_000;
/** Whoever listens on all addresses is reached at the machine's own. */
const EVERYWHERE: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

/**
 * A port of 127.0.0.1 that nobody listens on. It lies below those that the system gives to outgoing connections, so
 * none of them takes it while the server that owns it is down.
 */
export async function freePort(): Promise<number> {
  const lowestOutgoing = Number(readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").split(/\s/)[0]);
  for (let i = 0; i < TRIES_MAX; i++) {
    const port = LOWEST + Math.floor(Math.random() * Math.max(1, lowestOutgoing - LOWEST));
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port was found between ${LOWEST} and ${lowestOutgoing}`);
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Whether somebody listens there. */
export function isListenedOn({ host, port }: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: EVERYWHERE[host] ?? host, port, timeout: ANSWER_TIMEOUT_MS });
    const answer = (isTaken: boolean) => (): void => {
      socket.destroy();
      resolve(isTaken);
    };
    socket.once("connect", answer(true)).once("error", answer(false)).once("timeout", answer(false));
  });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}
