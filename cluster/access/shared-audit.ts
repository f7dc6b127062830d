// The audit trail that all servers of a cluster write and show: one hash chain in the `audit` topic.
import { uuidv7 } from "uuidv7";
import {
  AuditDamagedError,
  newest,
  repeatedReads,
  subjectHash,
  type AuditLog,
  type AuditQuery,
} from "../../server/audit/audit-log.ts";
import { nextEntry, type AuditEntry, type AuditFacts } from "../../server/audit/chain.ts";
import { HostError } from "../../server/ports.ts";
import type { KafkaConnection } from "../kafka/connection.ts";
import { KafkaReader } from "../kafka/reader.ts";
import type { KafkaSender } from "../kafka/sender.ts";
import { checkTopics } from "../kafka/topics.ts";
import type { RedisLink } from "../redis/link.ts";
import { sharedTopics } from "../wire/topics.ts";
import { moveAnchor, readAnchor } from "./audit-anchor.ts";
import { SharedChain, START, TrailCheck } from "./audit-chain.ts";
import { derive } from "./cluster-key.ts";
import { SharedLog } from "./shared-log.ts";

export interface SharedAuditOptions {
  readonly connection: KafkaConnection;
  readonly sender: KafkaSender;
  readonly link: RedisLink;
  /** The cluster's key, in base64: persons are hashed with what comes of it. */
  readonly key: string;
  /** Processing time, Unix ms. */
  readonly now: () => number;
  /** A record that does not belong into the chain; it is left out. */
  readonly onCorrupt: (error: Error) => void;
}

/** Newest records read at a start; who asks for older entries has the whole topic read. */
const RECORDS_READ = 20_000;
const HELD_MAX = 20_000;
/** Reads are gathered for so long. */
const GATHER_MS = 100;
const ENTRIES_A_RECORD = 500;
/** Entries that wait for Kafka; then what would have to be taken down is refused. */
const WAITING_MAX = 10_000;
const ANSWER_MS = 5_000;
const RETRY_MS = 200;
const RETRY_AFTER_S = 2;

interface Waiting {
  readonly facts: AuditFacts;
  readonly done: (entry: AuditEntry) => void;
}

/**
 * Goes on with the trail that there is.
 * @throws AuditDamagedError where it ends before its anchor.
 */
export async function openSharedAudit(options: SharedAuditOptions): Promise<AuditLog> {
  const audit = new SharedAudit(options);
  await audit.start();
  return audit;
}

