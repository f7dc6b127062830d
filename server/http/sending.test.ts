// Answers that nobody reads: how much of them is held.
import { deepEqual, equal, ok } from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import type { ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { test } from "node:test";
import { createSending, IN_WORK_MAX, UNREAD_BYTES_MAX } from "./sending.ts";
import { startNode } from "./testing.ts";

/** As much of a connection and of an answer as is looked at. */
class Line extends EventEmitter {
  destroyed = false;
  destroy(): void {
    this.destroyed = true;
    this.emit("close");
  }
}
const socket = (): Socket & Line => new Line() as unknown as Socket & Line;
const answer = (writableFinished = false): ServerResponse => Object.assign(new EventEmitter(), { writableFinished }) as unknown as ServerResponse;

test("of one connection so many requests are worked on, and none while so much is unread; what waits goes on in its order", async () => {
  const sending = createSending(1e9);
  const line = socket();
  const begun: number[] = [];
  const ask = (n: number): void => {
    const turn = sending.begin(line);
    if (turn === undefined) begun.push(n);
    else void turn.then(() => begun.push(n));
  };
  for (let n = 0; n < IN_WORK_MAX + 3; n++) ask(n);
  equal(begun.length, IN_WORK_MAX);
  sending.answered(line, answer(true), 100);
  await setImmediate();
  deepEqual([begun.at(-1), sending.heldBytes], [IN_WORK_MAX, 0], "read at once: the next");
  const large = answer();
  sending.answered(line, large, UNREAD_BYTES_MAX);
  sending.answered(line, answer(true), 100);
  await setImmediate();
  deepEqual([begun.length, sending.heldBytes], [IN_WORK_MAX + 1, UNREAD_BYTES_MAX], "unread: none");
  large.emit("finish");
  await setImmediate();
  deepEqual([begun.at(-1), sending.heldBytes], [IN_WORK_MAX + 1, 0], "read: one, as nobody knows yet how much it will be");
  sending.answered(line, answer(true), 100);
  await setImmediate();
  equal(begun.at(-1), IN_WORK_MAX + 2);
});

test("beyond what may be held of all, the connection that has read nothing for the longest time is cut, and held no more", () => {
  const sending = createSending(100);
  const [first, second, third] = [socket(), socket(), socket()];
  const [of1, of2] = [answer(), answer()];
  for (const line of [first, first, second, third]) equal(sending.begin(line), undefined);
  sending.answered(first, of1, 40);
  sending.answered(second, of2, 50);
  sending.answered(first, answer(), 10);
  equal(sending.heldBytes, 100);
  of1.emit("finish"); // the first has read: now the second has not for longest
  sending.answered(third, answer(), 41);
  deepEqual([first.destroyed, second.destroyed, third.destroyed, sending.heldBytes], [false, true, false, 51]);
  of2.emit("finish");
  equal(sending.heldBytes, 51, "what was let go of is not let go of again");
  first.destroy();
  third.destroy();
  equal(sending.heldBytes, 0);
});

test("a node that is asked many times over one connection, and not read, answers what is read", async (t) => {
  const node = await startNode();
  t.after(() => node.close());
  const line = connect(Number(new URL(node.url).port), "127.0.0.1");
  t.after(() => line.destroy());
  line.pause();
  const asked = 600; // Of 240 kB each: more than any kernel takes for a reader.
  const answered = async (): Promise<number> => {
    const text = await (await fetch(`${node.url}/metrics`)).text();
    return Number(/^attune_duration_seconds_count\{route="GET \/docs\/openapi.json"\} (\d+)$/m.exec(text)?.[1] ?? 0);
  };
  line.write("GET /docs/openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(asked));
  // Others are served meanwhile, and after a while nothing moves any more.
  let unread = 0;
  for (let before = -1; unread !== before || unread === 0; unread = await answered()) before = unread;
  ok(unread < asked / 2, `${unread} answers were made`);
  let read = 0;
  line.on("data", (chunk: Buffer) => (read += chunk.toString("latin1").split("HTTP/1.1 200").length - 1));
  line.resume();
  while ((await answered()) < asked) await setImmediate();
  line.end();
  await once(line, "end");
  ok(read >= asked - 50, `${read}: but for those that are torn between two pieces`);
});
