// Mutated WebSocket traffic against a whole node: messages that are nearly right, frames that are not, bytes after the
// upgrade that are no frames at all. Each connection must go on or be closed; the node must go on.
import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import fc from "fast-check";
import { silent, startNode, type TestNode } from "../http/testing.ts";
import { MESSAGE_BYTES_MAX } from "./socket.ts";

export interface SocketFuzzReport {
  connections: number;
  /** Messages and mutated frames sent. */
  messages: number;
  /** Answers by their type, and connections that were closed, by code. */
  answers: Record<string, number>;
  /** The longest that the node's thread worked for one connection, CPU ms (the sender's share included). */
  workMsMax: number;
}

const WAIT_MS = 5_000;
/** How long a connection waits for answers before it closes. */
const ANSWERS_MS = 5;
const FRAMES_MAX = 12;
const EVENT = { event_id: "e1", anonymous_id: "a1", event_type: "view", timestamp: Date.now(), item_id: "i1" };
const MESSAGES: readonly Record<string, unknown>[] = [
  { id: "1", subscribe: { anonymous_id: "a1", placements: ["home"] } },
  { id: "2", subscribe: { user_id: "u1", placements: ["home", "none"], limit: 5, explain: true } },
  { id: "3", unsubscribe: true },
  { id: "4", type: "events", events: [EVENT] },
  { id: "5", events: [EVENT, { ...EVENT, event_id: "e2", user_id: "u1" }] },
  { auth: { key: "pk_unknown" } },
];

interface Frame {
  opcode: number;
  payload: Buffer;
  isMasked: boolean;
  isFinal: boolean;
  /** What the header says of the length where it does not tell the truth. */
  saysLength?: number;
  reserved: number;
}

const CLOSE: Frame = { opcode: 8, payload: Buffer.from([3, 232]), isMasked: true, isFinal: true, reserved: 0 };

/** Opens `runs` connections. Throws fast-check's report, with the seed and the smallest traffic that breaks the rule. */
export async function fuzzSockets(options: { runs: number; seed: number }): Promise<SocketFuzzReport> {
  const node = await startNode({ logger: silent });
  const report: SocketFuzzReport = { connections: 0, messages: 0, answers: {}, workMsMax: 0 };
  try {
    const property = fc.asyncProperty(fc.array(frame(), { minLength: 1, maxLength: FRAMES_MAX }), async (frames) => {
      const before = process.threadCpuUsage();
      const said = await traffic(node, frames);
      const { user, system } = process.threadCpuUsage(before);
      report.workMsMax = Math.max(report.workMsMax, (user + system) / 1_000);
      report.connections++;
      report.messages += frames.length;
      for (const answer of said) report.answers[answer] = (report.answers[answer] ?? 0) + 1;
    });
    await fc.assert(property, { numRuns: options.runs, seed: options.seed });
    const { status } = await fetch(`${node.url}/readyz`);
    if (status !== 200) throw new Error("the node is not ready afterwards");
    return report;
  } finally {
    await node.close();
  }
}

function frame(): fc.Arbitrary<Frame> {
  const message = fc
    .tuple(fc.constantFrom(...MESSAGES), fc.dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 4 }), { maxKeys: 2 }))
    .map(([base, odd]) => Buffer.from(JSON.stringify({ ...base, ...odd })));
  const overridden = fc
    .tuple(fc.constantFrom(...MESSAGES), fc.constantFrom("type", "id", "events", "subscribe", "unsubscribe", "auth", "__proto__"), fc.jsonValue())
    .map(([base, name, odd]) => Buffer.from(JSON.stringify({ ...base, [name]: odd })));
  const deep = fc.nat({ max: 50_000 }).map((depth) => Buffer.from("[".repeat(depth)));
  const large = fc.constantFrom(MESSAGE_BYTES_MAX, MESSAGE_BYTES_MAX + 1).map((size) => Buffer.alloc(size, 0x20));
  const raw = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
  const payload = fc.oneof(
    { weight: 8, arbitrary: message },
    { weight: 6, arbitrary: overridden },
    { weight: 4, arbitrary: raw },
    { weight: 1, arbitrary: deep },
    { weight: 1, arbitrary: large },
  );
  const usually = <T>(usual: T, odd: fc.Arbitrary<T>): fc.Arbitrary<T> =>
    fc.oneof({ weight: 15, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: odd });
  return fc.record(
    {
      opcode: usually(1, fc.nat({ max: 15 })),
      payload,
      isMasked: usually(true, fc.constant(false)),
      isFinal: usually(true, fc.constant(false)),
      reserved: usually(0, fc.nat({ max: 7 })),
      saysLength: fc.oneof({ weight: 30, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.nat() }),
    },
    { noNullPrototype: true },
  ) as fc.Arbitrary<Frame>;
}

