// The bare baseline: what any Node server pays that takes the same requests and keeps nothing but bytes. POST parses
// the body and appends it to a file that is synced before the answer (requests that wait share a sync); GET answers a
// constant.
import { open } from "node:fs/promises";
import { createServer } from "node:http";

const file = await open(process.argv[2]!, "a");
const ANSWER = JSON.stringify({ status: "ok" });

let waiting: { body: Buffer; done: () => void }[] = [];
let isWriting = false;

async function write(): Promise<void> {
  isWriting = true;
  while (waiting.length > 0) {
    const group = waiting;
    waiting = [];
    await file.writev(group.map(({ body }) => body));
    await file.datasync();
    for (const { done } of group) done();
  }
  isWriting = false;
}

const server = createServer((request, response) => {
  response.setHeader("content-type", "application/json");
  if (request.method === "GET") {
    response.end(ANSWER);
    return;
  }
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const body = Buffer.concat(chunks);
    JSON.parse(body.toString("utf8"));
    const done = (): void => {
      response.statusCode = 202;
      response.end(ANSWER);
    };
    waiting.push({ body, done });
    if (!isWriting) void write();
  });
});

server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object" && address !== null)
    console.log(`bare listening on http://127.0.0.1:${address.port}`);
});
process.once("SIGTERM", () => process.exit(0));
