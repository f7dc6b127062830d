// Bytes in: the counterpart of writer.ts. Bytes come from disks and networks, so every read is bounded.

/** ASCII that becomes a string in one call: more arguments than this could overflow a small stack. */
const AT_ONCE_MAX = 1024;
const SHORT_MAX = 24;

/** Bytes that no writer of ours made: cut off, flipped, or of another format. The host rebuilds them from the log. */
export class CorruptBytesError extends Error {
  override readonly name = "CorruptBytesError";
  readonly code = "corrupt";
  /** Offset at which reading failed. */
  readonly offset: number;
  constructor(what: string, offset: number) {
    super(`corrupt bytes at offset ${offset}: ${what}; rebuild this value from the log`);
    this.offset = offset;
  }
}

/** Reads what a ByteWriter wrote, in the same order. Every method throws CorruptBytesError on bytes that cannot be it. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get offset(): number {
    return this.#at;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number {
    this.#need(1);
    return this.#bytes[this.#at++]!;
  }

  varint(): number {
    const bytes = this.#bytes;
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      if (this.#at >= bytes.length) throw this.corrupt("ends within a number");
      const byte = bytes[this.#at++]!;
      if (byte < 128) {
        value += byte * scale;
        if (value > Number.MAX_SAFE_INTEGER) throw this.corrupt("a number beyond 2^53");
        return value;
      }
      value += (byte & 0x7f) * scale;
      scale *= 128;
    }
    throw this.corrupt("a number of more than 8 bytes");
  }

  zigzag(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  uint32(): number {
    this.#need(4);
    this.#at += 4;
    return this.#view.getUint32(this.#at - 4, true);
  }

  float64(): number {
    this.#need(8);
    this.#at += 8;
    return this.#view.getFloat64(this.#at - 8, true);
  }

  number(): number {
    const value = this.varint();
    if (value === 1) return this.float64();
    if (value % 2 !== 0) throw this.corrupt("not a number");
    const whole = value / 2;
    return whole % 2 === 0 ? whole / 2 : -(whole + 1) / 2;
  }

  /** A count of things to come, each of which takes at least one byte; at most `max`. */
  count(max: number): number {
    const count = this.varint();
    if (count > max || count > this.left) throw this.corrupt(`a list of ${count} where at most ${max} fit`);
    return count;
  }

  string(): string {
    return this.text(this.varint());
  }

  /** Length, then the bytes: a view into what is read. */
  bytes(): Uint8Array {
    const length = this.varint();
    this.#need(length);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** UTF-8 of `length` bytes. */
  text(length: number): string {
    this.#need(length);
    const end = this.#at + length;
    let text = this.#plainText(end);
    while (this.#at < end) {
      text += this.#wideCharacter(this.#bytes[this.#at++]!, end);
      if (this.#at < end && this.#bytes[this.#at]! < 0x80) text += this.#plainText(end);
    }
    return text;
  }

  /** ASCII from here on, as far as it goes. */
  #plainText(end: number): string {
    if (end - this.#at <= SHORT_MAX) return this.#shortText(end);
    const bytes = this.#bytes;
    let text = "";
    for (;;) {
      const from = this.#at;
      const stop = Math.min(end, from + AT_ONCE_MAX);
      let plain = from;
      while (plain < stop && bytes[plain]! < 0x80) plain++;
      this.#at = plain;
      if (plain > from) text += String.fromCharCode.apply(null, bytes.subarray(from, plain) as unknown as number[]);
      if (plain === end || plain < stop) return text;
    }
  }

  /**
   * The same of few, as most texts are: four at a time take half as long as a view and a call with all of them. The rest in
   * one go, too: an engine looks up each text of two characters that comes of joining them.
   */
  #shortText(end: number): string {
    const bytes = this.#bytes;
    let text = "";
    let at = this.#at;
    for (; at + 4 <= end; at += 4) {
      const [a, b, c, d] = [bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!];
      if ((a | b | c | d) >= 0x80) break;
      text += String.fromCharCode(a, b, c, d);
    }
    if (end - at === 3 && (bytes[at]! | bytes[at + 1]! | bytes[at + 2]!) < 0x80) {
      text += String.fromCharCode(bytes[at]!, bytes[at + 1]!, bytes[at + 2]!);
      at += 3;
    } else if (end - at === 2 && (bytes[at]! | bytes[at + 1]!) < 0x80) {
      text += String.fromCharCode(bytes[at]!, bytes[at + 1]!);
      at += 2;
    }
    for (; at < end && bytes[at]! < 0x80; at++) text += String.fromCharCode(bytes[at]!);
    this.#at = at;
    return text;
  }

  /** Throws unless everything was read. */
  end(): void {
    if (this.left > 0) throw this.corrupt(`${this.left} bytes too many`);
  }

  corrupt(what: string): CorruptBytesError {
    return new CorruptBytesError(what, this.#at);
  }

  #wideCharacter(first: number, end: number): string {
    const more =
      first >= 0xf0 && first < 0xf5 ? 3 : first >= 0xe0 && first < 0xf0 ? 2 : first >= 0xc2 && first < 0xe0 ? 1 : 0;
    if (more === 0 || this.#at + more > end) throw this.corrupt("not UTF-8");
    let point = first & (0x3f >> more);
    for (let i = 0; i < more; i++) {
      const next = this.#bytes[this.#at++]!;
      if ((next & 0xc0) !== 0x80) throw this.corrupt("not UTF-8");
      point = (point << 6) | (next & 0x3f);
    }
    if (point > 0x10ffff || point < (more === 3 ? 0x10000 : more === 2 ? 0x800 : 0x80)) throw this.corrupt("not UTF-8");
    return String.fromCodePoint(point);
  }

  #need(count: number): void {
    if (count > this.left) throw this.corrupt(`${count} bytes expected, ${this.left} left`);
  }
}
