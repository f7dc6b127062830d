package attune.flink;

import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.config.ConfigResource;

/**
 * The log, by person, through the core, to results:
 * {@code events + handover → PersonStage → profiles, steps, outcomes (exactly once); handover, events, quarantine (at least once)}.
 */
public final class Job {
  /** Key groups: what a job can be scaled to, for ever. */
  private static final int MAX_PARALLELISM = 512;

  private static final long WATERMARK_INTERVAL_MS = 100;

  /** Partitions are read this close together, so that who catches up seldom waits for a handover. */
  private static final Duration DRIFT_MAX = Duration.ofMinutes(10);

  private static final Duration DRIFT_CHECK = Duration.ofMillis(200);
  private static final long KAFKA_PATIENCE_S = 60;
  private static final String OWN_KEYS_CONFIG = "min.compaction.lag.ms";
  private static final String OWN_KEYS_VALUE = "1";

  private Job() {}

  public static void main(String[] args) throws Exception {
    Options options = new Options(args);
    StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
    build(env, options, bundleOf(options));
    env.execute(options.jobName());
  }

  private static void build(StreamExecutionEnvironment env, Options options, String bundle) throws Exception {
    env.configure(StateOptions.settings());
    env.enableCheckpointing(options.checkpointIntervalMs);
    env.setMaxParallelism(MAX_PARALLELISM);
    env.getConfig().enableObjectReuse();
    env.getConfig().setAutoWatermarkInterval(WATERMARK_INTERVAL_MS);
    SingleOutputStreamOperator<Output> results =
        log(env, options)
            .union(handovers(env, options))
            .keyBy(LogRecord::stateKey)
            .transform("persons", TypeInformation.of(Output.class), new PersonStage(options, bundle))
            .uid("persons");
    DataStream<Output> links = results.getSideOutput(Persons.LINKS);
    Set<String> ownKeys = topicsWithOwnKeys(options);
    links.sinkTo(atLeastOnce(options, ownKeys, "links")).name("links").uid("links");
    switch (options.sink) {
      case NONE -> results.sinkTo(new DiscardingSink<>()).name("results").uid("results");
      case AT_LEAST_ONCE ->
          results.sinkTo(atLeastOnce(options, ownKeys, "results")).name("results").uid("results");
      case EXACTLY_ONCE ->
          results.sinkTo(exactlyOnce(options, ownKeys)).name("results").uid("results");
    }
  }

  private static DataStream<LogRecord> log(StreamExecutionEnvironment env, Options options) throws Exception {
    List<String> topics = options.logTopics();
    // Append times never go back within a partition, and ticks come to every one, so none is ever idle.
    WatermarkStrategy<LogRecord> watermarks =
        WatermarkStrategy.<LogRecord>forMonotonousTimestamps().withWatermarkAlignment("log", DRIFT_MAX, DRIFT_CHECK);
    return env.fromSource(source(options, topics, false), watermarks, "log")
        .setParallelism(sourceParallelism(env, options, topics))
        .uid("log")
        .filter(record -> record.kind != LogRecord.TICK && !record.isMarked())
        .setParallelism(sourceParallelism(env, options, topics))
        .name("unmarked")
        .uid("unmarked");
  }

  private static DataStream<LogRecord> handovers(StreamExecutionEnvironment env, Options options) throws Exception {
    List<String> topics = new ArrayList<>();
    for (int i = 0; i < options.projects.size(); i++) topics.add(options.ownTopic(i, "handover"));
    WatermarkStrategy<LogRecord> timeless = WatermarkStrategy.forGenerator(context -> new Timeless());
    return env.fromSource(source(options, topics, true), timeless, "handovers")
        .setParallelism(sourceParallelism(env, options, topics))
        .uid("handovers");
  }

  private static KafkaSource<LogRecord> source(Options options, List<String> topics, boolean isHandover) {
    String name = isHandover ? "handover" : "log";
    return KafkaSource.<LogRecord>builder()
        .setProperties(options.kafka())
        .setTopics(topics)
        .setGroupId(options.groupId())
        .setClientIdPrefix(options.groupId() + "." + name)
        .setStartingOffsets(OffsetsInitializer.earliest())
        .setProperty("isolation.level", "read_uncommitted")
        .setDeserializer(new LogReader(options, topics, isHandover))
        .build();
  }

