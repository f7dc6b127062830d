package attune.flink;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** One key's turn: operations in, what came of them out. */
final class Turn {
  static final byte RECORD = 1;
  static final byte HANDOVER = 2;
  static final byte TIME = 3;
  static final byte WAITED = 4;

  /** A turn of its own. Its result: an empty state where the key is to be forgotten, null where he has begun anew. */
  static final byte ERASE = 5;

  static final byte PROFILES = 1;
  static final byte STEPS = 2;
  static final byte TO_USER = 3;
  static final byte ANSWER = 4;
  static final byte EVENTS = 5;
  static final byte OUTCOMES = 6;

  /** Beyond what numbers and lengths take. */
  private static final int ROOM_BYTES = 64;

  record Operation(byte kind, long atMs, byte[] value) {}

  /** {@code atMs}: log time of the operation that it came of. */
  record Message(byte channel, long atMs, byte[] key, byte[] value) {}

  /**
   * {@code state} is null where it is as it was, and empty where the key is forgotten; {@code dueMs} and {@code expiresMs} are
   * Long.MAX_VALUE where nothing falls due.
   */
  record Result(int done, byte[] state, long dueMs, long expiresMs, List<Message> messages) {
    boolean isForgotten() {
      return state != null && state.length == 0;
    }
  }

  final int project;
  final byte[] key;
  final byte[] state;
  final List<Operation> operations;

  Turn(int project, byte[] key, byte[] state, List<Operation> operations) {
    this.project = project;
    this.key = key;
    this.state = state;
    this.operations = operations;
  }

  int sizeBytes() {
    int size = ROOM_BYTES + key.length + state.length;
    for (Operation operation : operations) size += ROOM_BYTES + operation.value.length;
    return size;
  }

  void write(ByteBuffer to) {
    Frames.putVarint(to, project);
    Frames.putBytes(to, key);
    Frames.putBytes(to, state);
    Frames.putVarint(to, operations.size());
    for (Operation operation : operations) {
      to.put(operation.kind);
      Frames.putVarint(to, operation.atMs);
      Frames.putBytes(to, operation.value);
    }
  }

  Result read(ByteBuffer from) {
    int done = (int) Frames.varint(from);
    boolean isNew = from.get() == 1;
    byte[] state = Frames.bytes(from);
    long dueMs = time(from);
    long expiresMs = time(from);
    int count = (int) Frames.varint(from);
    List<Message> messages = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      byte channel = from.get();
      // The last look of a turn, at what is to be published, comes after its operations.
      int operation = Math.min((int) Frames.varint(from), operations.size() - 1);
      messages.add(new Message(channel, operations.get(operation).atMs, Frames.bytes(from), Frames.bytes(from)));
    }
    return new Result(done, isNew ? state : null, dueMs, expiresMs, messages);
  }

  private static long time(ByteBuffer from) {
    double time = from.getDouble();
    return time >= Long.MAX_VALUE ? Long.MAX_VALUE : (long) Math.ceil(time);
  }
}
