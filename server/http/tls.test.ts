import { deepEqual, equal, throws } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { credentials, loadPackageDefinition } from "@grpc/grpc-js";
import protoLoader from "@grpc/proto-loader";
import { pino } from "pino";
import { WebSocket } from "ws";
import { PROTO_FOLDER } from "../protobuf/messages.ts";
import { startNode } from "./testing.ts";
import { readTls, TlsFileError } from "./tls.ts";

const folder = mkdtempSync(join(tmpdir(), "attune-tls-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const files = { cert: join(folder, "cert.pem"), key: join(folder, "key.pem") };

function certify(name: string): void {
  const subject = ["-subj", `/CN=${name}`, "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  const made = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  execFileSync("openssl", ["req", ...made, "-keyout", files.key, "-out", files.cert, ...subject], { stdio: "ignore" });
}
function hasOpenssl(): boolean {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
const skip = hasOpenssl() ? false : "no openssl to make a certificate with";

interface Seen {
  status: number;
  subject: string;
  hsts: string | undefined;
}

function get(url: string, ca: Buffer | Buffer[] = readFileSync(files.cert)): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { ca, agent: false }, (response) => {
      const socket = response.socket as import("node:tls").TLSSocket;
      const subject = String(socket.getPeerCertificate().subject.CN);
      response.resume();
      resolve({ status: response.statusCode!, subject, hsts: response.headers["strict-transport-security"] });
    });
    asked.on("error", reject);
    asked.end();
  });
}

test("HTTPS, WSS and gRPC over TLS; a new certificate is taken while running, a broken one is not", { skip }, async () => {
  certify("first");
  let faults = 0;
  const logger = pino({ level: "error" }, { write: () => void faults++ });
  const node = await startNode({ logger, config: { tls: { ...files, lookEveryMs: 20 }, grpc: { port: 0, ifFree: false } } });
  try {
    deepEqual(await get(`${node.url}/healthz`), { status: 200, subject: "first", hsts: "max-age=15552000" });
    const ca = readFileSync(files.cert);
    await new Promise<void>((resolve, reject) => {
      const socket = new WebSocket(`${node.url.replace("https", "wss")}/v1/live`, { ca });
      socket.on("message", () => resolve(socket.close()));
      socket.on("error", reject);
    });
    const definition = protoLoader.loadSync("attune/v1/recommendations.proto", { includeDirs: [PROTO_FOLDER] });
    const { Recommendations } = (loadPackageDefinition(definition) as any).attune.v1;
    const client = new Recommendations(node.server.grpcAddress, credentials.createSsl(ca));
    await new Promise<void>((resolve, reject) => {
      client.Trending({}, (error: Error | null) => (error === null ? resolve() : reject(error)));
    });
    client.close();

    certify("second");
    // Until the node has seen the new file, it answers with the certificate of before.
    const both = [ca, readFileSync(files.cert)];
    while ((await get(`${node.url}/healthz`, both)).subject !== "second");
    const good = readFileSync(files.cert);
    writeFileSync(files.cert, "no certificate");
    while (faults === 0) await get(`${node.url}/healthz`, good);
    writeFileSync(files.cert, good);
    equal((await get(`${node.url}/healthz`)).status, 200);
  } finally {
    await node.close();
  }
});

test("files that cannot be used stop the node before it starts, with their names", () => {
  throws(() => readTls({ cert: join(folder, "none.pem"), key: files.key }), (error: Error) => {
    return error instanceof TlsFileError && error.message.includes("none.pem");
  });
});
