// The catalogue: written to `item`, answered from what this server has read of it.
import type { Item } from "../../core/item/item.ts";
import type { KafkaSender, OutgoingRecord } from "../kafka/sender.ts";
import { encodeDocument } from "../wire/documents.ts";
import type { Learner } from "./learner.ts";

export interface CatalogueOptions {
  readonly topic: string;
  readonly sender: KafkaSender;
  readonly learner: Learner;
  /** Processing time, Unix ms. */
  readonly now: () => number;
}

export class Catalogue {
  readonly #options: CatalogueOptions;

  constructor(options: CatalogueOptions) {
    this.#options = options;
  }

  get(itemId: string): Item | undefined {
    return this.#options.learner.recommender.item(itemId);
  }

  /** Resolves when Kafka has them; this server knows them then. @throws HostError */
  async put(items: readonly Item[]): Promise<void> {
    const { sender, learner, now } = this.#options;
    const at = now();
    await sender.send(items.map((item) => this.#record(item.item_id, encodeDocument("item", { item, at }))));
    for (const item of items) learner.recommender.putItem(item, at);
  }

  /** False where there is none. @throws HostError */
  async delete(itemId: string): Promise<boolean> {
    if (this.get(itemId) === undefined) return false;
    const { sender, learner } = this.#options;
    await sender.send([this.#record(itemId, null)]);
    // Where this server has read its own tombstone by now, there is nothing left to do.
    learner.recommender.deleteItem(itemId);
    return true;
  }

  #record(itemId: string, value: Uint8Array | null): OutgoingRecord {
    return { topic: this.#options.topic, partition: 0, key: Buffer.from(itemId), value };
  }
}
