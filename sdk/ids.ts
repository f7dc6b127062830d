// Random ids from the browser's generator.

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** 128 random bits, 32 hex digits. */
export function randomId(): string {
  return hex(crypto.getRandomValues(new Uint8Array(16)));
}

const COUNTER_MAX = 0xfff;

/**
 * Makes event ids: UUIDv7 (RFC 9562), so they sort by time; those of one page sort in the order they were made, within
 * the same millisecond too (a counter stands in `rand_a`, section 6.2, method 1) and when the clock is set back.
 */
export function eventIds(): (nowMs: number) => string {
  let lastMs = 0;
  let counter = 0;
  return (nowMs) => {
    if (nowMs > lastMs) {
      lastMs = nowMs;
      counter = 0;
    } else if (++counter > COUNTER_MAX) {
      lastMs++;
      counter = 0;
    }
    const time = lastMs.toString(16).padStart(12, "0");
    const random = crypto.getRandomValues(new Uint8Array(8));
    random[0] = (random[0]! & 0x3f) | 0x80;
    const tail = hex(random);
    return `${time.slice(0, 8)}-${time.slice(8)}-7${counter.toString(16).padStart(3, "0")}-${tail.slice(0, 4)}-${tail.slice(4)}`;
  };
}
