import assert from "node:assert/strict";
import { test } from "node:test";
import { simulatedClock } from "../testing/simulation.ts";
import { createLive, type Connect, type ConnectionEvents, type LiveSubscription } from "./live.ts";

/** A network whose connections the test opens, feeds and cuts. */
function network() {
  const clock = simulatedClock(0);
  const opened: {
    kind: string;
    subscription: LiveSubscription;
    events: ConnectionEvents;
    sent: string[];
    closed: boolean;
  }[] = [];
  const connect =
    (kind: "websocket" | "sse"): Connect =>
    (subscription, events) => {
      const connection = { kind, subscription, events, sent: [] as string[], closed: false };
      opened.push(connection);
      return {
        ...(kind === "websocket" ? { send: (text: string) => void connection.sent.push(text) } : {}),
        close: () => void (connection.closed = true),
      };
    };
  const messages: string[] = [];
  const states: string[] = [];
  const live = createLive({
    clock,
    random: () => 1,
    socket: connect("websocket"),
    stream: connect("sse"),
    onMessage: ({ type }) => messages.push(type),
    onState: (state, transport) => states.push(`${state} ${transport}`),
  });
  return { clock, opened, messages, states, live };
}

test("subscribes when open, and again after each reconnect, with what is wanted by then", async () => {
  const { clock, opened, live, messages, states } = network();
  live.subscribe({ anonymous_id: "a", placements: ["home"] });
  opened[0]!.events.onOpen();
  assert.deepEqual(
    opened[0]!.sent.map((text) => JSON.parse(text)),
    [{ subscribe: { anonymous_id: "a", placements: ["home"] } }],
  );
  opened[0]!.events.onMessage('{"type":"profile"}');
  opened[0]!.events.onMessage("not json");
  live.subscribe({ user_id: "u", placements: ["home"] });
  assert.equal(opened[0]!.sent.length, 2);
  opened[0]!.events.onClose();
  assert.equal(opened.length, 1);
  await clock.advance(1_000);
  opened[1]!.events.onOpen();
  assert.deepEqual(
    opened[1]!.sent.map((text) => JSON.parse(text)),
    [{ subscribe: { user_id: "u", placements: ["home"] } }],
  );
  opened[0]!.events.onMessage('{"type":"late word of a dead connection"}');
  assert.deepEqual(messages, ["profile"]);
  assert.deepEqual(states, [
    "connecting websocket",
    "open websocket",
    "waiting websocket",
    "connecting websocket",
    "open websocket",
  ]);
});

test("two sockets that never open give way to a stream; after that the socket is tried again", async () => {
  const { clock, opened, live } = network();
  live.subscribe({ user_id: "u", placements: ["home"] });
  opened[0]!.events.onClose();
  await clock.advance(1_000);
  opened[1]!.events.onClose();
  await clock.advance(2_000);
  assert.deepEqual(
    opened.map(({ kind }) => kind),
    ["websocket", "websocket", "sse"],
  );
  opened[2]!.events.onOpen();
  live.subscribe({ user_id: "u", placements: ["home", "detail"] });
  assert.deepEqual(
    [opened[2]!.closed, opened[3]!.kind, opened[3]!.subscription.placements],
    [true, "sse", ["home", "detail"]],
  );
  opened[3]!.events.onClose();
  await clock.advance(60_000);
  assert.equal(opened[4]!.kind, "websocket");
});

test("sleep closes without a retry, wake connects at once, stop ends it", async () => {
  const { clock, opened, live } = network();
  live.subscribe({ user_id: "u", placements: [] });
  opened[0]!.events.onOpen();
  live.sleep();
  await clock.advance(600_000);
  assert.deepEqual([opened.length, opened[0]!.closed], [1, true]);
  live.wake();
  assert.equal(opened.length, 2);
  live.stop();
  live.wake();
  await clock.advance(600_000);
  assert.deepEqual([opened.length, opened[1]!.closed], [2, true]);
});
