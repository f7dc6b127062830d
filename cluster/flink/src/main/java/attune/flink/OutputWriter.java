package attune.flink;

import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.kafka.clients.producer.ProducerRecord;

/** An output goes to the topic that it names; Kafka's own partitioner places it by its key. */
final class OutputWriter implements KafkaRecordSerializationSchema<Output> {
  @Override
  public ProducerRecord<byte[], byte[]> serialize(Output output, KafkaSinkContext context, Long timestamp) {
    return new ProducerRecord<>(output.topic, output.key, output.value);
  }
}
