package attune.flink;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** Reads the head of a record, and nothing behind it. A record without a head goes on, to be quarantined. */
final class LogReader implements KafkaRecordDeserializationSchema<LogRecord> {
  private static final int HEAD_BYTES = 11;
  private final Map<String, Integer> topics = new HashMap<>();
  private final Options options;
  private final boolean isHandover;

  /** @param topics in the order of projects for handovers, else the log's. */
  LogReader(Options options, List<String> topics, boolean isHandover) {
    this.options = options;
    this.isHandover = isHandover;
    for (int i = 0; i < topics.size(); i++) this.topics.put(topics.get(i), i);
  }

  @Override
  public void deserialize(ConsumerRecord<byte[], byte[]> message, Collector<LogRecord> out) {
    // A tombstone takes a record of somebody who was erased away; it is none itself.
    if (message.value() == null) return;
    LogRecord record = new LogRecord();
    record.topic = topics.get(message.topic());
    record.partition = message.partition();
    record.offset = message.offset();
    record.atMs = message.timestamp();
    record.key = message.key() == null ? "" : RecordKeys.personKey(message.key());
    record.value = message.value();
    if (isHandover) {
      record.project = record.topic;
      record.kind = LogRecord.HANDOVER;
    } else {
      record.project = options.projectOfLogTopic(record.topic);
      readHead(record);
    }
    out.collect(record);
  }

  private static void readHead(LogRecord record) {
    if (record.value.length < HEAD_BYTES) return;
    ByteBuffer head = ByteBuffer.wrap(record.value).order(ByteOrder.LITTLE_ENDIAN);
    record.kind = head.get(1);
    record.flags = head.get(2);
    record.id = ((long) head.getInt(3) << 32) | (head.getInt(7) & 0xffff_ffffL);
  }

  @Override
  public TypeInformation<LogRecord> getProducedType() {
    return TypeInformation.of(LogRecord.class);
  }
}
