// A small real server for the SDK's browser tests: serves pages and the built SDK, collects events as the contract says,
// and fails in the ways that servers and networks do.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { WebSocketServer, type WebSocket } from "ws";
import type { SentEvent } from "../types.ts";

const SDK_FOLDER = resolve(import.meta.dirname, "../../dist/sdk");
const WAIT_MAX_MS = 10_000;

/** What the collector does with the next requests for events. */
export type Mode = "ok" | "unavailable" | "lose_request" | "lose_answer";

export interface Collected extends SentEvent {
  sent_at: number;
  project: string | undefined;
  /** By which route of the browser: `json`, or `beacon` for text. */
  by: "json" | "beacon";
}

export interface Collector {
  readonly origin: string;
  /** HTML by path; other paths answer 404. */
  pages: Record<string, string>;
  /** The path that `/v1/…` lies under, as behind a proxy; `/v1/…` anywhere else is nobody's. */
  under: string;
  mode: Mode;
  /** False: the upgrade to a WebSocket is refused. */
  sockets: boolean;
  /** Answers of the POST and PATCH routes besides events, by path. */
  answers: Record<string, (body: never) => unknown>;
  /** All copies of all events, in order of arrival. */
  readonly received: Collected[];
  /** Requests below /v1, as `METHOD path`. */
  readonly requests: string[];
  readonly subscriptions: Record<string, unknown>[];
  push(message: object): void;
  /** Resolves with the first event that fits, received before or from now on. */
  event(fits: Partial<SentEvent> | ((event: Collected) => boolean)): Promise<Collected>;
  until(holds: () => boolean, what: string): Promise<void>;
  close(): Promise<void>;
}

export async function startCollector(pages: Record<string, string>): Promise<Collector> {
  const sockets = new WebSocketServer({ noServer: true });
  const live = new Set<(message: string) => void>();
  const waiting = new Set<() => void>();
  const wake = (): void => waiting.forEach((look) => look());
  const known = new Set<string>();

  const server = createServer((request, response) => {
    void handle(request, response).catch((error: unknown) => response.destroy(error as Error));
  });

  const collector: Collector = {
    origin: "",
    pages,
    under: "",
    mode: "ok",
    sockets: true,
    answers: {},
    received: [],
    requests: [],
    subscriptions: [],
    push: (message) => live.forEach((send) => send(JSON.stringify(message))),
    async event(fits) {
      const matches =
        typeof fits === "function"
          ? fits
          : (event: Collected) =>
              Object.entries(fits).every(([name, value]) => event[name as keyof SentEvent] === value);
      await collector.until(
        () => collector.received.some(matches),
        `an event ${typeof fits === "function" ? fits : JSON.stringify(fits)}`,
      );
      return collector.received.find(matches)!;
    },
    until: (holds, what) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!holds()) return;
          waiting.delete(look);
          clearTimeout(timer);
          resolve();
        };
        const timer = setTimeout(() => {
          waiting.delete(look);
          const types = collector.received
            .map(({ event_type, item_id }) => `${event_type} ${item_id ?? ""}`)
            .join(", ");
          reject(
            new Error(
              `waited ${WAIT_MAX_MS} ms for ${what}; received: ${types}; requests: ${collector.requests.join(", ")}`,
            ),
          );
        }, WAIT_MAX_MS);
        waiting.add(look);
        look();
      }),
    close: () =>
      new Promise((resolve) => {
        sockets.clients.forEach((socket) => socket.terminate());
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, "http://collector");
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    if (url.pathname.startsWith(`${collector.under}/v1/`)) {
      url.pathname = url.pathname.slice(collector.under.length);
      collector.requests.push(`${request.method} ${url.pathname}`);
      api(request, response, url, body);
      return wake();
    }
    if (url.pathname.startsWith("/sdk/")) {
      response.writeHead(200, { "content-type": "text/javascript" });
      response.end(await readFile(join(SDK_FOLDER, url.pathname.slice("/sdk/".length))));
      return;
    }
    const page = collector.pages[url.pathname];
    response.writeHead(page === undefined ? 404 : 200, {
      "content-type": "text/html; charset=utf-8",
      // As strict as a careful site's: the SDK must live with it.
      "content-security-policy":
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ws:; img-src data:",
    });
    response.end(page ?? "");
  }

  function api(request: IncomingMessage, response: ServerResponse, url: URL, body: string): void {
    const project = request.headers["attune-project"]?.toString() ?? url.searchParams.get("project") ?? undefined;
    if (url.pathname === "/v1/events") return takeEvents(request, response, body, project);
    if (url.pathname === "/v1/live") return openStream(response, url);
    const answer = collector.answers[`${request.method} ${url.pathname}`];
    response.writeHead(answer ? 200 : 404, { "content-type": "application/json" });
    response.end(
      JSON.stringify(answer ? answer((body ? JSON.parse(body) : undefined) as never) : { code: "not_found" }),
    );
  }

  function takeEvents(
    request: IncomingMessage,
    response: ServerResponse,
    body: string,
    project: string | undefined,
  ): void {
    const { mode } = collector;
    if (mode === "lose_request") return void request.socket.destroy();
    if (mode === "unavailable") {
      response.writeHead(503, { "retry-after": "1" });
      return void response.end();
    }
    const by = request.headers["content-type"]?.startsWith("text/plain") ? "beacon" : "json";
    const { events, sent_at } = JSON.parse(body) as { events: SentEvent[]; sent_at: number };
    let accepted = 0;
    const rejected: object[] = [];
    for (const [index, event] of events.entries()) {
      if (event.event_type === "refused") {
        rejected.push({
          index,
          event_id: event.event_id,
          code: "unknown_event_type",
          path: "/event_type",
          message: "No such type.",
        });
        continue;
      }
      if (!known.has(event.event_id)) accepted++;
      known.add(event.event_id);
      collector.received.push({ ...event, sent_at, project, by });
    }
    if (mode === "lose_answer") return void request.socket.destroy();
    response.writeHead(accepted > 0 || rejected.length === 0 ? 202 : 400, { "content-type": "application/json" });
    response.end(JSON.stringify({ accepted, duplicates: events.length - accepted - rejected.length, rejected }));
  }

  function openStream(response: ServerResponse, url: URL): void {
    response.writeHead(200, { "content-type": "text/event-stream" });
    collector.subscriptions.push(Object.fromEntries(url.searchParams));
    const send = (text: string): void =>
      void response.write(`event: ${(JSON.parse(text) as { type: string }).type}\ndata: ${text}\n\n`);
    live.add(send);
    response.on("close", () => live.delete(send));
    response.write(": open\n\n");
  }

  server.on("upgrade", (request, socket, head) => {
    if (!collector.sockets || request.url?.split("?")[0] !== `${collector.under}/v1/live`) return void socket.destroy();
    sockets.handleUpgrade(request, socket, head, (open: WebSocket) => {
      const send = (text: string): void => open.send(text);
      open.on("message", (text) => {
        collector.subscriptions.push((JSON.parse(String(text)) as { subscribe: Record<string, unknown> }).subscribe);
        live.add(send);
        wake();
      });
      open.on("close", () => live.delete(send));
    });
  });

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  Object.assign(collector, { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  return collector;
}
