// What the SDK's pure parts need from their surroundings. The browser gives it in browser-host.ts, tests give a
// simulated one, so queue, batching and reconnects are tested without a browser and without waiting.

export interface Clock {
  /** The time of day, Unix ms; somebody may set it. */
  nowMs(): number;
  /** Ms since some moment, never set forth or back: for all that waits. */
  steadyMs(): number;
  /** Runs `task` once after `ms`; returns how to cancel it. */
  after(ms: number, task: () => void): () => void;
}

/** Shared by the site's tabs, synchronous, never throws. What it has no room for is kept as long as the page. */
export interface KeyValueStore {
  keys(): string[];
  get(key: string): string | null;
  set(key: string, value: string): void;
  remove(key: string): void;
}

export interface Answer {
  status: number;
  /** The `Retry-After` header as it came. */
  retryAfter: string | null;
  /** The parsed JSON body; undefined where there is none. */
  body: unknown;
}

/** Rejects where no answer came: network, time limit. */
export type Post = (path: string, body: string) => Promise<Answer>;

/** In [0, 1). */
export type Random = () => number;

/** The code and the words of an answer that is a refusal; both are there whatever the body is. */
export function problemOf({ status, body }: Pick<Answer, "status" | "body">): [code: string, message: string] {
  const { code, detail, title } = (body ?? {}) as Record<"code" | "detail" | "title", unknown>;
  return [String(code ?? `http_${status}`), String(detail ?? title ?? "")];
}
