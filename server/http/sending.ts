// Answers that are made and not read yet. Whoever asks many times over one connection, without waiting (HTTP pipelining) and without
// reading, has the answers held: of one connection they are bounded, and so are those of all together.
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Requests of one connection that are worked on at a time. */
export const IN_WORK_MAX = 32;
/** A connection that has so much unread has nothing more answered until it reads. */
export const UNREAD_BYTES_MAX = 256 * 1024;

export interface Sending {
  readonly heldBytes: number;
  /** The turn of a connection's next request; undefined: now. Where the connection ends first, it never comes. */
  begin(socket: Socket): Promise<void> | undefined;
  /** To be called once for each that began, when its answer was handed over. */
  answered(socket: Socket, response: ServerResponse, sizeBytes: number): void;
}

interface Line {
  inWork: number;
  unreadBytes: number;
  readonly waiting: (() => void)[];
}

/** @param bytesMax - of all answers that are not read; beyond it the connection that has read nothing for the longest time is cut. */
export function createSending(bytesMax: number): Sending {
  const lines = new WeakMap<Socket, Line>();
  /** Those with something unread; who has just read is the last. */
  const unread = new Map<Socket, Line>();
  let heldBytes = 0;

  function lineOf(socket: Socket): Line {
    let line = lines.get(socket);
    if (line === undefined) {
      const begun: Line = { inWork: 0, unreadBytes: 0, waiting: [] };
      lines.set(socket, (line = begun));
      socket.once("close", () => {
        begun.waiting.length = 0;
        read(socket, begun, begun.unreadBytes);
      });
    }
    return line;
  }

  const isFree = (line: Line): boolean => line.inWork < IN_WORK_MAX && line.unreadBytes < UNREAD_BYTES_MAX;

  /** One, because what it will be answered counts only then: each that goes on brings the next. */
  function goOn(line: Line): void {
    if (line.waiting.length === 0 || !isFree(line)) return;
    line.inWork++;
    line.waiting.shift()!();
  }

  function read(socket: Socket, line: Line, sizeBytes: number): void {
    heldBytes -= sizeBytes;
    line.unreadBytes -= sizeBytes;
    unread.delete(socket);
    if (line.unreadBytes > 0) unread.set(socket, line);
    goOn(line);
  }

  function hold(socket: Socket, line: Line, response: ServerResponse, sizeBytes: number): void {
    heldBytes += sizeBytes;
    line.unreadBytes += sizeBytes;
    if (!unread.has(socket)) unread.set(socket, line);
    response.once("finish", () => {
      if (!socket.destroyed) read(socket, line, sizeBytes);
    });
    while (heldBytes > bytesMax && unread.size > 1) {
      const [oldest, held] = unread.entries().next().value!;
      held.waiting.length = 0;
      read(oldest, held, held.unreadBytes);
      oldest.destroy();
    }
  }

  return {
    get heldBytes() {
      return heldBytes;
    },
    begin(socket) {
      const line = lineOf(socket);
      if (line.waiting.length === 0 && isFree(line)) {
        line.inWork++;
        return undefined;
      }
      return new Promise((resolve) => line.waiting.push(resolve));
    },
    answered(socket, response, sizeBytes) {
      const line = lineOf(socket);
      line.inWork--;
      if (sizeBytes > 0 && !socket.destroyed && !response.writableFinished) hold(socket, line, response, sizeBytes);
      goOn(line);
    },
  };
}
