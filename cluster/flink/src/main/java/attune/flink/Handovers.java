package attune.flink;

import java.nio.ByteBuffer;
import java.util.Iterator;

/** A value of `handover`: version, the operator's part with its length, and the event ids that the key knows. */
final class Handovers {
  private static final byte VERSION = 1;
  private static final int HEAD_BYTES = 5;

  /** Ids that go along: of more, any. An anonymous visitor with more events in eight days is none. */
  static final int IDS_MAX = 16_384;

  record Handover(byte[] value, long[] ids) {}

  private Handovers() {}

  static byte[] write(byte[] value, Iterator<Long> ids) {
    long[] taken = new long[IDS_MAX];
    int count = 0;
    while (ids.hasNext() && count < IDS_MAX) taken[count++] = ids.next();
    ByteBuffer to = ByteBuffer.allocate(HEAD_BYTES + value.length + Long.BYTES * count);
    to.put(VERSION).putInt(value.length).put(value);
    for (int i = 0; i < count; i++) to.putLong(taken[i]);
    return to.array();
  }

  static Handover read(byte[] bytes) {
    ByteBuffer from = ByteBuffer.wrap(bytes);
    byte version = from.get();
    if (version != VERSION) throw new IllegalStateException("handover " + version + ", this release reads " + VERSION);
    byte[] value = new byte[from.getInt()];
    from.get(value);
    long[] ids = new long[Math.min(IDS_MAX, from.remaining() / Long.BYTES)];
    for (int i = 0; i < ids.length; i++) ids[i] = from.getLong();
    return new Handover(value, ids);
  }
}
