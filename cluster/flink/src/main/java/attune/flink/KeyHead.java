package attune.flink;

import java.nio.ByteBuffer;

/**
 * What the JVM keeps before the operator's bytes of one key: version, the timer that is registered, when something falls
 * due, the timer that looks whether he is to be forgotten (from version 2 on), and how much is on hold. One value, so that
 * a record costs one read and one write.
 */
final class KeyHead {
  private static final byte VERSION = 2;
  private static final byte WITHOUT_EXPIRY = 1;
  private static final int SIZE = 33;
  private static final byte[] NOTHING = new byte[0];

  long registeredMs = Long.MAX_VALUE;
  long dueMs = Long.MAX_VALUE;
  long expiryRegisteredMs = Long.MAX_VALUE;
  int heldRecords;
  int heldBytes;

  /** The operator's; empty for a new key. */
  byte[] state = NOTHING;

  static KeyHead read(byte[] bytes) {
    KeyHead head = new KeyHead();
    if (bytes == null) return head;
    ByteBuffer from = ByteBuffer.wrap(bytes);
    byte version = from.get();
    if (version != VERSION && version != WITHOUT_EXPIRY)
      throw new IllegalStateException("key state " + version + ", this release reads up to " + VERSION);
    head.registeredMs = from.getLong();
    head.dueMs = from.getLong();
    if (version != WITHOUT_EXPIRY) head.expiryRegisteredMs = from.getLong();
    head.heldRecords = from.getInt();
    head.heldBytes = from.getInt();
    head.state = new byte[from.remaining()];
    from.get(head.state);
    return head;
  }

  byte[] write() {
    ByteBuffer to = ByteBuffer.allocate(SIZE + state.length);
    to.put(VERSION).putLong(registeredMs).putLong(dueMs).putLong(expiryRegisteredMs);
    to.putInt(heldRecords).putInt(heldBytes).put(state);
    return to.array();
  }

  /** Nothing is known of the key: it need not be kept. */
  boolean isEmpty() {
    return state.length == 0 && heldRecords == 0;
  }
}
