// Server-sent events: `GET /v1/live` (the same messages as the WebSocket) and the operator's stream of all events.
import type { ServerResponse } from "node:http";
import type { LoggedEvent } from "../../core/event/event.ts";
import { formatTimestamp } from "../../core/event/time.ts";
import { fromQuery, ID_CHARS_MAX, optionalText } from "../http/parameters.ts";
import { Problem } from "../http/problem.ts";
import type { Call, StreamRoute } from "../http/route.ts";
import type { Intake, RejectedEvent } from "../intake/intake.ts";
import type { Project } from "../ports.ts";
import type { Hub } from "./hub.ts";
import { subscriptionOfQuery, type LiveMessage } from "./messages.ts";
import { HEARTBEAT_S } from "./socket.ts";
import type { Outlet } from "./subscriber.ts";

const STREAMS_MAX = 2_000;
const RECONNECT_MS = 1_000;
/** What an operator can read, and more than that. */
const SHOWN_PER_S_MAX = 50;
const REJECTED_SHOWN_PER_S_MAX = 20;
const UNREAD_SKIP_BYTES = 256 * 1024;

const STREAM_HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store",
  "x-accel-buffering": "no",
};

export interface Streams {
  readonly open: number;
  readonly routes: StreamRoute[];
  close(): void;
}

export function createStreams(options: {
  hubOf: (project: Project) => Hub;
  intake: Intake;
  now: () => number;
}): Streams {
  const open = new Set<ServerResponse>();
  const { now } = options;

  const heartbeat = setInterval(() => {
    for (const response of open) response.write(": ping\n\n");
  }, HEARTBEAT_S * 1_000);
  heartbeat.unref();

  function begin(response: ServerResponse): void {
    if (open.size >= STREAMS_MAX) {
      throw new Problem("too_many_connections", `${STREAMS_MAX} streams are open.`, { retryAfterS: 10 });
    }
    open.add(response);
    response.on("close", () => open.delete(response));
    response.on("error", () => response.destroy());
    response.writeHead(200, STREAM_HEADERS);
    response.write(`retry: ${RECONNECT_MS}\n\n`);
  }

  async function openLive(call: Call, response: ServerResponse): Promise<void> {
    const { project } = call;
    const subscription = await subscriptionOfQuery(call.query, call);
    if (response.destroyed) return;
    begin(response);
    const hub = options.hubOf(project);
    const outlet: Outlet = {
      get unreadBytes() {
        return response.writableLength;
      },
      send: (message: LiveMessage) => void write(response, message.type, message),
      cut: () => void response.destroy(),
    };
    const subscriber = hub.join(outlet);
    response.on("close", () => hub.leave(subscriber));
    response.on("drain", () => hub.drained(subscriber));
    outlet.send({ type: "hello", project: project.name, heartbeat_s: HEARTBEAT_S, at: formatTimestamp(now()) });
    const placements = subscription.requests.map(({ placement }) => placement);
    outlet.send({ type: "ack", subscribed: { ...subscription.ref, placements }, at: formatTimestamp(now()) });
    hub.subscribe(subscriber, subscription);
  }

  function openEvents(call: Call, response: ServerResponse): void {
    const { project } = call;
    const source = fromQuery(call.query);
    const wanted = {
      user_id: optionalText(source, "user_id", ID_CHARS_MAX),
      anonymous_id: optionalText(source, "anonymous_id", ID_CHARS_MAX),
      event_type: optionalText(source, "event_type", ID_CHARS_MAX),
    };
    const names = (["user_id", "anonymous_id", "event_type"] as const).filter((name) => wanted[name] !== undefined);
    begin(response);
    let seen = 0;
    let shown = 0;
    let rejectedShown = 0;
    let everyNth = 1;
    const stopTap = options.intake.tap({
      accepted(from, events) {
        if (from !== project) return;
        for (const event of events) {
          if (names.some((name) => event[name] !== wanted[name])) continue;
          // Evenly: each n-th, with n from the rate of the second before.
          if (seen++ % everyNth !== 0 || shown >= SHOWN_PER_S_MAX || response.writableLength > UNREAD_SKIP_BYTES)
            continue;
          shown++;
          write(response, "event", wireEvent(event));
        }
      },
      rejected(from, rejected) {
        if (from !== project || names.length > 0) return;
        for (const fault of rejected) {
          if (++rejectedShown <= REJECTED_SHOWN_PER_S_MAX) write(response, "rejected", wireFault(fault, now()));
        }
      },
    });
    const status = setInterval(() => {
      if (!call.principal.holds()) return void response.end();
      write(response, "status", { per_s: seen, shown, skipped: seen - shown });
      everyNth = Math.max(1, Math.ceil(seen / SHOWN_PER_S_MAX));
      seen = shown = rejectedShown = 0;
    }, 1_000);
    response.on("close", () => {
      clearInterval(status);
      stopTap();
    });
  }

  return {
    get open() {
      return open.size;
    },
    routes: [
      { path: "/v1/live", access: "own", crossOrigin: true, open: openLive },
      { path: "/v1/events/stream", access: "read", persons: true, open: openEvents },
    ],
    close() {
      clearInterval(heartbeat);
      for (const response of open) response.end();
    },
  };
}

function write(response: ServerResponse, type: string, data: unknown): void {
  if (!response.writableEnded) response.write(`event: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
}

function wireEvent(event: LoggedEvent): Record<string, unknown> {
  const { timestamp, received_at: receivedAt, ...rest } = event;
  return { ...rest, timestamp: formatTimestamp(timestamp), received_at: formatTimestamp(receivedAt) };
}

function wireFault({ code, path, message }: RejectedEvent, nowMs: number): Record<string, unknown> {
  return { code, path, message, at: formatTimestamp(nowMs) };
}
