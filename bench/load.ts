// Load from this process to one target on loopback: bounded in requests and in time.
import { Agent, request } from "node:http";
import * as https from "node:https";

export interface Sent {
  status: number;
  /** From the first byte sent to the last received, ms. */
  tookMs: number;
  body: string;
}

export interface Requests {
  method: "GET" | "POST";
  /** Of the n-th request, where it is a function. */
  path: string | ((n: number) => string);
  /** The body of the n-th request. */
  body?: (n: number) => Buffer;
  /** Of the n-th request, besides those of its body. */
  headers?: (n: number) => Record<string, string>;
}

export interface LoadResult {
  requests: number;
  failed: number;
  seconds: number;
  /** Sorted, ms. */
  tookMs: number[];
}

/** For a target over TLS with the certificate that vouches for it. */
export function agentOf(connections: number, certificate?: Buffer): Agent {
  const options = { keepAlive: true, maxSockets: connections };
  return certificate === undefined ? new Agent(options) : new https.Agent({ ...options, ca: certificate });
}

export function send(url: string, agent: Agent, requests: Requests, n: number): Promise<Sent> {
  const { method } = requests;
  const path = typeof requests.path === "string" ? requests.path : requests.path(n);
  const body = requests.body?.(n);
  return new Promise((resolve, reject) => {
    const startedMs = performance.now();
    const ofBody = body === undefined ? {} : { "content-type": "application/json", "content-length": body.length };
    const headers = { ...requests.headers?.(n), ...ofBody };
    const ask = agent instanceof https.Agent ? https.request : request;
    const sent = ask(new URL(path, url), { method, agent, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode!, tookMs: performance.now() - startedMs, body: text }),
      );
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** Closed loop: as many requests at a time as there are connections, `count` in all. */
export async function sendAll(
  url: string,
  requests: Requests,
  options: { count: number; connections: number; certificate?: Buffer | undefined },
): Promise<LoadResult> {
  const agent = agentOf(options.connections, options.certificate);
  const tookMs: number[] = [];
  let failed = 0;
  let next = 0;
  const startedMs = performance.now();
  const worker = async (): Promise<void> => {
    while (next < options.count) {
      const n = next++;
      const sent = await send(url, agent, requests, n);
      if (sent.status >= 300) failed++;
      tookMs.push(sent.tookMs);
    }
  };
  await Promise.all(Array.from({ length: options.connections }, worker));
  const seconds = (performance.now() - startedMs) / 1_000;
  agent.destroy();
  return { requests: options.count, failed, seconds, tookMs: tookMs.sort((a, b) => a - b) };
}

/** Open loop: a request each `1/perSecond`, whether or not the ones before were answered. Waiting counts. */
export async function sendPaced(
  url: string,
  requests: Requests,
  options: { perSecond: number; seconds: number; onSent?: (n: number, sent: Sent) => void },
): Promise<LoadResult> {
  const agent = agentOf(64);
  const count = Math.floor(options.perSecond * options.seconds);
  const tookMs: number[] = [];
  const underWay: Promise<void>[] = [];
  let failed = 0;
  const startedMs = performance.now();
  for (let n = 0; n < count;) {
    const dueCount = Math.min(count, Math.floor(((performance.now() - startedMs) / 1_000) * options.perSecond) + 1);
    for (; n < dueCount; n++) {
      const dueMs = startedMs + (n / options.perSecond) * 1_000;
      const index = n;
      underWay.push(
        send(url, agent, requests, n).then((sent) => {
          if (sent.status >= 300) failed++;
          tookMs.push(performance.now() - dueMs);
          options.onSent?.(index, sent);
        }),
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(underWay);
  const seconds = (performance.now() - startedMs) / 1_000;
  agent.destroy();
  return { requests: count, failed, seconds, tookMs: tookMs.sort((a, b) => a - b) };
}

export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
