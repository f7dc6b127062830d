// For how long a cluster keeps persons: `control` says it, so that the job, servers and commands know it alike.
import { uuidv7 } from "uuidv7";
import { FOR_EVER, type PersonAges } from "../../server/privacy/retention.ts";
import { agesOf, decodeDocument, encodeDocument, readable, retentionOf } from "../wire/documents.ts";
import { readCommitted } from "./committed.ts";
import type { KafkaConnection } from "./connection.ts";
import { KafkaSender } from "./sender.ts";

export type { PersonAges };

/** Kinds of data that the job keeps by age. */
export const PERSON_KINDS = ["profiles", "visitors"] as const;

/** The ages in force; for ever where none were ever set. */
async function personAges(connection: KafkaConnection, controlTopic: string): Promise<PersonAges> {
  let ages: PersonAges | undefined;
  for await (const records of readCommitted({ connection, topic: controlTopic, partition: 0 })) {
    for (const { value } of records) {
      const record = value === null ? undefined : readable((bytes) => decodeDocument("control", bytes), value);
      if (record?.kind === "retention") ages = agesOf(record);
    }
  }
  return ages ?? FOR_EVER;
}

/** Puts these ages in force where others are; the job follows within a second. */
export async function setPersonAges(connection: KafkaConnection, controlTopic: string, ages: PersonAges): Promise<void> {
  const now = await personAges(connection, controlTopic);
  if (now.profiles === ages.profiles && now.visitors === ages.visitors) return;
  const value = encodeDocument("control", retentionOf(ages, Date.now()));
  const sender = new KafkaSender(connection);
  try {
    await sender.send([{ topic: controlTopic, partition: 0, key: Buffer.from(uuidv7()), value }]);
  } finally {
    await sender.close();
  }
}
