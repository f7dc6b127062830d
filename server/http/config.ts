// What an operator may set about the node's network side, with the defaults.
import { DEFAULT_LIMITS, type LimitConfig } from "../access/limits.ts";
import type { OidcConfig } from "../access/oidc-settings.ts";
import type { TlsConfig } from "./tls.ts";

export interface WebhookConfig {
  /** Signs each delivery. Without it a node with keys sends none: each becomes a dead letter that says so. */
  secret?: string;
  /** Allows loopback, private and link-local addresses; undefined: loopback ones, on a node that is open. */
  allowPrivate?: boolean;
  /** First pause before a retry in ms; it doubles each time. */
  backoffMs: number;
  attemptsMax: number;
}

export interface HttpConfig {
  host: string;
  /** 0 picks a free one. */
  port: number;
  /** gRPC on a port of its own, 0 picks a free one; with `ifFree` it does without where that is taken. */
  grpc?: { port: number; ifFree: boolean };
  /** HTTPS in the place of HTTP, and gRPC over TLS. */
  tls?: TlsConfig & { lookEveryMs?: number };
  /** Serves `/demo/`, and sends `/` there. */
  demo: boolean;
  /** Proxies (CIDR) whose `X-Forwarded-For` is believed; none by default. */
  trustedProxies: readonly string[];
  /** Address ranges (CIDR) whose events are marked as bot traffic. */
  botAddresses: readonly string[];
  /** Bodies that wait for the log, in bytes; beyond it 429. */
  queueBytesMax: number;
  /** Bodies that have not arrived as a whole, in bytes, all senders' together; beyond it 429 for all but small ones. */
  receivingBytesMax: number;
  /** Answers that are not read yet, of all connections together; beyond it the one that reads least is cut. */
  sendingBytesMax: number;
  webhooks: WebhookConfig;
  /** Whom the console's people log in with, beside keys. */
  oidc?: OidcConfig;
  /** Of nodes with keys. */
  limits: LimitConfig;
}

export const DEFAULT_HTTP_CONFIG: HttpConfig = {
  host: "127.0.0.1",
  port: 8080,
  demo: false,
  trustedProxies: [],
  botAddresses: [],
  queueBytesMax: 64 * 1024 * 1024,
  receivingBytesMax: 128 * 1024 * 1024,
  sendingBytesMax: 256 * 1024 * 1024,
  webhooks: { backoffMs: 1_000, attemptsMax: 6 },
  limits: DEFAULT_LIMITS,
};
