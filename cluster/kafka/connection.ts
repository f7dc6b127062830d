// How to reach Kafka: addresses, TLS and SASL as the installation wants them.
import type { ConnectionOptions } from "node:tls";
import type { SASLOptions } from "@platformatic/kafka";

export interface KafkaConnection {
  /** `HOST:PORT` of some brokers; the others are learnt from them. */
  readonly brokers: readonly string[];
  readonly tls?: ConnectionOptions;
  /** PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER. */
  readonly sasl?: SASLOptions;
}

/** A request that a broker has not answered by then is tried again. */
const REQUEST_TIMEOUT_MS = 5_000;
const CONNECT_TIMEOUT_MS = 3_000;
/** The client's own default of 1 s makes every broker's restart last a second longer. */
const RETRY_DELAY_MS = 200;

/** What every client of the library is opened with. */
export function clientOptions(connection: KafkaConnection) {
  return {
    clientId: "attune",
    bootstrapBrokers: [...connection.brokers],
    connectTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retryDelay: RETRY_DELAY_MS,
    autocreateTopics: false,
    ...(connection.tls === undefined ? {} : { tls: connection.tls }),
    ...(connection.sasl === undefined ? {} : { sasl: connection.sasl }),
  };
}
