package attune.flink;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** The numbers and bytes of cluster/operator/frame.ts: varints of seven bits, little-endian. */
final class Frames {
  private static final int VARINT_BYTES_MAX = 10;

  private Frames() {}

  static void putVarint(ByteBuffer to, long value) {
    long rest = value;
    while (rest >= 128) {
      to.put((byte) (rest | 0x80));
      rest >>>= 7;
    }
    to.put((byte) rest);
  }

  static void putBytes(ByteBuffer to, byte[] bytes) {
    putVarint(to, bytes.length);
    to.put(bytes);
  }

  static long varint(ByteBuffer from) {
    long value = 0;
    for (int shift = 0; shift < 7 * VARINT_BYTES_MAX; shift += 7) {
      byte next = from.get();
      value |= (long) (next & 0x7f) << shift;
      if (next >= 0) return value;
    }
    throw new IllegalStateException("the operator's answer holds a number of more than 10 bytes");
  }

  static byte[] bytes(ByteBuffer from) {
    byte[] bytes = new byte[(int) varint(from)];
    from.get(bytes);
    return bytes;
  }

  static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
