// The connection to Redis, one server or a cluster. It may go away at any time: who asks then hears so at once, nobody
// waits for it, and it comes back by itself.
import type { ConnectionOptions } from "node:tls";
import { createClient, createCluster, RESP_TYPES } from "redis";

export interface RedisConnection {
  /** `redis://HOST:PORT` or `rediss://…`; several are nodes of a Redis Cluster. */
  readonly urls: readonly string[];
  /** Redis Cluster; default: where there are several addresses. */
  readonly cluster?: boolean;
  readonly username?: string;
  readonly password?: string;
  readonly tls?: ConnectionOptions;
}

/** Redis is away, or did not answer in time. */
export class RedisAwayError extends Error {
  override readonly name = "RedisAwayError";
  readonly code = "redis_away";
}

/** A reply as RESP 2 gives it; blobs are buffers. */
export type Reply = Buffer | string | number | null | readonly Reply[];
export type Argument = string | Buffer;

/** A reader waits no longer; a page is answered with what there is. */
const ASK_TIMEOUT_MS = 250;
const WRITE_TIMEOUT_MS = 5_000;
const PING_EVERY_MS = 250;
const CONNECT_TIMEOUT_MS = 1_000;
const RECONNECT_MS = 200;
/** Commands that may wait for their answers. */
const COMMANDS_MAX = 100_000;
/** What each look reads and writes, and the channel that it tells: below our prefix, because a shared Redis may let us have no others. */
export const LOOK_KEY = "attune:look";
/** It goes when nobody looks any more. */
const LOOK_KEPT_S = 60;
/** Writes as servers do: by a script that tells the others. A login may have been denied either. */
export const WRITING_LOOK: readonly string[] = [
  "EVAL",
  "redis.call('SET', KEYS[1], '1', 'EX', ARGV[1]) return redis.call('PUBLISH', KEYS[1], '')",
  "1",
  LOOK_KEY,
  String(LOOK_KEPT_S),
];
/** So long one refused write counts: the look's own key may lie on another node of a Redis Cluster. Writers try more often. */
const REFUSED_KEPT_MS = 2_000;

interface Client {
  send(key: string, args: readonly Argument[]): Promise<unknown>;
  subscribe(channel: string, listener: (message: Buffer) => void): Promise<void>;
  connect(): Promise<unknown>;
  on(event: "error" | "ready", listener: (error: Error) => void): void;
  destroy(): void;
}

export class RedisLink {
  readonly #client: Client;
  /** Commands and messages on connections of their own: one that listens may do nothing else. */
  readonly #listening: Client;
  readonly #listeners = new Set<(isUp: boolean) => void>();
  readonly #channels: { channel: string; listener: (message: Buffer) => void }[] = [];
  #subscribed = new Set<string>();
  #watch: NodeJS.Timeout | undefined;
  #isConnected = false;
  #isListening = false;
  #isUp = false;
  #isRefusing = false;
  #refusedMs = -Infinity;
  #lateLooks = 0;
  #closed = false;
  /** Questions that were not answered in time or not at all. */
  faultsTotal = 0;
  /** Lines for commands that were made, whichever node they lead to: behind a new one may be a Redis that lacks what went over an older one. */
  linesTotal = 0;

  private constructor(connection: RedisConnection) {
    this.#client = openClient(connection);
    this.#listening = openClient(connection);
    for (const client of [this.#client, this.#listening]) {
      // Each failed command says so itself; `isUp` tells the rest.
      client.on("error", () => void this.faultsTotal++);
    }
    this.#client.on("ready", () => void this.linesTotal++);
    this.#listening.on("ready", () => {
      // A line that was cut and mended between two looks.
      if (this.isCurrent) for (const listener of this.#listeners) listener(true);
    });
  }

  /** Resolves when Redis has answered, or after a second without it. */
  static async open(connection: RedisConnection): Promise<RedisLink> {
    const link = new RedisLink(connection);
    await link.#look();
    link.#lookSoon();
    return link;
  }

  /** Whether the last looks, four a second, found it answering and listening. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** It answers and refuses to be written to: it is full, a replica, cannot save, or denies a right. What it holds grows old. */
  get isRefusing(): boolean {
    return this.#isUp && this.#isRefusing;
  }

  /** What it holds is kept up: it answers, and takes what is written. */
  get isCurrent(): boolean {
    return this.#isUp && !this.#isRefusing;
  }

