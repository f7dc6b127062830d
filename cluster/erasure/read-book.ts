// The ledger of erasures as it is now.
import { readCommitted } from "../kafka/committed.ts";
import type { KafkaConnection } from "../kafka/connection.ts";
import { readable } from "../wire/documents.ts";
import { decodeErasure } from "../wire/erasure.ts";
import type { ErasureBook } from "./book.ts";

/** Takes in everything that the topic holds; once more to take in what came since. */
export async function readBook(book: ErasureBook, connection: KafkaConnection, topic: string): Promise<void> {
  for await (const records of readCommitted({ connection, topic, partition: 0 }))
    for (const { value } of records) if (value !== null && readable(decodeErasure, value) !== undefined) book.take(value);
}
