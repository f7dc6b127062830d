// One set of Kafka properties for both worlds: Java's names, because the job takes them as they are and every provider
// documents them; the Node client's options are derived.
import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";
import type { KafkaConnection } from "../kafka/connection.ts";

/** A property that the Node client cannot follow; the message says what would do. */
export class PropertyError extends Error {
  override readonly name = "PropertyError";
}

export type KafkaProperties = Readonly<Record<string, string>>;

const PROTOCOLS = ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] as const;
const MECHANISMS = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] as const;
const UNDERSTOOD = new Set([
  "security.protocol",
  "sasl.mechanism",
  "sasl.jaas.config",
  "ssl.truststore.type",
  "ssl.truststore.location",
  "ssl.truststore.certificates",
  "ssl.keystore.type",
  "ssl.keystore.location",
  "ssl.keystore.key",
  "ssl.keystore.certificate.chain",
  "ssl.endpoint.identification.algorithm",
]);

/** `k=v` pairs from the command line. */
export function parseProperties(pairs: readonly string[]): KafkaProperties {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf("=");
      if (at < 1) throw new PropertyError(`"${pair}" is no property: NAME=VALUE`);
      return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
    }),
  );
}

/**
 * The Node client's connection. Files are read once, now.
 * @throws PropertyError on a property that would reach the job and not the servers.
 */
export function toConnection(brokers: readonly string[], properties: KafkaProperties): KafkaConnection {
  for (const name of Object.keys(properties)) {
    if (!UNDERSTOOD.has(name))
      throw new PropertyError(`the servers do not understand ${name}; one of ${[...UNDERSTOOD].join(", ")}`);
  }
  const protocol = oneOf(properties, "security.protocol", PROTOCOLS) ?? "PLAINTEXT";
  const tls = protocol.endsWith("SSL") ? { tls: tlsOf(properties) } : {};
  const sasl = protocol.startsWith("SASL") ? { sasl: saslOf(properties) } : {};
  return { brokers, ...tls, ...sasl };
}

/** The files that they name. */
export function storesOf(properties: KafkaProperties): (string | undefined)[] {
  return ["truststore", "keystore"].map((store) => properties[`ssl.${store}.location`]);
}

function tlsOf(properties: KafkaProperties): ConnectionOptions {
  for (const store of ["truststore", "keystore"]) {
    const isGiven = Object.keys(properties).some((name) => name.startsWith(`ssl.${store}.`));
    if (isGiven && properties[`ssl.${store}.type`] !== "PEM")
      throw new PropertyError(
        `ssl.${store}.type must be PEM, which Java and Node both read: keytool -exportcert -rfc, or openssl pkcs12`,
      );
  }
  const ca = properties["ssl.truststore.certificates"] ?? fileOf(properties, "ssl.truststore.location");
  const keyStore = fileOf(properties, "ssl.keystore.location");
  const key = properties["ssl.keystore.key"] ?? keyStore;
  const cert = properties["ssl.keystore.certificate.chain"] ?? keyStore;
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(key === undefined ? {} : { key }),
    ...(cert === undefined ? {} : { cert }),
    ...(properties["ssl.endpoint.identification.algorithm"] === "" ? { checkServerIdentity: () => undefined } : {}),
  };
}

function saslOf(properties: KafkaProperties): NonNullable<KafkaConnection["sasl"]> {
  const mechanism = oneOf(properties, "sasl.mechanism", MECHANISMS);
  if (mechanism === undefined)
    throw new PropertyError(`security.protocol needs sasl.mechanism: one of ${MECHANISMS.join(", ")}`);
  const jaas = properties["sasl.jaas.config"] ?? "";
  const username = quoted(jaas, "username");
  const password = quoted(jaas, "password");
  if (username === undefined || password === undefined)
    throw new PropertyError(
      'sasl.jaas.config must name username="…" and password="…", as Kafka\'s documentation writes it',
    );
  return { mechanism, username, password };
}

/** JAAS writes values in double quotes, with backslashes before quotes within them. */
function quoted(jaas: string, name: string): string | undefined {
  const found = new RegExp(`\\b${name}\\s*=\\s*"((?:[^"\\\\]|\\\\.)*)"`).exec(jaas)?.[1];
  return found?.replaceAll(/\\(.)/g, "$1");
}

function fileOf(properties: KafkaProperties, name: string): string | undefined {
  const path = properties[name];
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new PropertyError(`${name}: ${path} cannot be read`, { cause });
  }
}

function oneOf<T extends string>(properties: KafkaProperties, name: string, allowed: readonly T[]): T | undefined {
  const value = properties[name];
  if (value === undefined || allowed.includes(value as T)) return value as T | undefined;
  throw new PropertyError(`${name} is "${value}": one of ${allowed.join(", ")}`);
}
