package attune.flink;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import org.apache.flink.api.common.functions.RuntimeContext;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.StateTtlConfig;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.runtime.state.VoidNamespace;
import org.apache.flink.streaming.api.operators.InternalTimerService;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.util.OutputTag;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What every record needs and no rule decides, for the key that is current. What a record means, the operator knows. */
final class Persons {
  /** Written at least once: handovers, passed-on records and quarantine; repeated ones are recognised. */
  static final OutputTag<Output> LINKS = new OutputTag<>("links") {};

  /** The state that each key has. */
  static final String HEADS = "key";

  private static final String IDS = "ids";
  private static final String HELD = "held";

  /** All states; last the one that is empty only where nobody is left. */
  static final List<String> STATES = List.of(IDS, HELD, HEADS);

  private static final Logger LOG = LoggerFactory.getLogger(Persons.class);

  /** How long an event id is remembered. */
  private static final Duration IDS_KEPT = Duration.ofDays(8);

  private static final long COMPACTION_ENTRIES = 100_000;
  private static final int TRIES_MAX = 3;
  private static final int HELD_RECORDS_MAX = 1000;
  private static final int HELD_BYTES_MAX = 4 * 1024 * 1024;

  /** The machine's time, not the log's: who catches up reads half a minute of log in a moment. */
  private static final long HELD_MS_MAX = 30_000;

  /** Log time after which a look that found somebody to be forgotten is repeated where he has not gone: its word was lost. */
  private static final long EXPIRY_AGAIN_MS = 6 * 3_600_000;

  private static final long UNKNOWN = Long.MIN_VALUE;
  private static final int VALUE_BYTES_MAX = 1024 * 1024;
  private static final byte[] NOTHING = new byte[0];

  private final Options options;
  private final InternalTimerService<VoidNamespace> timers;
  private final V8Operator operator;
  private final StageMetrics metrics;
  private final org.apache.flink.streaming.api.operators.Output<StreamRecord<Output>> output;
  private final ValueState<byte[]> heads;
  private final MapState<Long, Boolean> ids;
  private final ListState<byte[]> held;
  private final long openedAtMs;

  /** What a batch taught, until it is sent. */
  private final List<Step> steps = new ArrayList<>();

  Persons(
      Options options,
      RuntimeContext context,
      InternalTimerService<VoidNamespace> timers,
      V8Operator operator,
      StageMetrics metrics,
      org.apache.flink.streaming.api.operators.Output<StreamRecord<Output>> output) {
    this.options = options;
    this.timers = timers;
    this.operator = operator;
    this.metrics = metrics;
    this.output = output;
    PrimitiveArrayTypeInfo<byte[]> bytes = PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO;
    heads = context.getState(new ValueStateDescriptor<>(HEADS, bytes));
    MapStateDescriptor<Long, Boolean> known = new MapStateDescriptor<>(IDS, Types.LONG, Types.BOOLEAN);
    known.enableTimeToLive(
        StateTtlConfig.newBuilder(IDS_KEPT).cleanupInRocksdbCompactFilter(COMPACTION_ENTRIES).build());
    ids = context.getMapState(known);
    held = context.getListState(new ListStateDescriptor<>(HELD, bytes));
    openedAtMs = System.currentTimeMillis();
  }

  private record Step(long atMs, Output value) {}

  /**
   * Sends what a batch taught, in the order of log time: persons are taken one after the other, but models learn in the
   * order of the log. To be called before anything else passes.
   */
  void sendSteps() {
    steps.sort(Comparator.comparingLong(Step::atMs));
    for (Step step : steps) send(step.value);
    steps.clear();
  }

  Visit visit(LogRecord first) throws Exception {
    return new Visit(first.project, first.key);
  }

  Visit visit(Erasures.Erased erased) throws Exception {
    return new Visit(erased.project(), erased.key());
  }

  /** A timer of log time. */
  void due(String stateKey, long timestamp) throws Exception {
    Visit visit = visitOf(stateKey);
    visit.due(timestamp);
    visit.end();
    sendSteps();
  }