class SharedAudit implements AuditLog {
  readonly #options: SharedAuditOptions;
  readonly #log: SharedLog;
  readonly #topic = sharedTopics().audit;
  readonly #pepper: Buffer;
  readonly #isRepeated: ReturnType<typeof repeatedReads>;
  #chain = new SharedChain(START);
  #held: AuditEntry[] = [];
  #isAllHeld = true;
  #waiting: Waiting[] = [];
  /** Our records by their keys: one whose answer was lost may still turn up. */
  readonly #attempts = new Map<string, readonly Waiting[]>();
  #writing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: SharedAuditOptions) {
    this.#options = options;
    this.#pepper = derive(options.key, "audit");
    this.#isRepeated = repeatedReads(options.now);
    const { connection, sender } = options;
    this.#log = new SharedLog({
      connection,
      sender,
      topic: this.#topic,
      onRecord: (value, { key, offset }) => this.#take(value.toString(), key?.toString() ?? "", offset),
    });
  }

  async start(): Promise<void> {
    const { connection, link } = this.#options;
    await checkTopics(connection, [{ name: this.#topic, settings: sharedTopics().settings }]);
    const anchor = await readAnchor(link);
    this.#chain = new SharedChain();
    this.#isAllHeld = !(await this.#log.startNearEnd(RECORDS_READ));
    const { head } = this.#chain;
    if (anchor === undefined || anchor.seq < head.seq) return;
    if (anchor.seq === head.seq && anchor.hash === head.hash) return;
    await this.#log.close();
    throw new AuditDamagedError(
      `the topic ${this.#topic} ends at entry ${head.seq}, and its anchor in Redis at ${anchor.seq}: attune cluster audit verify`,
    );
  }

  change(facts: Omit<AuditFacts, "at">): Promise<AuditEntry> {
    const entry = new Promise<AuditEntry>((done) => this.#add(facts, done));
    this.#write();
    return inTime(entry);
  }

  /** @throws HostError where so much waits for Kafka that the read could not be taken down. */
  read(facts: Omit<AuditFacts, "at">): void {
    if (this.#isRepeated(facts)) return;
    this.#add(facts, () => undefined);
    this.#timer ??= setTimeout(() => this.#write(), GATHER_MS).unref();
  }

  subjectOf(project: string, personKey: string): string {
    return subjectHash(this.#pepper, project, personKey);
  }

  list(query: AuditQuery): AuditEntry[] | Promise<AuditEntry[]> {
    const found = newest(this.#held, query);
    return found.length === query.limit || this.#isAllHeld ? found : this.#search(query);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    const drained = this.#write();
    await Promise.race([drained, new Promise((resolve) => setTimeout(resolve, ANSWER_MS).unref())]);
    this.#closed = true;
    await this.#log.close();
  }

  #add(facts: Omit<AuditFacts, "at">, done: (entry: AuditEntry) => void): void {
    if (this.#waiting.length >= WAITING_MAX) {
      throw new HostError("unavailable", "The audit trail cannot be written.", { retryAfterS: RETRY_AFTER_S });
    }
    this.#waiting.push({ facts: { ...facts, at: this.#options.now() }, done });
  }

  /** Resolves when nothing waits. */
  #write(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
      if (this.#waiting.length > 0 && !this.#closed) void this.#write();
    });
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#closed) {
      const some = this.#waiting.slice(0, ENTRIES_A_RECORD);
      let { head } = this.#chain;
      const lines = some.map(({ facts }) => JSON.stringify((head = nextEntry(facts, head))));
      const key = uuidv7();
      this.#attempts.set(key, some);
      try {
        // When it has come back, it was taken or it was late; then what waits is written after what was first.
        await this.#log.append(Buffer.from(lines.join("\n")), key);
      } catch {
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS).unref());
      }
    }
    if (this.#waiting.length === 0) this.#attempts.clear();
  }

  #take(text: string, key: string, offset: number): void {
    const taken = this.#chain.take(text);
    const ours = this.#attempts.get(key);
    this.#attempts.delete(key);
    if (taken.kind === "late") return;
    if (taken.kind !== "taken") {
      return this.#options.onCorrupt(new Error(`${this.#topic}, record ${offset}: ${taken.kind.replaceAll("_", " ")}`));
    }
    this.#held.push(...taken.entries);
    if (this.#held.length >= 2 * HELD_MAX) {
      this.#held = this.#held.slice(-HELD_MAX);
      this.#isAllHeld = false;
    }
    if (ours === undefined) return;
    const isDone = new Set(ours);
    this.#waiting = this.#waiting.filter((one) => !isDone.has(one));
    ours.forEach(({ done }, i) => done(taken.entries[i]!));
    moveAnchor(this.#options.link, this.#chain.head);
  }

  /** Reads the whole topic. */
  async #search(query: AuditQuery): Promise<AuditEntry[]> {
    let found: AuditEntry[] = [];
    const chain = new SharedChain(START);
    await readTrail(this.#options.connection, (text) => {
      const taken = chain.take(text);
      if (taken.kind === "taken") found = [...newest(taken.entries, query), ...found].slice(0, query.limit);
    });
    return found;
  }
}

/** Checks the whole trail against its anchor in Redis and others; `head` is its newest entry. */
export async function verifySharedAudit(
  options: Pick<SharedAuditOptions, "connection" | "link">,
  anchors: readonly { seq: number; hash: string }[] = [],
): Promise<TrailCheck> {
  const { connection, link } = options;
  // Before the topic is read: what is added meanwhile is no fault.
  const anchor = await readAnchor(link);
  const check = new TrailCheck(anchor === undefined ? anchors : [anchor, ...anchors]);
  const end = await readTrail(connection, (text, offset) => check.take(text, offset));
  check.end(end);
  return check;
}

/** Every record of the topic, up to where it ends now; that offset. */
async function readTrail(connection: KafkaConnection, take: (text: string, offset: number) => void): Promise<number> {
  const topic = sharedTopics().audit;
  const reader = new KafkaReader({
    connection,
    onBatch: ({ records }) => {
      for (const { value, offset } of records) take(value?.toString() ?? "", offset);
    },
  });
  reader.read(topic, 0, "earliest");
  await reader.caughtUp(topic);
  const end = reader.position(topic, 0)!;
  await reader.close();
  return end;
}

/** What is late is not lost: it is written when Kafka is back. */
function inTime<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new HostError("unavailable", "It was done, and could not be taken down yet.", { retryAfterS: RETRY_AFTER_S }));
    }, ANSWER_MS);
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}
