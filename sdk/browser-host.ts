// The browser behind the ports of host.ts: clock, storage, requests, locks.
import type { Answer, Clock, KeyValueStore } from "./host.ts";
import type { AttuneOptions } from "./types.ts";

/** A request without an answer for this long counts as failed. */
const REQUEST_TIMEOUT_MS = 15_000;
/** After this a tab sends without the lock: whoever holds it may be frozen. */
const LOCK_WAIT_MS = 5_000;
/** What browsers still accept in a keepalive request. */
const KEEPALIVE_BYTES_MAX = 63_000;

export const browserClock: Clock = {
  nowMs: () => Date.now(),
  steadyMs: () => Math.round(performance.now()),
  after(ms, task) {
    const timer = setTimeout(task, ms);
    return () => clearTimeout(timer);
  },
};

/** localStorage; where the browser forbids it, or has no room left, a memory that ends with the page. */
export function browserStore(): KeyValueStore {
  const memory: Record<string, string> = {};
  let held = memory;
  try {
    held = localStorage ?? held;
  } catch {
    // Storage is switched off for this site: events still go out, but do not survive the page.
  }
  return {
    // Names alone: to spread the store would read all that the site keeps there.
    keys: () => [...new Set([...Object.keys(held), ...Object.keys(memory)])],
    get: (key) => memory[key] ?? held[key] ?? null,
    set(key, value) {
      delete memory[key];
      try {
        held[key] = value;
      } catch {
        memory[key] = value; // the quota is used up
      }
    },
    remove(key) {
      delete held[key];
      delete memory[key];
    },
  };
}

export interface HttpClient {
  request(method: "GET" | "POST" | "PATCH", path: string, body?: string): Promise<Answer>;
  beacon(path: string, body: string): boolean;
  /** An address with project, key and user token in its query, for what takes no headers. */
  url(path: string, scheme?: "ws"): string;
}

export function createHttpClient(options: AttuneOptions): HttpClient {
  const { endpoint = location.origin, project, key, userToken } = options;
  /** Under the endpoint's own path, where a proxy has the node under one. */
  const at = (path: string): URL => new URL(endpoint.replace(/\/$/, "") + path, location.href);
  /** Events need none, and one that has expired must not cost them. */
  const tokenFor = (path: string): string | undefined => (path === "/v1/events" ? undefined : userToken?.());
  function url(path: string, scheme?: "ws"): string {
    const target = at(path);
    for (const [name, value] of [["project", project], ["key", key], ["user_token", tokenFor(path)]] as const) {
      if (value) target.searchParams.set(name, value);
    }
    return scheme ? target.href.replace(/^http/, scheme) : target.href;
  }
  return {
    url,
    async request(method, path, body) {
      const headers: Record<string, string> = project ? { "attune-project": project } : {};
      const token = tokenFor(path);
      if (key) headers["authorization"] = `Bearer ${key}`;
      if (token) headers["attune-user-token"] = token;
      if (body !== undefined) headers["content-type"] = "application/json";
      // A text, as nearly every page asks: what wraps a page's `fetch` seldom knows a URL.
      const response = await fetch(at(path).href, {
        method,
        headers,
        body: body ?? null,
        // The request outlives the page: a click that leaves it is still sent.
        keepalive: new TextEncoder().encode(body).length < KEEPALIVE_BYTES_MAX,
        credentials: "omit",
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
      // No JSON is a proxy's page, or nothing: the status says the rest.
      const parsed: unknown = await response.json().catch(() => undefined);
      return { status: response.status, retryAfter: response.headers.get("retry-after"), body: parsed };
    },
    // Some browsers let it be switched off; then the page that is being hidden sends.
    beacon: (path, body) => !!navigator.sendBeacon?.(url(path), body),
  };
}

/** One tab at a time, by the Web Locks of the site; without them, or when they take too long, without exclusion. */
export function exclusively(name: string, task: () => Promise<void>): Promise<void> {
  const waiting = new AbortController();
  const { signal } = waiting;
  const giveUp = (): void => waiting.abort();
  setTimeout(giveUp, LOCK_WAIT_MS);
  // A page that is given the lock in the back-forward cache is thrown out of it.
  addEventListener("pagehide", giveUp, { signal });
  // Web Locks need a secure context; elsewhere two tabs may send the same events, which is harmless.
  return navigator.locks?.request(name, { signal }, task).catch(task) ?? task();
}