  /** Sets the timer that forgets whoever is not seen, by the ages in force. */
  void keepAges(String stateKey) throws Exception {
    Visit visit = visitOf(stateKey);
    visit.keepAges();
    visit.end();
  }

  /** A timer of the machine's time: some record has waited for its handover long enough. */
  void heldTooLong(String stateKey, long timestamp) throws Exception {
    Visit visit = visitOf(stateKey);
    if (visit.head.heldRecords == 0) return;
    // After a restart the handover may still be on its way.
    if (timestamp < openedAtMs) timers.registerProcessingTimeTimer(VoidNamespace.INSTANCE, openedAtMs + HELD_MS_MAX);
    else visit.release(Turn.WAITED);
    visit.end();
    sendSteps();
  }

  private Visit visitOf(String stateKey) throws Exception {
    int split = stateKey.indexOf(' ');
    return new Visit(Integer.parseInt(stateKey.substring(0, split)), stateKey.substring(split + 1));
  }

  /** Three tries: what was chance passes, what is a fault goes on to quarantine. */
  private Turn.Result tried(Turn turn) throws OperatorFailure {
    for (int tries = 1; ; tries++) {
      try {
        return operator.run(turn);
      } catch (OperatorFailure failure) {
        if (tries == TRIES_MAX) throw failure;
      }
    }
  }

  private void send(Output value) {
    output.collect(new StreamRecord<>(value));
  }

  private void link(Output value) {
    output.collect(LINKS, new StreamRecord<>(value));
  }

  /** One key for a while: its state, read once and written once. Flink's current key must be this one. */
  final class Visit {
    private final int project;
    private final String key;
    private final KeyHead head;
    private boolean isChanged;

    /** As the last turn has said; UNKNOWN where there was none. */
    private long expiresMs = UNKNOWN;

    /** Records that are applied in one turn. */
    List<LogRecord> together = List.of();

    private Visit(int project, String key) throws Exception {
      this.project = project;
      this.key = key;
      head = KeyHead.read(heads.value());
    }

    String stateKey() {
      return LogRecord.stateKey(project, key);
    }

    /**
     * Those of the records that can go in one turn: not the duplicates. Null where order matters to the JVM (a handover,
     * a link, something on hold, a topic for each) or one may have to be put aside.
     */
    List<LogRecord> together(List<LogRecord> records) throws Exception {
      if (head.heldRecords > 0) return null;
      int topic = records.get(0).topic;
      for (LogRecord record : records)
        if (!record.isPlain() || record.topic != topic || record.value.length > VALUE_BYTES_MAX) return null;
      List<LogRecord> fresh = new ArrayList<>(records.size());
      Set<Long> seen = records.size() == 1 ? Collections.emptySet() : new HashSet<>();
      for (LogRecord record : records) {
        if (record.id != 0 && (ids.contains(record.id) || (records.size() > 1 && !seen.add(record.id))))
          metrics.duplicates.inc();
        else fresh.add(record);
      }
      together = fresh;
      return fresh;
    }

    Turn turn(List<LogRecord> records) {
      List<Turn.Operation> operations = new ArrayList<>(records.size());
      for (LogRecord record : records) operations.add(new Turn.Operation(Turn.RECORD, record.atMs, record.value));
      return new Turn(project, Frames.utf8(key), head.state, operations);
    }

    /** False where a record has to wait: then nothing was done. */
    boolean commitTogether(Turn.Result result) throws Exception {
      if (result.done() < together.size()) return false;
      commit(result, together.get(0));
      for (LogRecord record : together) if (record.id != 0) ids.put(record.id, true);
      end();
      return true;
    }

    /** One record on its own, whatever it is. */
    void take(LogRecord record) throws Exception {
      if (record.kind == LogRecord.HANDOVER) handOver(record);
      else if (head.heldRecords > 0 || !apply(record, Turn.RECORD)) hold(List.of(record));
      if (head.heldRecords >= HELD_RECORDS_MAX || head.heldBytes >= HELD_BYTES_MAX) release(Turn.WAITED);
    }

