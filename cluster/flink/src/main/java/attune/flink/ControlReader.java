package attune.flink;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the programs, the ages and the erasures of all projects: to the end before the first record, and on from there.
 * Programs and erasures take effect a second after they were written, so whoever has seen the end of the topic within that
 * second knows what governs a record.
 */
final class ControlReader implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ControlReader.class);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration POLL = Duration.ofMillis(100);

  /** PROGRAM_DELAY_MS of cluster/wire/documents.ts, ERASURE_DELAY_MS of cluster/wire/erasure.ts. */
  private static final long PROGRAM_DELAY_MS = 1000;

  private static final long FIRST_PATIENCE_S = 60;
  private static final long PATIENCE_MS = 10_000;
  private final Options options;
  private final Queue<V8Operator.Program> read = new ConcurrentLinkedQueue<>();
  private final Queue<Erasures.Entry> erasures = new ConcurrentLinkedQueue<>();

  /** By project: the newest that were read, and where they lie. */
  private final Map<Integer, V8Operator.Ages> ages = new ConcurrentHashMap<>();

  private final Map<Integer, Long> agesOffsets = new HashMap<>();

  private final CountDownLatch ready = new CountDownLatch(1);
  private final Thread thread;

  /** Everything that was written before this moment (the machine's clock, Unix ms) is in {@code read}. */
  private volatile long seenUpToMs;

  private volatile RuntimeException failure;

  ControlReader(Options options, ClassLoader classes) {
    this.options = options;
    thread = new Thread(this::run, "attune-control");
    thread.setContextClassLoader(classes);
    thread.setDaemon(true);
    thread.start();
  }

  /** Waits for the end of the topic and for a first program of each project. */
  void awaitFirst() throws IOException {
    try {
      if (ready.await(FIRST_PATIENCE_S, TimeUnit.SECONDS)) return;
    } catch (InterruptedException cause) {
      Thread.currentThread().interrupt();
    }
    throw new IOException("no program was found in " + topics("control") + " within a minute", failure);
  }

  /** The next program that was read; null where there is none. */
  V8Operator.Program poll() {
    return read.poll();
  }

  /** The next value of a ledger that was read; null where there is none. */
  Erasures.Entry pollErasure() {
    return erasures.poll();
  }

  /** The ages in force, by project; one that is not in it keeps persons for ever. */
  Map<Integer, V8Operator.Ages> ages() {
    return ages;
  }

  /** Waits until every program and erasure that governs log time {@code atMs} has been read. */
  void await(long atMs) throws IOException {
    if (atMs - PROGRAM_DELAY_MS <= seenUpToMs) return;
    long deadline = System.currentTimeMillis() + PATIENCE_MS;
    while (atMs - PROGRAM_DELAY_MS > seenUpToMs) {
      if (System.currentTimeMillis() > deadline)
        throw new IOException("control could not be read for " + PATIENCE_MS + " ms", failure);
      try {
        Thread.sleep(1);
      } catch (InterruptedException cause) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted", cause);
      }
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }

  private List<String> topics(String name) {
    return options.projects.stream().map(project -> options.topic(project, name)).toList();
  }

  private void run() {
    while (!Thread.currentThread().isInterrupted()) {
      try (KafkaConsumer<byte[], byte[]> consumer =
          new KafkaConsumer<>(options.kafka(), new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
        follow(consumer);
      } catch (org.apache.kafka.common.errors.InterruptException closed) {
        return;
      } catch (RuntimeException cause) {
        failure = cause;
        LOG.warn("control cannot be read; trying again", cause);
        java.util.concurrent.locks.LockSupport.parkNanos(1_000_000_000L);
      }
    }
  }

  /** From the start, also after a failure: the operator leaves alone what it knows. */
  private void follow(KafkaConsumer<byte[], byte[]> consumer) {
    int projects = options.projects.size();
    List<TopicPartition> partitions = new ArrayList<>();
    for (String topic : topics("control")) partitions.add(new TopicPartition(topic, 0));
    for (String topic : topics("erasures")) partitions.add(new TopicPartition(topic, 0));
    consumer.assign(partitions);
    consumer.seekToBeginning(partitions);
    boolean[] hasProgram = new boolean[projects];
    while (true) {
      long beforeMs = System.currentTimeMillis();
      for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
        int place = partitions.indexOf(new TopicPartition(record.topic(), 0));
        if (place < projects) hasProgram[place] |= take(place, record);
        else if (record.value() != null) erasures.add(new Erasures.Entry(place - projects, record.value()));
      }
      boolean isAtEnd = true;
      for (TopicPartition partition : partitions) isAtEnd &= consumer.currentLag(partition).orElse(1) == 0;
      if (!isAtEnd) continue;
      seenUpToMs = beforeMs;
      boolean isComplete = true;
      for (boolean has : hasProgram) isComplete &= has;
      if (isComplete) ready.countDown();
    }
  }

  /** What is read again after a failure is not news. */
  private void takeAges(int project, long offset, JsonNode value) {
    if (offset <= agesOffsets.getOrDefault(project, -1L)) return;
    agesOffsets.put(project, offset);
    ages.put(project, new V8Operator.Ages(project, age(value, "profiles"), age(value, "visitors")));
  }

  private static double age(JsonNode value, String name) {
    return value.path(name).isNumber() ? value.get(name).asDouble() : Double.POSITIVE_INFINITY;
  }

  /** True for a program. */
  private boolean take(int project, ConsumerRecord<byte[], byte[]> record) {
    try {
      JsonNode value = JSON.readTree(record.value());
      String kind = value.path("kind").asText();
      if ("retention".equals(kind)) takeAges(project, record.offset(), value);
      if (!"program".equals(kind)) return false;
      String document = JSON.writeValueAsString(value.get("document"));
      read.add(new V8Operator.Program(project, value.get("version").asInt(), value.get("at").asLong(), document));
      return true;
    } catch (IOException | RuntimeException cause) {
      LOG.error("control {}/{} is not a value of ours", record.topic(), record.offset(), cause);
      return false;
    }
  }
}
