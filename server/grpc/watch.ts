// Server streams over the hub of live connections: the newest state, never a backlog; who does not read is cut.
import { constants, type ServerHttp2Stream } from "node:http2";
import { fromJson, type Source } from "../http/parameters.ts";
import { goingDown, Problem } from "../http/problem.ts";
import type { Hub } from "../live/hub.ts";
import { readSubscription, type LiveMessage, type Subscription } from "../live/messages.ts";
import type { Outlet } from "../live/subscriber.ts";
import type { Project } from "../ports.ts";
import { codecOf } from "../protobuf/messages.ts";
import type { Caller, Message, WatchCall } from "./call.ts";
import { statusOf } from "./status.ts";

const WATCHES_MAX = 2_000;
/** A reader that was told that it is cut, and still does not read, loses what waits for it as well. */
const CUT_MS = 1_000;
const DEFAULT_PLACEMENT = "home";

type Request = Source & { message: Message };
type Open = (request: Request, caller: Caller, call: WatchCall) => Promise<void>;

export interface Watches {
  readonly open: number;
  /** Profile, segments and triggers of a person. */
  readonly profile: Open;
  /** Lists of a person. */
  readonly lists: Open;
  /** Ends every stream. */
  close(): void;
}

export function createWatches(hubOf: (project: Project) => Hub): Watches {
  const open = new Set<WatchCall>();
  const profileCodec = codecOf("ProfileUpdate");
  const listCodec = codecOf("RecommendationUpdate");

  function begin(
    call: WatchCall,
    hub: Hub,
    subscription: Subscription,
    encode: (message: LiveMessage) => Buffer | undefined,
  ): void {
    if (open.size >= WATCHES_MAX) {
      throw new Problem("too_many_connections", `${WATCHES_MAX} streams are open.`, { retryAfterS: 10 });
    }
    open.add(call);
    let unreadBytes = 0;
    const outlet: Outlet = {
      get unreadBytes() {
        return unreadBytes;
      },
      send(message) {
        if (message.type === "error") return end(call, new Problem(message.code, message.detail));
        const bytes = encode(message);
        if (bytes === undefined || call.writableEnded || call.cancelled) return;
        unreadBytes += bytes.length;
        call.write(bytes, () => {
          unreadBytes -= bytes.length;
          hub.drained(subscriber);
        });
      },
      cut() {
        end(call, new Problem("overloaded", "The reader is too slow.", { retryAfterS: 1 }));
        setTimeout(() => reset(call), CUT_MS).unref();
      },
    };
    const subscriber = hub.join(outlet);
    // However the stream ends: by the client, by us, or with its connection.
    call.on("cancelled", () => {
      open.delete(call);
      hub.leave(subscriber);
    });
    hub.subscribe(subscriber, subscription);
  }

  return {
    get open() {
      return open.size;
    },
    async profile(request, caller, call) {
      const subscription = await readSubscription(fromJson({ ...request.message, placements: [] }), caller);
      if (call.cancelled) return;
      begin(call, hubOf(caller.project), subscription, (message) => {
        const { type, at, ...fields } = message;
        if (type !== "profile" && type !== "segments" && type !== "trigger") return undefined;
        const { caused_by: cause, ...update } = fields as { caused_by?: unknown };
        return profileCodec.encode({ at, caused_by: cause, [type]: update });
      });
    },
    async lists(request, caller, call) {
      const { placements } = request.message;
      const named = Array.isArray(placements) && placements.length > 0 ? placements : [DEFAULT_PLACEMENT];
      const subscription = await readSubscription(fromJson({ ...request.message, placements: named }), caller);
      if (call.cancelled) return;
      begin(call, hubOf(caller.project), subscription, (message) => {
        if (message.type !== "recommendations") return undefined;
        const { type: _, at, caused_by: cause, ...list } = message;
        return listCodec.encode({ at, caused_by: cause, list });
      });
    },
    close() {
      for (const call of open) end(call, goingDown());
    },
  };
}

/** The library resets no single stream, and a status waits behind what is unread: the HTTP/2 stream is closed. */
function reset(call: WatchCall): void {
  if (call.cancelled) return;
  const { stream } = (call as unknown as { call: { stream: ServerHttp2Stream } }).call;
  stream.close(constants.NGHTTP2_CANCEL);
}

function end(call: WatchCall, problem: Problem): void {
  if (!call.writableEnded && !call.cancelled) call.emit("error", statusOf(problem));
}
