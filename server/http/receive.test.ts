// Bodies that arrive slowly: how much of them is held.
import { deepEqual, equal, rejects } from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { PassThrough } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { test } from "node:test";
import { BODY_BYTES_MAX } from "./body.ts";
import { createReceiver } from "./receive.ts";
import { ask, startNode } from "./testing.ts";

const KIB = 1024;
const bytes = (kib: number): Buffer => Buffer.alloc(kib * KIB, 0x20);

async function arriving(receiver: ReturnType<typeof createReceiver>, kib: number, declaredBytes = NaN) {
  const stream = new PassThrough({ highWaterMark: 2 * BODY_BYTES_MAX });
  const body = receiver.receive(stream, declaredBytes);
  body.catch(() => {}); // looked at by the test
  stream.write(bytes(kib));
  await setImmediate();
  return { stream, body };
}

test("bodies that are not there yet are held up to the limit exactly; small ones always; what ends is held no more", async () => {
  const receiver = createReceiver(100 * KIB);
  const first = await arriving(receiver, 60);
  const second = await arriving(receiver, 40);
  equal(receiver.heldBytes, 100 * KIB);
  const third = await arriving(receiver, 17);
  await rejects(third.body, { code: "overloaded" });
  const small = await arriving(receiver, 16);
  equal(receiver.heldBytes, 116 * KIB);
  small.stream.end();
  deepEqual(await small.body, bytes(16));
  second.stream.destroy();
  await rejects(second.body, { code: "bad_request" });
  equal(receiver.heldBytes, 60 * KIB);
  first.stream.end(bytes(1));
  deepEqual(await first.body, bytes(61));
  equal(receiver.heldBytes, 0);
});

test("a body of another length than its header says, or longer than any may be, is refused and held no more", async () => {
  const receiver = createReceiver(4 * BODY_BYTES_MAX);
  const long = await arriving(receiver, BODY_BYTES_MAX / KIB);
  equal(receiver.heldBytes, BODY_BYTES_MAX);
  long.stream.end(" ");
  await rejects(long.body, { code: "body_too_large" });
  await rejects((await arriving(receiver, 1, BODY_BYTES_MAX + 1)).body, { code: "body_too_large" });
  const short = await arriving(receiver, 1, 2 * KIB);
  short.stream.end();
  await rejects(short.body, { code: "bad_request" });
  equal(receiver.heldBytes, 0);
});

test("a node that holds as much as it may of strangers' bodies refuses further large ones, and takes events", async (t) => {
  const node = await startNode({ config: { receivingBytesMax: 512 * KIB } });
  t.after(() => node.close());
  const { port } = new URL(node.url);
  /** Sends all of a body but its last byte; what is answered to that. */
  const slow = async (kib: number): Promise<string> => {
    const socket = connect(Number(port), "127.0.0.1");
    t.after(() => socket.destroy());
    const length = kib * KIB;
    const head = `POST /v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;
    socket.write(Buffer.concat([Buffer.from(head), bytes(kib).subarray(1)]));
    const [answer] = await once(socket, "data");
    return String(answer).split("\r\n", 1)[0]!;
  };
  equal(await slow(513), "HTTP/1.1 429 Too Many Requests");
  const event = { event_type: "view", anonymous_id: "a", timestamp: Date.now() };
  equal((await ask(node, "POST /v1/events", event)).status, 202);
});
