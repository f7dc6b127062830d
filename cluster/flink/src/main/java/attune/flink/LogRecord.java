package attune.flink;

/** One record on its way to its key: what cluster/wire/record.ts lays out in its head, and the rest as it came. */
public final class LogRecord {
  static final byte EVENT = 1;
  static final byte ATTRIBUTES = 2;
  static final byte TICK = 4;

  /** Not of the log: a handover of another key. */
  static final byte HANDOVER = 100;

  static final byte MARKED = 1;

  /** Place in the list of projects. */
  public int project;

  /** Place in the list of the log's topics; meaningless for a handover. */
  public int topic;

  public int partition;
  public long offset;
  public byte kind;
  public byte flags;

  /** Log time, Unix ms. */
  public long atMs;

  /** Fingerprint of its id; 0: never a duplicate. */
  public long id;

  public String key;
  public byte[] value;

  /** What state is kept by: the project and the person's key. */
  String stateKey() {
    return stateKey(project, key);
  }

  static String stateKey(int project, String key) {
    return project + " " + key;
  }

  /** Neither a link nor a handover: nothing but the person's own. */
  boolean isPlain() {
    return kind == EVENT || kind == ATTRIBUTES;
  }

  boolean isMarked() {
    return (flags & MARKED) != 0;
  }
}
