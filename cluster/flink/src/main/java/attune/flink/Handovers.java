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

  /** What is none (somebody else wrote to the topic), or is of a later release, is a failure of this record alone. */
  static Handover read(byte[] bytes) throws OperatorFailure {
    ByteBuffer from = ByteBuffer.wrap(bytes);
    if (bytes.length < HEAD_BYTES) throw none(bytes.length + " bytes");
    byte version = from.get();
    if (version != VERSION) throw none("version " + version + ", this release reads " + VERSION);
    int length = from.getInt();
    if (length < 0 || length > from.remaining()) throw none(length + " bytes in " + bytes.length);
    byte[] value = new byte[length];
    from.get(value);
    long[] ids = new long[Math.min(IDS_MAX, from.remaining() / Long.BYTES)];
    for (int i = 0; i < ids.length; i++) ids[i] = from.getLong();
    return new Handover(value, ids);
  }

  private static OperatorFailure none(String found) {
    return new OperatorFailure(OperatorFailure.Reason.THREW, "no handover: " + found, null);
  }
}
