package attune.flink;

import java.nio.ByteBuffer;

/**
 * What the JVM keeps before the operator's bytes of one key: version, the timer that is registered, when something falls
 * due, and how much is on hold. One value, so that a record costs one read and one write.
 */
final class KeyHead {
  private static final byte VERSION = 1;
  private static final int SIZE = 25;
  private static final byte[] NOTHING = new byte[0];

  long registeredMs = Long.MAX_VALUE;
  long dueMs = Long.MAX_VALUE;
  int heldRecords;
  int heldBytes;

  /** The operator's; empty for a new key. */
  byte[] state = NOTHING;

  static KeyHead read(byte[] bytes) {
    KeyHead head = new KeyHead();
    if (bytes == null) return head;
    ByteBuffer from = ByteBuffer.wrap(bytes);
    byte version = from.get();
    if (version != VERSION) throw new IllegalStateException("key state " + version + ", this release reads " + VERSION);
    head.registeredMs = from.getLong();
    head.dueMs = from.getLong();
    head.heldRecords = from.getInt();
    head.heldBytes = from.getInt();
    head.state = new byte[from.remaining()];
    from.get(head.state);
    return head;
  }

  byte[] write() {
    ByteBuffer to = ByteBuffer.allocate(SIZE + state.length);
    to.put(VERSION).putLong(registeredMs).putLong(dueMs).putInt(heldRecords).putInt(heldBytes).put(state);
    return to.array();
  }
}
