package attune.flink;

import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Outputs of whom the ledgers name as erased, by now: they must not be written again. */
final class ErasedOutputs {
  private static final Duration POLL = Duration.ofMillis(100);
  private static final long PATIENCE_S = 60;

  /** By output topic. */
  private final Map<String, Integer> projects = new HashMap<>();

  private final Erasures erasures;

  private ErasedOutputs(Options options) {
    erasures = new Erasures(options.projects.size());
    for (int i = 0; i < options.projects.size(); i++)
      for (String name : List.of("profiles", "steps", "outcomes")) projects.put(options.ownTopic(i, name), i);
  }

  /** Reads the ledgers to their ends of now. */
  static ErasedOutputs read(Options options) throws IOException, TimeoutException {
    ErasedOutputs erased = new ErasedOutputs(options);
    List<TopicPartition> ledgers =
        options.projects.stream().map(project -> new TopicPartition(options.topic(project, "erasures"), 0)).toList();
    Properties properties = options.kafka();
    properties.setProperty("enable.auto.commit", "false");
    properties.setProperty("allow.auto.create.topics", "false");
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      consumer.assign(ledgers);
      consumer.seekToBeginning(ledgers);
      Map<TopicPartition, Long> ends = consumer.endOffsets(ledgers);
      long patientUntil = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_S);
      while (ledgers.stream().anyMatch(ledger -> consumer.position(ledger) < ends.get(ledger))) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL))
          if (record.value() != null)
            erased.erasures.take(new Erasures.Entry(ledgers.indexOf(new TopicPartition(record.topic(), 0)), record.value()));
        if (System.nanoTime() > patientUntil) throw new TimeoutException("the ledgers of erasures are not readable");
      }
    }
    return erased;
  }

  /** Whether the record was written before its person was erased. A tombstone names nobody's deeds, so it is none. */
  boolean has(ConsumerRecord<byte[], byte[]> record) {
    if (record.value() == null) return false;
    Erasures.Erased of = erasures.find(projects.get(record.topic()), RecordKeys.personKey(record.key()));
    return of != null && record.timestamp() <= of.atMs();
  }
}
