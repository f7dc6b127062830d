package attune.flink;

import java.nio.ByteBuffer;

/** A record on hold, as bytes of a version of their own: savepoints outlive classes. */
final class Held {
  private static final byte VERSION = 1;
  private static final int SIZE = 39;

  private Held() {}

  static byte[] write(LogRecord record) {
    ByteBuffer to = ByteBuffer.allocate(SIZE + record.value.length);
    to.put(VERSION).putInt(record.project).putInt(record.topic).putInt(record.partition).putLong(record.offset);
    to.put(record.kind).put(record.flags).putLong(record.atMs).putLong(record.id).put(record.value);
    return to.array();
  }

  static LogRecord read(byte[] bytes, String key) {
    ByteBuffer from = ByteBuffer.wrap(bytes);
    byte version = from.get();
    if (version != VERSION)
      throw new IllegalStateException("held record " + version + ", this release reads " + VERSION);
    LogRecord record = new LogRecord();
    record.key = key;
    record.project = from.getInt();
    record.topic = from.getInt();
    record.partition = from.getInt();
    record.offset = from.getLong();
    record.kind = from.get();
    record.flags = from.get();
    record.atMs = from.getLong();
    record.id = from.getLong();
    record.value = new byte[from.remaining()];
    from.get(record.value);
    return record;
  }
}
