package attune.flink;

/** A record for Kafka. */
public final class Output {
  public String topic;
  public byte[] key;
  public byte[] value;

  /** The log time that it is of, Unix ms; {@link #WHEN_WRITTEN} leaves it to whoever writes it. */
  public long atMs = WHEN_WRITTEN;

  static final long WHEN_WRITTEN = -1;

  public Output() {}

  Output(String topic, byte[] key, byte[] value) {
    this.topic = topic;
    this.key = key;
    this.value = value;
  }

  /** Nothing is left under the key of what was there by log time {@code atMs}. */
  static Output tombstone(String topic, byte[] key, long atMs) {
    Output output = new Output(topic, key, null);
    output.atMs = atMs;
    return output;
  }
}
