// Bodies while they arrive. Whoever sends slowly has his bytes held before anybody knows who he is: all of them together are bounded.
import type { Readable } from "node:stream";
import { overloaded } from "../intake/admission.ts";
import { BODY_BYTES_MAX } from "./body.ts";
import { Problem } from "./problem.ts";

/** A body so small is taken however much is held: slow senders of large ones must not keep out everybody's events. */
const SMALL_BYTES_MAX = 16 * 1024;

export interface Receiver {
  readonly heldBytes: number;
  /** The whole body, a copy. Rejects with a Problem (body_too_large, overloaded, bad_request) or with the stream's own error. */
  receive(payload: Readable, declaredBytes: number): Promise<Buffer>;
}

/** @param bytesMax - of all bodies that are not there yet as a whole. */
export function createReceiver(bytesMax: number): Receiver {
  let heldBytes = 0;

  return {
    get heldBytes() {
      return heldBytes;
    },
    receive(payload, declaredBytes) {
      return new Promise((resolve, reject) => {
        if (declaredBytes > BODY_BYTES_MAX) return reject(tooLarge());
        const chunks: Buffer[] = [];
        let size = 0;
        const leave = (): void => {
          heldBytes -= size;
          payload.off("data", take).off("end", finish).off("error", fail).off("close", fail);
        };
        const fail = (error?: Error): void => {
          leave();
          reject(error ?? new Problem("bad_request", "The request ended early."));
        };
        const take = (chunk: Buffer): void => {
          size += chunk.length;
          heldBytes += chunk.length;
          if (size > BODY_BYTES_MAX) fail(tooLarge());
          else if (heldBytes > bytesMax && size > SMALL_BYTES_MAX) fail(overloaded());
          else chunks.push(chunk);
        };
        const finish = (): void => {
          const received = size;
          leave();
          if (!Number.isNaN(declaredBytes) && received !== declaredBytes) {
            return reject(new Problem("bad_request", "The body does not have the length that its header says."));
          }
          resolve(Buffer.concat(chunks, received));
        };
        payload.on("data", take).on("end", finish).on("error", fail).on("close", fail);
      });
    },
  };
}

function tooLarge(): Problem {
  return new Problem("body_too_large", `A body may have at most ${BODY_BYTES_MAX} bytes.`);
}
