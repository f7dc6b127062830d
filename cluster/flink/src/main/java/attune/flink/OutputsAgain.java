package attune.flink;

import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsOptions;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Finds out what became of a transaction, and writes again what Kafka took back. Its records lie in the topics still,
 * where nobody sees them: they are copied, in a transaction of their own, together with a mark that says so. Nothing is
 * computed anew and nothing is kept for it beforehand but the places.
 */
final class OutputsAgain {
  private static final Duration POLL = Duration.ofMillis(100);
  private static final long PATIENCE_S = 60;
  private static final Duration CLOSE = Duration.ofSeconds(5);

  private final Properties kafka;
  private final Options options;
  private final int parallelism;

  /** @param parallelism subtasks that write now */
  OutputsAgain(Properties kafka, Options options, int parallelism) {
    this.kafka = kafka;
    this.options = options;
    this.parallelism = parallelism;
  }

  /**
   * The number of records that were written again: 0 where the transaction was committed, or they were written again before.
   *
   * @throws OutputsTakenBack where that cannot be
   * @throws IOException where Kafka does not answer; nothing was done, or all of it
   */
  long settle(PlacedCommittable transaction) throws IOException, InterruptedException {
    try {
      // All of them are seen or none; a compacted topic may have dropped some.
      if (read(transaction.places, "read_committed", record -> {}) > 0) return 0;
      return writeAgain(transaction);
    } catch (InterruptException cause) {
      Thread.interrupted();
      throw new InterruptedException(cause.getMessage());
    } catch (ExecutionException | TimeoutException cause) {
      String id = transaction.getTransactionalId();
      throw new IOException("what became of transaction " + id + " is not known yet", cause);
    }
  }

  private long writeAgain(PlacedCommittable transaction)
      throws IOException, InterruptedException, ExecutionException, TimeoutException {
    Places places = transaction.places;
    String name = transaction.getTransactionalId() + "-again";
    KafkaProducer<byte[], byte[]> producer = producer(name);
    try {
      // Whoever was about to do the same is done or fenced off from here on.
      producer.initTransactions();
      if (isMarked(name)) return 0;
      refuseOtherParallelism(transaction);
      ErasedOutputs erased = ErasedOutputs.read(options);
      producer.beginTransaction();
      long found = read(places, "read_uncommitted", record -> {
        if (!erased.has(record)) producer.send(copyOf(record));
      });
      if (found < places.records() || !places.isWhole()) {
        producer.abortTransaction();
        String why = found + " records can still be read, not all; a backfill mends it";
        throw new OutputsTakenBack(transaction.getTransactionalId(), why, null);
      }
      producer.sendOffsetsToTransaction(markOf(places), new ConsumerGroupMetadata(name));
      producer.commitTransaction();
      return found;
    } finally {
      producer.close(CLOSE);
    }
  }

  /** Another subtask may already write newer values of the same persons, which the old ones must not follow. */
  private void refuseOtherParallelism(PlacedCommittable transaction) {
    if (transaction.parallelism == parallelism) return;
    String why = "go on with the parallelism that they were written with, " + transaction.parallelism;
    throw new OutputsTakenBack(transaction.getTransactionalId(), why, null);
  }

  private interface Visitor {
    void visit(ConsumerRecord<byte[], byte[]> record);
  }

  /** Those of the records that are there; their number. Waits for transactions that are open before the last one. */
  private long read(Places places, String isolation, Visitor visitor) throws TimeoutException {
    Properties properties = own();
    properties.setProperty("isolation.level", isolation);
    properties.setProperty("enable.auto.commit", "false");
    properties.setProperty("allow.auto.create.topics", "false");
    properties.setProperty("auto.offset.reset", "earliest");
    long found = 0;
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      consumer.assign(places.partitions().keySet());
      places.partitions().forEach((partition, runs) -> consumer.seek(partition, runs.first()));
      long patientUntil = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_S);
      while (!isPast(consumer, places)) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
          patientUntil = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_S);
          if (!places.partitions().get(partitionOf(record)).contains(record.offset())) continue;
          visitor.visit(record);
          found++;
        }
        if (System.nanoTime() > patientUntil)
          throw new TimeoutException("the topics are not readable to the last record");
      }
    }
    return found;
  }

  private static boolean isPast(KafkaConsumer<byte[], byte[]> consumer, Places places) {
    for (Map.Entry<TopicPartition, Places.Runs> entry : places.partitions().entrySet())
      if (consumer.position(entry.getKey()) <= entry.getValue().last()) return false;
    return true;
  }

  /** Whether records were written again under this name: an offset was committed with them. */
  private boolean isMarked(String name) throws InterruptedException, ExecutionException, TimeoutException {
    try (Admin admin = Admin.create(own())) {
      return !admin
          .listConsumerGroupOffsets(name, new ListConsumerGroupOffsetsOptions().requireStable(true))
          .partitionsToOffsetAndMetadata()
          .get(PATIENCE_S, TimeUnit.SECONDS)
          .isEmpty();
    }
  }

  /** {@code cluster status} reads it: how many records, and when. */
  private static Map<TopicPartition, OffsetAndMetadata> markOf(Places places) {
    Map.Entry<TopicPartition, Places.Runs> any = places.partitions().entrySet().iterator().next();
    String text = "{\"records\":" + places.records() + ",\"at\":" + System.currentTimeMillis() + "}";
    return Map.of(any.getKey(), new OffsetAndMetadata(any.getValue().last() + 1, text));
  }

  private static ProducerRecord<byte[], byte[]> copyOf(ConsumerRecord<byte[], byte[]> record) {
    return new ProducerRecord<>(
        record.topic(), record.partition(), record.timestamp(), record.key(), record.value(), record.headers());
  }

  private static TopicPartition partitionOf(ConsumerRecord<byte[], byte[]> record) {
    return new TopicPartition(record.topic(), record.partition());
  }

  private KafkaProducer<byte[], byte[]> producer(String transactionalId) {
    Properties properties = own();
    properties.setProperty("transactional.id", transactionalId);
    return new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
  }

  private Properties own() {
    Properties properties = new Properties();
    properties.putAll(kafka);
    return properties;
  }
}