  /** @throws RedisAwayError at once while it is away, else within `ASK_TIMEOUT_MS`; a Redis error as it is. */
  ask(key: string, args: readonly Argument[]): Promise<Reply> {
    if (!this.#isUp) return Promise.reject(new RedisAwayError("Redis is away"));
    return this.#within(ASK_TIMEOUT_MS, this.#client.send(key, args));
  }

  /** As `ask`, for writers: they have more time. */
  async write(key: string, args: readonly Argument[]): Promise<Reply> {
    if (!this.#isUp) throw new RedisAwayError("Redis is away");
    try {
      return await this.#within(WRITE_TIMEOUT_MS, this.#client.send(key, args));
    } catch (error) {
      if (isRefusal(error as Error)) {
        this.#refusedMs = performance.now();
        this.#turn({ isUp: this.#isUp, isRefusing: true });
      }
      throw error;
    }
  }

  /**
   * Hears a channel while Redis is up; what is sent while it is not is not heard. Resolves when it is heard, or will be
   * when Redis is back.
   */
  async listen(channel: string, listener: (message: Buffer) => void): Promise<void> {
    this.#channels.push({ channel, listener });
    if (this.#isUp) await this.#look();
  }

  /** Told when it is current no more and when it is again, and when messages may have been missed. Returns how to stop. */
  onTurn(listener: (isCurrent: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#watch);
    for (const client of [this.#client, this.#listening]) client.destroy();
    this.#isUp = false;
  }

  #lookSoon(): void {
    this.#watch = setTimeout(() => void this.#look().then(() => this.#closed || this.#lookSoon()), PING_EVERY_MS);
    this.#watch.unref();
  }

  /** A line that is gone is gone at once; one that is late twice as well: once, it may be we who are busy. */
  async #look(): Promise<void> {
    try {
      const isTaken = await this.#askAll();
      this.#lateLooks = 0;
      this.#turn({ isUp: true, isRefusing: !isTaken || performance.now() - this.#refusedMs < REFUSED_KEPT_MS });
    } catch (error) {
      const isLate = error instanceof RedisAwayError && error.cause === undefined;
      if (!isLate || ++this.#lateLooks > 1) this.#turn(AWAY);
    }
  }

  #turn({ isUp, isRefusing }: { isUp: boolean; isRefusing: boolean }): void {
    if (this.#closed) return;
    const wasCurrent = this.isCurrent;
    this.#isUp = isUp;
    this.#isRefusing = isRefusing;
    if (this.isCurrent !== wasCurrent) for (const listener of this.#listeners) listener(this.isCurrent);
  }

  /** Whether it took what was written. */
  async #askAll(): Promise<boolean> {
    this.#isConnected ||= await this.#within(CONNECT_TIMEOUT_MS, connected(this.#client));
    this.#isListening ||= await this.#within(CONNECT_TIMEOUT_MS, connected(this.#listening));
    for (const { channel, listener } of this.#channels) {
      if (this.#subscribed.has(channel)) continue;
      await this.#within(CONNECT_TIMEOUT_MS, this.#listening.subscribe(channel, listener));
      this.#subscribed.add(channel);
    }
    await this.#within(CONNECT_TIMEOUT_MS, this.#client.send(LOOK_KEY, ["EXISTS", LOOK_KEY]));
    try {
      await this.#within(CONNECT_TIMEOUT_MS, this.#client.send(LOOK_KEY, WRITING_LOOK));
      return true;
    } catch (error) {
      if (isReply(error)) return false;
      throw error;
    }
  }

  async #within<T>(ms: number, answer: Promise<unknown>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      // An answer that lies there unread, because this process was busy, is in time: sockets are read before immediates.
      timer = setTimeout(() => setImmediate(() => reject(new RedisAwayError("Redis did not answer in time"))), ms);
    });
    try {
      return (await Promise.race([answer, late])) as T;
    } catch (error) {
      if (isReply(error)) throw error;
      this.faultsTotal++;
      if (error instanceof RedisAwayError) throw error;
      // The line is gone: nobody else need find out for himself.
      this.#turn(AWAY);
      throw new RedisAwayError("Redis is away", { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }
}

const AWAY = { isUp: false, isRefusing: false } as const;

/** Full, a replica, a dump that fails, too few replicas, a right that is denied; Redis 6 says it of a script further on in the line. */
function isRefusal({ message }: Error): boolean {
  return /(^|-)(OOM|READONLY|MISCONF|NOREPLICAS|NOPERM) |^ERR The user executing the script can't /.test(message);
}

/** What Redis itself answered, e.g. NOSCRIPT or READONLY; anything else is the line. */
function isReply(error: unknown): boolean {
  return /^[A-Z]+ /.test((error as Error).message) && !(error instanceof RedisAwayError);
}

async function connected(client: Client): Promise<true> {
  // The client goes on connecting for ever by itself, and refuses to be asked to twice.
  await client.connect().catch((error: Error) => {
    if (!/already (opened|open|connect)/i.test(error.message)) throw error;
  });
  return true;
}

function openClient({ urls, cluster = urls.length > 1, username, password, tls }: RedisConnection): Client {
  const options = {
    RESP: 2 as const,
    disableOfflineQueue: true,
    commandsQueueMaxLength: COMMANDS_MAX,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    socket: {
      connectTimeout: CONNECT_TIMEOUT_MS,
      reconnectStrategy: () => RECONNECT_MS,
      ...(tls === undefined ? {} : { ...tls, tls: true as const }),
    },
  };
  const commandOptions = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } };
  if (cluster) {
    const client = createCluster({
      RESP: 2,
      rootNodes: urls.map((url) => ({ ...options, url })),
      defaults: options,
      commandOptions,
    });
    return {
      send: (key, args) => client.sendCommand(key, false, [...args], commandOptions),
      subscribe: (channel, listener) => client.subscribe(channel, listener, true),
      connect: () => client.connect(),
      on: (event, listener) => void client.on(event === "ready" ? "node-ready" : event, listener),
      destroy: () => client.destroy(),
    };
  }
  const client = createClient({ ...options, url: urls[0]!, commandOptions });
  return {
    send: (_, args) => client.sendCommand([...args], commandOptions),
    subscribe: (channel, listener) => client.subscribe(channel, listener, true),
    connect: () => client.connect(),
    on: (event, listener) => void client.on(event, listener),
    destroy: () => client.destroy(),
  };
}