  private static ContainedSink atLeastOnce(Options options, Set<String> ownKeys, String name) {
    return new ContainedSink(sink(options, ownKeys, name, DeliveryGuarantee.AT_LEAST_ONCE));
  }

  private static ResultSink exactlyOnce(Options options, Set<String> ownKeys) {
    KafkaSink<Output> sink = sink(options, ownKeys, "results", DeliveryGuarantee.EXACTLY_ONCE);
    return new ResultSink(sink, producer(options, "results"), options);
  }

  private static KafkaSink<Output> sink(
      Options options, Set<String> ownKeys, String name, DeliveryGuarantee guarantee) {
    return KafkaSink.<Output>builder()
        .setKafkaProducerConfig(producer(options, name))
        .setBootstrapServers(options.brokers)
        .setRecordSerializer(new OutputWriter(options.partitions, ownKeys))
        .setDeliveryGuarantee(guarantee)
        .setTransactionalIdPrefix(options.groupId() + "." + name)
        .build();
  }

  private static Properties producer(Options options, String name) {
    Properties properties = options.kafka();
    properties.putIfAbsent("compression.type", "lz4");
    properties.putIfAbsent("batch.size", "131072");
    properties.putIfAbsent("linger.ms", name.equals("links") ? "0" : "5");
    properties.setProperty("acks", "all");
    properties.setProperty("transaction.timeout.ms", String.valueOf(options.transactionTimeoutMs));
    return properties;
  }

  /** More readers than partitions would leave some without any, and those would hold time back. */
  private static int sourceParallelism(StreamExecutionEnvironment env, Options options, List<String> topics)
      throws Exception {
    try (Admin admin = Admin.create(options.kafka())) {
      int partitions = 1;
      for (TopicDescription topic :
          admin.describeTopics(topics).allTopicNames().get(KAFKA_PATIENCE_S, TimeUnit.SECONDS).values())
        partitions = Math.max(partitions, topic.partitions().size());
      return Math.min(env.getParallelism(), partitions);
    } catch (ExecutionException cause) {
      throw new IllegalStateException("the topics " + topics + " cannot be read; make them first", cause);
    }
  }

  /** Those of the topics that the job writes to: topicsWithOwnKeys of cluster/kafka/topics.ts, restated. */
  private static Set<String> topicsWithOwnKeys(Options options) throws Exception {
    List<ConfigResource> asked = new ArrayList<>();
    for (String topic : options.logTopics()) asked.add(new ConfigResource(ConfigResource.Type.TOPIC, topic));
    for (int i = 0; i < options.projects.size(); i++)
      for (String name : List.of("handover", "steps", "outcomes"))
        asked.add(new ConfigResource(ConfigResource.Type.TOPIC, options.ownTopic(i, name)));
    Set<String> found = new HashSet<>();
    try (Admin admin = Admin.create(options.kafka())) {
      admin.describeConfigs(asked).all().get(KAFKA_PATIENCE_S, TimeUnit.SECONDS).forEach((topic, config) -> {
        if (OWN_KEYS_VALUE.equals(config.get(OWN_KEYS_CONFIG).value())) found.add(topic.name());
      });
    }
    return found;
  }

  private static String bundleOf(Options options) throws Exception {
    if (options.bundlePath != null) return Files.readString(Path.of(options.bundlePath));
    try (InputStream resource = Job.class.getResourceAsStream("/operator.js")) {
      if (resource == null) throw new IllegalStateException("the jar was built without operator.js");
      return new String(resource.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  /** Handovers have no place in the log's time: they must neither hold it back nor move it. */
  private static final class Timeless implements WatermarkGenerator<LogRecord> {
    private static final Watermark END = new Watermark(Long.MAX_VALUE - 1);

    @Override
    public void onEvent(LogRecord record, long timestamp, WatermarkOutput output) {
      // Its append time says nothing.
    }

    @Override
    public void onPeriodicEmit(WatermarkOutput output) {
      output.emitWatermark(END);
    }
  }
}
