// What changed about persons, told once to this server's listeners: by the servers that fill Redis, and while Redis is
// away, or refuses to be written to, straight from the topic. Webhooks go out from the server that wrote the row, so that one of them does.
import { refOfKey } from "../../core/identity/identity.ts";
import { RecentMap } from "../../server/hosting/recent-map.ts";
import type { PersonChange } from "../../server/ports.ts";
import type { KafkaConnection } from "../kafka/connection.ts";
import { KafkaReader } from "../kafka/reader.ts";
import { changeOf, decodeChange, type ChangeMessage, type ProfileStore } from "../redis/profile-store.ts";
import { decodeProfile, type ProfileChange, type ProfileValue } from "../wire/profile.ts";
import type { People } from "./people.ts";

const FIRED_MAX = 20_000;

export interface ChangesOptions {
  readonly connection: KafkaConnection;
  readonly profilesTopic: string;
  readonly store: ProfileStore;
  readonly people: People;
  readonly server: string;
  /** Must not throw or block. */
  readonly tell: (change: PersonChange) => void;
}

export class Changes {
  readonly #options: ChangesOptions;
  /** Key → newest version whose webhooks went out from here. */
  readonly #fired = new RecentMap<string>(FIRED_MAX);
  readonly #stopTurns: () => void;
  #tail: KafkaReader | null = null;

  constructor(options: ChangesOptions) {
    this.#options = options;
    const { store, people } = options;
    this.#stopTurns = store.link.onTurn((isCurrent) => {
      // What was told meanwhile is lost.
      if (isCurrent) people.forget();
      if (isCurrent) void this.#stopTail();
      else this.#readTail();
    });
    if (!store.link.isCurrent) this.#readTail();
  }

  /** Resolves when changes are heard. */
  start(): Promise<void> {
    const { store, people } = this.#options;
    return store.link.listen(store.channel, (bytes) => {
      const message = decodeChange(bytes);
      if ("consent" in message) people.say(message.key, message.consent);
      else if ("isForgotten" in message) people.erase([message.key]);
      else this.hear(message);
    });
  }

  /** Takes in a message, by whichever way it came; one that is known already tells nobody. */
  hear(message: ChangeMessage): void {
    const isNew = this.#options.people.heard(message);
    const fires = message.by === this.#options.server && this.#isFirst(message);
    if (!isNew && !fires) return;
    for (const change of message.changes) {
      if (isNew) this.#tell(message.key, fires ? change : { ...change, triggers: change.triggers.map(withoutWebhook) });
      else this.#tell(message.key, webhooksOf(change));
    }
  }

  async close(): Promise<void> {
    this.#stopTurns();
    await this.#stopTail();
  }

  #tell(key: string, change: ProfileChange): void {
    this.#options.tell({ key, ref: refOfKey(key), ...change });
  }

  /** The echo of our own write may come before or after its answer. */
  #isFirst({ key, sequence, asOfMs }: ChangeMessage): boolean {
    const version = `${sequence}/${asOfMs}`;
    if (this.#fired.get(key) === version) return false;
    this.#fired.set(key, version);
    return true;
  }

  #readTail(): void {
    if (this.#tail !== null) return;
    const { connection, profilesTopic, store, people } = this.#options;
    this.#tail = new KafkaReader({
      connection,
      onBatch: ({ records }) => {
        for (const { key, value } of records) {
          if (key === null) continue;
          if (value === null) people.erase([key.toString()]);
          else this.#hearValue(key.toString(), value);
        }
      },
    });
    for (let partition = 0; partition < store.names.shards; partition++) {
      this.#tail.read(profilesTopic, partition, "latest");
    }
  }

  #hearValue(key: string, bytes: Uint8Array): void {
    let value: ProfileValue;
    try {
      value = decodeProfile(bytes);
    } catch {
      // Who fills Redis tells of it.
      return;
    }
    this.hear(changeOf(key, value));
  }

  async #stopTail(): Promise<void> {
    const tail = this.#tail;
    this.#tail = null;
    await tail?.close();
  }
}

function withoutWebhook<T extends { webhook?: string }>({ webhook: _, ...trigger }: T): Omit<T, "webhook"> {
  return trigger;
}

/** What is left of a change that was told before, by somebody who does not send webhooks. */
function webhooksOf(change: ProfileChange): ProfileChange {
  const triggers = change.triggers.filter(({ webhook }) => webhook !== undefined);
  return { ...change, entered: [], left: [], triggers: triggers.map((trigger) => ({ ...trigger, push: false })) };
}
