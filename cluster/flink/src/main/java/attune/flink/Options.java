package attune.flink;

import java.io.IOException;
import java.io.Reader;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;

/** What the job is told on its command line, as {@code --name value}. Kafka properties go to every client as they are. */
final class Options implements Serializable {
  private static final Set<String> NAMES =
      Set.of(
          "brokers", "kafka-properties", "projects", "partitions", "generation", "events", "checkpoint-interval-ms",
          "transaction-timeout-ms", "exactly-once", "sink", "watchdog-ms", "pass-on-after-ms", "bundle");

  /** How results are written. {@code NONE} is for measurements: nothing leaves the job. */
  enum Sink {
    EXACTLY_ONCE,
    AT_LEAST_ONCE,
    NONE
  }

  final String brokers;
  final List<String> projects;

  /** How many the topics were made with; those that somebody added since stay empty. */
  final int partitions;

  final int generation;
  final boolean families;
  final long checkpointIntervalMs;
  final long transactionTimeoutMs;
  final Sink sink;
  final long watchdogMs;

  /** Records of signposts up to this log time were passed on by the generation before. */
  final long passOnAfterMs;

  /** A bundle other than the jar's own, for tests. */
  final String bundlePath;

  private final Map<String, String> kafkaProperties = new HashMap<>();

  Options(String[] args) throws IOException {
    Map<String, String> given = parse(args);
    brokers = required(given, "brokers");
    projects = List.of(given.getOrDefault("projects", "default").split(","));
    partitions = Integer.parseInt(given.getOrDefault("partitions", String.valueOf(Integer.MAX_VALUE)));
    generation = Integer.parseInt(given.getOrDefault("generation", "1"));
    families = given.getOrDefault("events", "one").equals("families");
    checkpointIntervalMs = Long.parseLong(given.getOrDefault("checkpoint-interval-ms", "1000"));
    transactionTimeoutMs = Long.parseLong(given.getOrDefault("transaction-timeout-ms", "600000"));
    String exactlyOnce = given.getOrDefault("exactly-once", "true").equals("true") ? "exactly-once" : "at-least-once";
    sink = Sink.valueOf(given.getOrDefault("sink", exactlyOnce).toUpperCase().replace('-', '_'));
    watchdogMs = Long.parseLong(given.getOrDefault("watchdog-ms", "2000"));
    String passOnAfter = generation == 1 ? "0" : String.valueOf(System.currentTimeMillis());
    passOnAfterMs = Long.parseLong(given.getOrDefault("pass-on-after-ms", passOnAfter));
    bundlePath = given.get("bundle");
    String file = given.get("kafka-properties");
    if (file == null) return;
    Properties properties = new Properties();
    try (Reader reader = Files.newBufferedReader(Path.of(file), StandardCharsets.UTF_8)) {
      properties.load(reader);
    }
    properties.stringPropertyNames().forEach(name -> kafkaProperties.put(name, properties.getProperty(name)));
  }

  /** Settings of a Kafka client: the operator's own, then the broker's address. */
  Properties kafka() {
    Properties properties = new Properties();
    properties.putAll(kafkaProperties);
    properties.setProperty("bootstrap.servers", brokers);
    return properties;
  }

  /** The log's topics of all projects; a topic's place in the list is what records carry. */
  List<String> logTopics() {
    List<String> topics = new ArrayList<>();
    for (String project : projects) {
      if (!families) topics.add(topic(project, "events"));
      else for (String family : List.of("page", "engage", "commerce")) topics.add(topic(project, family));
    }
    return topics;
  }

  /** Where the job itself writes to a project's log: what is no event goes with engagement. */
  String logTopic(int project) {
    return topic(projects.get(project), families ? "engage" : "events");
  }

  int projectOfLogTopic(int topic) {
    return families ? topic / 3 : topic;
  }

  /** A topic that servers write: the same for every generation. */
  String topic(String project, String name) {
    return "attune." + project + "." + name;
  }

  /** A topic that the job writes. */
  String ownTopic(int project, String name) {
    String suffix = generation == 1 ? "" : ".g" + generation;
    return topic(projects.get(project), name) + suffix;
  }

  String jobName() {
    return generation == 1 ? "attune" : "attune.g" + generation;
  }

  String groupId() {
    return "attune.g" + generation;
  }

  private static Map<String, String> parse(String[] args) {
    Map<String, String> given = new HashMap<>();
    Set<String> unknown = new HashSet<>();
    for (int i = 0; i + 1 < args.length; i += 2) {
      String name = args[i].replaceFirst("^--", "");
      if (!NAMES.contains(name)) unknown.add(name);
      given.put(name, args[i + 1]);
    }
    if (args.length % 2 != 0) throw new IllegalArgumentException("every option takes a value: --name value");
    if (!unknown.isEmpty()) throw new IllegalArgumentException("unknown options " + unknown + "; known are " + NAMES);
    return given;
  }

  private static String required(Map<String, String> given, String name) {
    String value = given.get(name);
    if (value == null) throw new IllegalArgumentException("--" + name + " is missing");
    return value;
  }
}
