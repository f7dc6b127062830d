// The CEL library makes a TextEncoder and a TextDecoder and names Date when it is loaded. Bare V8 (Javet) has no codecs,
// and a host may have taken the clock away, so what is missing is put there first; everywhere else this does nothing.

class Utf8Encoder {
  encode(text = ""): Uint8Array {
    const bytes: number[] = [];
    for (const character of text) {
      const code = character.codePointAt(0)!;
      // A lone surrogate becomes U+FFFD, as the platform's encoder does.
      const point = code >= 0xd800 && code <= 0xdfff ? 0xfffd : code;
      if (point < 0x80) bytes.push(point);
      else if (point < 0x800) bytes.push(0xc0 | (point >> 6), 0x80 | (point & 0x3f));
      else if (point < 0x10000) bytes.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f));
      else {
        bytes.push(0xf0 | (point >> 18), 0x80 | ((point >> 12) & 0x3f));
        bytes.push(0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f));
      }
    }
    return Uint8Array.from(bytes);
  }
}

class Utf8Decoder {
  /** Decodes valid UTF-8; rules have no bytes values, so nothing else ever gets here. */
  decode(bytes: Uint8Array = new Uint8Array()): string {
    let text = "";
    for (let i = 0; i < bytes.length;) {
      const lead = bytes[i++]!;
      const more = lead < 0x80 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
      let point = more === 0 ? lead : lead & (0x3f >> more);
      for (let k = 0; k < more; k++) point = (point << 6) | (bytes[i++]! & 0x3f);
      text += String.fromCodePoint(point);
    }
    return text;
  }
}

const host = globalThis as Record<string, unknown>;
host["TextEncoder"] ??= Utf8Encoder;
host["TextDecoder"] ??= Utf8Decoder;
// Only a type to the library, and one that no rule can have a value of: expressions with timestamps are refused.
host["Date"] ??= class NoClock {};

export { Utf8Decoder, Utf8Encoder };
