// What is read of calls before their messages are whole. The library unpacks and holds it before anybody asks for a key, so it is
// bounded here: the bytes of all messages that are not whole yet, how many messages one piece of a stream may begin, and for how
// long a call that takes one message may wait for it.
import { constants, type ServerHttp2Stream } from "node:http2";
import type { ServerInterceptor } from "@grpc/grpc-js";

/** Of all calls together; a message has a megabyte at most. Beyond it the call that has been at its message longest is cut. */
const UNFINISHED_BYTES_MAX = 128 * 1024 * 1024;
/**
 * Packed messages in one piece (16 kB) of a client's stream: each is given to zlib at once, and five bytes are enough for one.
 * Batches of a hundred bytes packed come to 160.
 */
const PACKED_A_PIECE_MAX = 256;

/** As long as a request by HTTP/1.1 has. */
const MESSAGE_WITHIN_MS = 30_000;

/** What the library has of a call, and names nowhere: grpc.test.ts holds it. */
interface ReadCall {
  /** Takes what comes; gives messages that are whole, five bytes of head before each. What it throws is answered as RESOURCE_EXHAUSTED. */
  decoder: { write(piece: Buffer): Buffer[] };
  readonly stream: ServerHttp2Stream;
}

export interface ReadingLimits {
  /** Of messages that are not whole yet, of all calls together. Default 128 MiB. */
  readonly unfinishedBytesMax?: number | undefined;
  /** From when a call begins until its one message is whole; then it is cut. Default 30 s. */
  readonly messageWithinMs?: number | undefined;
}

/** To be the first of a server's interceptors. */
export function boundedReading(limits: ReadingLimits = {}): { interceptor: ServerInterceptor; stop(): void } {
  const { unfinishedBytesMax = UNFINISHED_BYTES_MAX, messageWithinMs = MESSAGE_WITHIN_MS } = limits;
  /** Calls without their message, with the time (`performance.now`) at which they began, in that order. */
  const waiting = new Map<ReadCall, number>();
  /** Bytes by call, the one that has been at its message longest first. */
  const unfinished = new Map<ReadCall, number>();
  let bytes = 0;

  const finish = (call: ReadCall): void => {
    bytes -= unfinished.get(call) ?? 0;
    unfinished.delete(call);
  };
  const hold = (call: ReadCall, more: number): void => {
    unfinished.set(call, (unfinished.get(call) ?? 0) + more);
    bytes += more;
    for (const [oldest] of unfinished) {
      if (bytes <= unfinishedBytesMax) return;
      finish(oldest);
      oldest.stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    }
  };

  const cutLate = (): void => {
    const beganBeforeMs = performance.now() - messageWithinMs;
    for (const [call, beganMs] of waiting) {
      if (beganMs > beganBeforeMs) return;
      waiting.delete(call);
      call.stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    }
  };
  const timer = setInterval(cutLate, Math.ceil(messageWithinMs / 4)).unref();

  const interceptor: ServerInterceptor = ({ requestStream }, intercepting) => {
    const call = intercepting as unknown as ReadCall;
    const { decoder } = call;
    let messages = 0;
    call.decoder = {
      write(piece) {
        if (call.stream.closed) return []; // cut, with pieces of it still on their way
        const whole = decoder.write(piece);
        messages += whole.length;
        if (messages > 0) waiting.delete(call);
        if (!requestStream && messages > 1) throw new Error("The method takes one message.");
        if (whole.reduce((packed, message) => packed + message[0]!, 0) > PACKED_A_PIECE_MAX) {
          throw new Error("Too many small messages, each packed by itself: put events into batches.");
        }
        const begun = unfinished.get(call) ?? 0;
        const left = begun + piece.length - whole.reduce((sum, message) => sum + message.length, 0);
        if (whole.length > 0) finish(call);
        if (left > 0) hold(call, whole.length > 0 ? left : piece.length);
        return whole;
      },
    };
    if (!requestStream) waiting.set(call, performance.now());
    call.stream.once("close", () => {
      finish(call);
      waiting.delete(call);
    });
    return intercepting as ReturnType<ServerInterceptor>;
  };
  return { interceptor, stop: () => clearInterval(timer) };
}
