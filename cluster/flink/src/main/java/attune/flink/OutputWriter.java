package attune.flink;

import java.util.Set;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.utils.Utils;

/**
 * An output goes to the topic that it names, placed by its key as Kafka's own partitioner does, whether or not its records have
 * keys of their own there.
 */
final class OutputWriter implements KafkaRecordSerializationSchema<Output> {
  private final int partitionsMax;
  private final Set<String> ownKeys;

  /** @param ownKeys topics whose records have keys of their own */
  OutputWriter(int partitionsMax, Set<String> ownKeys) {
    this.partitionsMax = partitionsMax;
    this.ownKeys = ownKeys;
  }

  @Override
  public ProducerRecord<byte[], byte[]> serialize(Output output, KafkaSinkContext context, Long timestamp) {
    int partitions = Math.min(context.getPartitionsForTopic(output.topic).length, partitionsMax);
    int partition = Utils.toPositive(Utils.murmur2(output.key)) % partitions;
    if (!ownKeys.contains(output.topic)) {
      Long atMs = output.atMs == Output.WHEN_WRITTEN ? null : Long.valueOf(output.atMs);
      return new ProducerRecord<>(output.topic, partition, atMs, output.key, output.value);
    }
    return new ProducerRecord<>(output.topic, partition, RecordKeys.ofItsOwn(output.key), output.value);
  }
}
