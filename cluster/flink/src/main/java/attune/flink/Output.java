package attune.flink;

/** A record for Kafka. */
public final class Output {
  public String topic;
  public byte[] key;
  public byte[] value;

  public Output() {}

  Output(String topic, byte[] key, byte[] value) {
    this.topic = topic;
    this.key = key;
    this.value = value;
  }
}