    /** Sets the timers and writes the state. A timer that is too early only looks; it is not worth a deletion. */
    void end() throws Exception {
      if (expiresMs != UNKNOWN && expiresMs < head.expiryRegisteredMs) {
        if (head.expiryRegisteredMs != head.registeredMs) deleteTimer(head.expiryRegisteredMs);
        timers.registerEventTimeTimer(VoidNamespace.INSTANCE, expiresMs);
        head.expiryRegisteredMs = expiresMs;
        isChanged = true;
      }
      if (head.heldRecords == 0 && head.dueMs < head.registeredMs) {
        timers.registerEventTimeTimer(VoidNamespace.INSTANCE, head.dueMs);
        head.registeredMs = head.dueMs;
        isChanged = true;
      }
      if (!isChanged) return;
      if (head.isEmpty()) heads.clear();
      else heads.update(head.write());
    }

    private void deleteTimer(long timestamp) {
      if (timestamp != Long.MAX_VALUE) timers.deleteEventTimeTimer(VoidNamespace.INSTANCE, timestamp);
    }

    private void keepAges() {
      // What is on hold will say it. At time 0 nothing falls due.
      if (head.heldRecords == 0) look(0);
    }

    /** Forgets everything from before, and tells {@code profiles}; false for whoever has begun anew: he stays. */
    boolean erase(long atMs) throws Exception {
      Turn turn = new Turn(project, Frames.utf8(key), head.state, List.of(new Turn.Operation(Turn.ERASE, atMs, NOTHING)));
      try {
        Turn.Result result = tried(turn);
        if (result.state() == null) return false;
        for (Turn.Message message : result.messages()) sendProfile(message);
      } catch (OperatorFailure failure) {
        LOG.warn("an erased key of project {} could not be read; it is forgotten all the same", project, failure);
        sendProfile(new Turn.Message(Turn.PROFILES, atMs, Frames.utf8(key), NOTHING));
      }
      metrics.erased.inc();
      heads.clear();
      ids.clear();
      held.clear();
      return true;
    }

    private void due(long timestamp) {
      if (head.registeredMs == timestamp) {
        head.registeredMs = Long.MAX_VALUE;
        isChanged = true;
      }
      boolean mayExpire = head.expiryRegisteredMs == timestamp;
      if (mayExpire) {
        head.expiryRegisteredMs = Long.MAX_VALUE;
        isChanged = true;
      }
      // Time must not overtake the records on hold; their release sets the timer anew.
      boolean isDue = head.heldRecords == 0 && (mayExpire || head.dueMs <= timestamp);
      if (isDue) {
        metrics.timers.inc();
        look(mayExpire ? timestamp : head.dueMs);
      }
      if (mayExpire && expiresMs <= timestamp) expiresMs = timestamp + EXPIRY_AGAIN_MS;
    }

    private void look(long atMs) {
      try {
        Turn.Operation look = new Turn.Operation(Turn.TIME, atMs, NOTHING);
        commit(tried(new Turn(project, Frames.utf8(key), head.state, List.of(look))), null);
      } catch (OperatorFailure failure) {
        LOG.error("time could not be brought to a key of project {}; the next record will", project, failure);
        metrics.timersFailed.inc();
        head.dueMs = Long.MAX_VALUE;
        isChanged = true;
      }
    }

    /** False where the record has to wait for a handover: nothing was done then. */
    private boolean apply(LogRecord record, byte kind) throws Exception {
      if (record.id != 0 && ids.contains(record.id)) {
        metrics.duplicates.inc();
        return true;
      }
      try {
        if (record.value.length > VALUE_BYTES_MAX)
          throw new OperatorFailure(OperatorFailure.Reason.TOO_LARGE, record.value.length + " bytes", null);
        Turn.Operation operation = new Turn.Operation(kind, record.atMs, record.value);
        Turn.Result result = tried(new Turn(project, Frames.utf8(key), head.state, List.of(operation)));
        if (result.done() == 0) return false;
        commit(result, record);
        if (record.id != 0) ids.put(record.id, true);
      } catch (OperatorFailure failure) {
        quarantine(record, failure);
      }
      return true;
    }

