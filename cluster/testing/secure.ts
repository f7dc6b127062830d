// Kafka behind SASL_SSL and Redis behind TLS, which let in only whom they know (mutual TLS), with keys made for one test.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../parts/port.ts";
import { startKafka, startRedis, type TestServer } from "./servers.ts";

export interface Certificates {
  /** Who signed both servers' keys. */
  readonly caFile: string;
  readonly keyFile: string;
  readonly certFile: string;
  /** Key and certificate together, as Kafka wants them. */
  readonly storeFile: string;
}

/** A certificate authority of its own and a key for 127.0.0.1. */
export function makeCertificates(folder: string): Certificates {
  mkdirSync(folder, { recursive: true });
  const at = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): void => void execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const key = ["-newkey", "rsa:2048", "-nodes"];
  openssl("req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=attune test");
  openssl("req", ...key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=127.0.0.1");
  writeFileSync(at("names"), "subjectAltName=IP:127.0.0.1\n");
  const signing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names"];
  openssl("x509", "-req", "-in", "server.csr", "-out", "server.pem", ...signing);
  const store = readFileSync(at("server.key"), "utf8") + readFileSync(at("server.pem"), "utf8");
  writeFileSync(at("store.pem"), store);
  return { caFile: at("ca.pem"), keyFile: at("server.key"), certFile: at("server.pem"), storeFile: at("store.pem") };
}

const USER = "attune";
const PASSWORD = 'pass"word';
const quoted = PASSWORD.replaceAll('"', '\\"');
const PLAIN_MODULE = "org.apache.kafka.common.security.plain.PlainLoginModule required";

export interface SecureKafka extends TestServer {
  /** Of the TLS listener. */
  readonly bootstrap: string;
  /** What a client must be given, by Java's names. */
  readonly properties: Readonly<Record<string, string>>;
}

export async function startSecureKafka({ caFile, storeFile }: Certificates): Promise<SecureKafka> {
  const port = await freePort();
  const server = await startKafka({
    listeners: [`SASL_SSL://127.0.0.1:${port}`],
    settings: {
      "sasl.enabled.mechanisms": "PLAIN",
      "listener.name.sasl_ssl.plain.sasl.jaas.config": `${PLAIN_MODULE} user_${USER}="${quoted}";`,
      "ssl.keystore.type": "PEM",
      "ssl.keystore.location": storeFile,
      "ssl.truststore.type": "PEM",
      "ssl.truststore.location": caFile,
      "listener.name.sasl_ssl.ssl.client.auth": "required",
    },
  });
  return {
    part: server.part,
    stop: () => server.stop(),
    bootstrap: `127.0.0.1:${port}`,
    properties: {
      "security.protocol": "SASL_SSL",
      "sasl.mechanism": "PLAIN",
      "sasl.jaas.config": `${PLAIN_MODULE} username="${USER}" password="${quoted}";`,
      "ssl.truststore.type": "PEM",
      "ssl.truststore.location": caFile,
      "ssl.keystore.type": "PEM",
      "ssl.keystore.location": storeFile,
    },
  };
}

/** Its URL needs `caFile`, `certFile` and `keyFile`. */
export async function startSecureRedis(certificates: Certificates): Promise<TestServer & { url: string }> {
  const { caFile, keyFile, certFile } = certificates;
  const port = await freePort();
  const server = await startRedis({
    settings: {
      "tls-port": port,
      "tls-cert-file": certFile,
      "tls-key-file": keyFile,
      "tls-ca-cert-file": caFile,
      "tls-auth-clients": "yes",
    },
  });
  return { part: server.part, stop: () => server.stop(), url: `rediss://127.0.0.1:${port}` };
}
