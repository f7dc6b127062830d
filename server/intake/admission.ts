// Admission by bytes: work that waits for the log is bounded, whatever the number of senders.
import { Problem } from "../http/problem.ts";

export interface Admission {
  readonly waitingBytes: number;
  /** @throws Problem (overloaded, 429) when the queue has no room for so much. */
  check(sizeBytes: number): void;
  /** Returns how to leave the queue. @throws as `check` does. */
  enter(sizeBytes: number): () => void;
}

export function admission(options: { bytesMax: number }): Admission {
  let waitingBytes = 0;
  const check = (sizeBytes: number): void => {
    // An empty queue takes any body, so that one larger than the queue is not refused for ever.
    if (waitingBytes > 0 && waitingBytes + sizeBytes > options.bytesMax) {
      throw overloaded();
    }
  };
  return {
    get waitingBytes() {
      return waitingBytes;
    },
    check,
    enter(sizeBytes) {
      check(sizeBytes);
      waitingBytes += sizeBytes;
      return () => {
        waitingBytes -= sizeBytes;
      };
    },
  };
}

export function overloaded(): Problem {
  return new Problem("overloaded", "Too many events wait for the log; send again later.", { retryAfterS: 1 });
}