    private void handOver(LogRecord record) throws Exception {
      metrics.handovers.inc();
      try {
        Handovers.Handover handover = Handovers.read(record.value);
        Turn.Operation operation = new Turn.Operation(Turn.HANDOVER, record.atMs, handover.value());
        commit(tried(new Turn(project, Frames.utf8(key), head.state, List.of(operation))), record);
        for (long id : handover.ids()) ids.put(id, true);
      } catch (OperatorFailure failure) {
        quarantine(record, failure);
      }
      if (head.heldRecords > 0) release(Turn.RECORD);
    }

    private void hold(List<LogRecord> records) throws Exception {
      if (head.heldRecords == 0) {
        long untilMs = timers.currentProcessingTime() + HELD_MS_MAX;
        timers.registerProcessingTimeTimer(VoidNamespace.INSTANCE, untilMs);
        metrics.held.inc();
      }
      for (LogRecord record : records) {
        held.add(Held.write(record));
        head.heldRecords++;
        head.heldBytes += record.value.length;
      }
      isChanged = true;
    }

    /** Applies what is on hold, up to the next record that has to wait. {@code first}: how the first one is applied. */
    private void release(byte first) throws Exception {
      List<LogRecord> records = new ArrayList<>();
      for (byte[] bytes : held.get()) records.add(Held.read(bytes, key));
      held.clear();
      head.heldRecords = 0;
      head.heldBytes = 0;
      isChanged = true;
      for (int i = 0; i < records.size(); i++) {
        if (apply(records.get(i), i == 0 ? first : Turn.RECORD)) continue;
        hold(records.subList(i, records.size()));
        return;
      }
    }

    private void quarantine(LogRecord record, OperatorFailure failure) {
      metrics.quarantined.inc();
      LOG.warn("quarantined {}/{}/{}: {}", record.topic, record.partition, record.offset, failure.getMessage());
      link(Quarantine.output(options, record, failure));
    }

    private void commit(Turn.Result result, LogRecord cause) {
      if (result.state() != null) head.state = result.state();
      isChanged |= result.state() != null || head.dueMs != result.dueMs();
      head.dueMs = result.dueMs();
      expiresMs = result.expiresMs();
      if (result.isForgotten()) forget();
      for (Turn.Message message : result.messages()) {
        switch (message.channel()) {
          case Turn.PROFILES -> sendProfile(message);
          case Turn.STEPS ->
              steps.add(
                  new Step(message.atMs(), new Output(options.ownTopic(project, "steps"), message.key(), message.value())));
          case Turn.OUTCOMES -> send(new Output(options.ownTopic(project, "outcomes"), message.key(), message.value()));
          case Turn.TO_USER -> sendHandover(message, knownIds());
          case Turn.ANSWER -> sendHandover(message, Collections.emptyIterator());
          case Turn.EVENTS -> link(new Output(logTopic(cause), message.key(), message.value()));
          default -> throw new IllegalStateException("channel " + message.channel());
        }
      }
    }

    /** Ids of his events stay as long as those of others: what comes twice stays known. */
    private void forget() {
      metrics.expired.inc();
      deleteTimer(head.registeredMs);
      deleteTimer(head.expiryRegisteredMs);
      head.registeredMs = Long.MAX_VALUE;
      head.expiryRegisteredMs = Long.MAX_VALUE;
    }

    /** What a key passes on stays in its topic; {@code cause} is null for what time alone brought about. */
    private String logTopic(LogRecord cause) {
      return cause == null ? options.logTopic(project) : options.logTopics().get(cause.topic);
    }

    /** Without bytes: whoever it was is forgotten, and compaction forgets him, too. */
    private void sendProfile(Turn.Message message) {
      String topic = options.ownTopic(project, "profiles");
      if (message.value().length == 0) send(Output.tombstone(topic, message.key(), message.atMs()));
      else send(new Output(topic, message.key(), message.value()));
    }

    private void sendHandover(Turn.Message message, Iterator<Long> known) {
      link(new Output(options.ownTopic(project, "handover"), message.key(), Handovers.write(message.value(), known)));
    }

    private Iterator<Long> knownIds() {
      try {
        return ids.keys().iterator();
      } catch (Exception cause) {
        throw new IllegalStateException("the state backend cannot be read", cause);
      }
    }
  }
}