/** One connection that sends the frames, then closes; what it was told. */
function traffic(node: TestNode, frames: readonly Frame[]): Promise<string[]> {
  const { port, host } = new URL(node.url);
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    const socket = connect(Number(port), "127.0.0.1");
    const timer = setTimeout(() => reject(new Error("the connection neither goes on nor ends")), WAIT_MS);
    let pending: Buffer = Buffer.alloc(0);
    let isUpgraded = false;
    socket.write(
      `GET /v1/live HTTP/1.1\r\nhost: ${host}\r\nconnection: upgrade\r\nupgrade: websocket\r\n` +
        `sec-websocket-version: 13\r\nsec-websocket-key: ${randomBytes(16).toString("base64")}\r\n\r\n`,
    );
    socket.on("data", (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      if (!isUpgraded) {
        const end = pending.indexOf("\r\n\r\n");
        if (end < 0) return;
        if (!pending.toString("latin1", 0, 12).endsWith("101")) return reject(new Error(pending.toString("latin1", 0, end)));
        isUpgraded = true;
        pending = pending.subarray(end + 4);
        for (const one of frames) socket.write(bytesOf(one));
        setTimeout(() => socket.end(bytesOf(CLOSE)), ANSWERS_MS);
      }
      pending = takeFrames(pending, (opcode, payload) => said.push(wordOf(opcode, payload)));
    });
    socket.on("error", () => {}); // reset by the node: `close` follows
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(said);
    });
    timer.unref();
  });
}

function wordOf(opcode: number, payload: Buffer): string {
  if (opcode === 8) return `closed with ${payload.length >= 2 ? payload.readUInt16BE(0) : "no code"}`;
  if (opcode !== 1) return `opcode ${opcode}`;
  return String((JSON.parse(payload.toString("utf8")) as { type: unknown }).type);
}

/** Calls `onFrame` for each whole frame of the node's, which are not masked; returns what is left. */
function takeFrames(bytes: Buffer, onFrame: (opcode: number, payload: Buffer) => void): Buffer {
  while (bytes.length >= 2) {
    const short = bytes[1]! & 0x7f;
    const start = short === 127 ? 10 : short === 126 ? 4 : 2;
    if (bytes.length < start) return bytes;
    const length = short === 127 ? Number(bytes.readBigUInt64BE(2)) : short === 126 ? bytes.readUInt16BE(2) : short;
    if (bytes.length < start + length) return bytes;
    onFrame(bytes[0]! & 0x0f, bytes.subarray(start, start + length));
    bytes = bytes.subarray(start + length);
  }
  return bytes;
}

function bytesOf({ opcode, payload, isMasked, isFinal, reserved, saysLength }: Frame): Buffer {
  const length = saysLength ?? payload.length;
  const first = (isFinal ? 0x80 : 0) | (reserved << 4) | opcode;
  const mask = isMasked ? 0x80 : 0;
  const header =
    length < 126
      ? Buffer.from([first, mask | length])
      : length < 65_536
        ? Buffer.from([first, mask | 126, length >> 8, length & 0xff])
        : Buffer.concat([Buffer.from([first, mask | 127, 0, 0, 0, 0]), Buffer.from(new Uint32Array([length]).buffer).reverse()]);
  if (!isMasked) return Buffer.concat([header, payload]);
  const key = Buffer.from([1, 2, 3, 4]);
  return Buffer.concat([header, key, payload.map((byte, at) => byte ^ key[at & 3]!)]);
}
