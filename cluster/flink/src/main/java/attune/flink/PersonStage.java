package attune.flink;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.StateTtlConfig;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.TimeDomain;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;
import org.apache.flink.util.OutputTag;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The persons stage: what every record needs and no rule decides. What a record means, the operator knows. */
final class PersonStage extends KeyedProcessFunction<String, LogRecord, Output> {
  /** Written at least once: handovers, passed-on records and quarantine; repeated ones are recognised. */
  static final OutputTag<Output> LINKS = new OutputTag<>("links") {};

  private static final Logger LOG = LoggerFactory.getLogger(PersonStage.class);

  /** How long an event id is remembered. */
  private static final Duration IDS_KEPT = Duration.ofDays(8);

  private static final int TRIES_MAX = 3;
  private static final int HELD_RECORDS_MAX = 1000;
  private static final int HELD_BYTES_MAX = 4 * 1024 * 1024;

  /** The machine's time, not the log's: who catches up reads half a minute of log in a moment. */
  private static final long HELD_MS_MAX = 30_000;

  private static final int VALUE_BYTES_MAX = 1024 * 1024;
  private static final byte[] NOTHING = new byte[0];

  private final Options options;
  private final String bundle;
  private transient StageMetrics metrics;
  private transient V8Operator operator;
  private transient ControlReader control;
  private transient ValueState<byte[]> heads;
  private transient MapState<Long, Boolean> ids;
  private transient ListState<byte[]> held;
  private transient long openedAtMs;

  PersonStage(Options options, String bundle) {
    this.options = options;
    this.bundle = bundle;
  }

  @Override
  public void open(OpenContext context) throws Exception {
    heads = getRuntimeContext().getState(new ValueStateDescriptor<>("key", PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO));
    MapStateDescriptor<Long, Boolean> known = new MapStateDescriptor<>("ids", Types.LONG, Types.BOOLEAN);
    known.enableTimeToLive(StateTtlConfig.newBuilder(IDS_KEPT).cleanupInRocksdbCompactFilter(100_000).build());
    ids = getRuntimeContext().getMapState(known);
    held = getRuntimeContext().getListState(new ListStateDescriptor<>("held", PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO));
    operator = new V8Operator(bundle, options.projects.size(), options.passOnAfterMs, options.watchdogMs);
    metrics = new StageMetrics(getRuntimeContext().getMetricGroup());
    control = new ControlReader(options, getRuntimeContext().getUserCodeClassLoader());
    control.awaitFirst();
    takePrograms();
    openedAtMs = System.currentTimeMillis();
  }

  @Override
  public void close() throws Exception {
    if (control != null) control.close();
    if (operator != null) operator.close();
  }

  @Override
  public void processElement(LogRecord record, Context context, Collector<Output> out) throws Exception {
    metrics.records.inc();
    metrics.sampleHeap(operator);
    Visit visit = new Visit(context, record.key, record.project, out);
    if (record.kind == LogRecord.HANDOVER) handOver(record, visit);
    else {
      control.await(record.atMs);
      takePrograms();
      if (visit.head.heldRecords > 0) hold(List.of(record), visit);
      else if (!apply(record, Turn.RECORD, visit)) hold(List.of(record), visit);
      if (visit.head.heldRecords >= HELD_RECORDS_MAX || visit.head.heldBytes >= HELD_BYTES_MAX) release(visit, Turn.WAITED);
    }
    visit.end();
  }

  @Override
  public void onTimer(long timestamp, OnTimerContext context, Collector<Output> out) throws Exception {
    String key = context.getCurrentKey();
    int split = key.indexOf(' ');
    Visit visit = new Visit(context, key.substring(split + 1), Integer.parseInt(key.substring(0, split)), out);
    KeyHead head = visit.head;
    if (context.timeDomain() == TimeDomain.PROCESSING_TIME) {
      if (head.heldRecords == 0) return;
      // After a restart the handover may still be on its way.
      if (timestamp < openedAtMs) context.timerService().registerProcessingTimeTimer(openedAtMs + HELD_MS_MAX);
      else release(visit, Turn.WAITED);
    } else {
      visit.isChanged |= head.registeredMs == timestamp;
      if (head.registeredMs == timestamp) head.registeredMs = Long.MAX_VALUE;
      // Time must not overtake the records on hold; their release sets the timer anew.
      if (head.heldRecords == 0 && head.dueMs <= timestamp) look(head.dueMs, visit);
    }
    visit.end();
  }

  private void look(long dueMs, Visit visit) {
    metrics.timers.inc();
    try {
      visit.commit(tried(visit.turn(new Turn.Operation(Turn.TIME, dueMs, NOTHING))), null);
    } catch (OperatorFailure failure) {
      LOG.error("time could not be brought to {} of project {}; his next record will", visit.key, visit.project, failure);
      metrics.timersFailed.inc();
      visit.head.dueMs = Long.MAX_VALUE;
    }
  }

  /** False where the record has to wait for a handover: nothing was done then. */
  private boolean apply(LogRecord record, byte kind, Visit visit) throws Exception {
    if (record.id != 0 && ids.contains(record.id)) {
      metrics.duplicates.inc();
      return true;
    }
    try {
      if (record.value.length > VALUE_BYTES_MAX)
        throw new OperatorFailure(OperatorFailure.Reason.TOO_LARGE, record.value.length + " bytes", null);
      Turn.Result result = tried(visit.turn(new Turn.Operation(kind, record.atMs, record.value)));
      if (result.done() == 0) return false;
      visit.commit(result, record);
      if (record.id != 0) ids.put(record.id, true);
    } catch (OperatorFailure failure) {
      quarantine(record, failure, visit);
    }
    return true;
  }

  private void handOver(LogRecord record, Visit visit) throws Exception {
    metrics.handovers.inc();
    Handovers.Handover handover = Handovers.read(record.value);
    try {
      visit.commit(tried(visit.turn(new Turn.Operation(Turn.HANDOVER, record.atMs, handover.value()))), record);
      for (long id : handover.ids()) ids.put(id, true);
    } catch (OperatorFailure failure) {
      quarantine(record, failure, visit);
    }
    if (visit.head.heldRecords > 0) release(visit, Turn.RECORD);
  }

  private void hold(List<LogRecord> records, Visit visit) throws Exception {
    KeyHead head = visit.head;
    if (head.heldRecords == 0) {
      long nowMs = visit.context.timerService().currentProcessingTime();
      visit.context.timerService().registerProcessingTimeTimer(nowMs + HELD_MS_MAX);
      metrics.held.inc();
    }
    for (LogRecord record : records) {
      held.add(Held.write(record));
      head.heldRecords++;
      head.heldBytes += record.value.length;
    }
    visit.isChanged = true;
  }

  /** Applies what is on hold, up to the next record that has to wait. {@code first}: how the first one is applied. */
  private void release(Visit visit, byte first) throws Exception {
    List<LogRecord> records = new ArrayList<>();
    for (byte[] bytes : held.get()) records.add(Held.read(bytes, visit.key));
    held.clear();
    visit.head.heldRecords = 0;
    visit.head.heldBytes = 0;
    visit.isChanged = true;
    for (int i = 0; i < records.size(); i++) {
      if (apply(records.get(i), i == 0 ? first : Turn.RECORD, visit)) continue;
      hold(records.subList(i, records.size()), visit);
      return;
    }
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

  private void quarantine(LogRecord record, OperatorFailure failure, Visit visit) {
    metrics.quarantined.inc();
    LOG.warn("quarantined {}/{}/{}: {}", record.topic, record.partition, record.offset, failure.getMessage());
    visit.context.output(LINKS, Quarantine.output(options, record, failure));
  }

  private void takePrograms() {
    V8Operator.Program program;
    while ((program = control.poll()) != null) {
      try {
        operator.addProgram(program);
      } catch (OperatorFailure failure) {
        metrics.programsRefused.inc();
        LOG.error("program {} of project {} is refused", program.version(), options.projects.get(program.project()), failure);
      }
    }
  }

  /** One call of Flink's about one key: its state, read once, and written once at the end. */
  private final class Visit {
    final Context context;
    final String key;
    final int project;
    final Collector<Output> out;
    final KeyHead head;
    boolean isChanged;

    Visit(Context context, String key, int project, Collector<Output> out) throws Exception {
      this.context = context;
      this.key = key;
      this.project = project;
      this.out = out;
      head = KeyHead.read(heads.value());
    }

    Turn turn(Turn.Operation operation) {
      return new Turn(project, Frames.utf8(key), head.state, Collections.singletonList(operation));
    }

    void commit(Turn.Result result, LogRecord cause) {
      if (result.state() != null) {
        head.state = result.state();
        isChanged = true;
      }
      if (head.dueMs != result.dueMs()) {
        head.dueMs = result.dueMs();
        isChanged = true;
      }
      for (Turn.Message message : result.messages()) send(message, cause);
    }

    private void send(Turn.Message message, LogRecord cause) {
      switch (message.channel()) {
        case Turn.PROFILES -> out.collect(output("profiles", message));
        case Turn.STEPS -> out.collect(output("steps", message));
        case Turn.TO_USER -> sendHandover(message, knownIds());
        case Turn.ANSWER -> sendHandover(message, Collections.emptyIterator());
        case Turn.EVENTS ->
            context.output(LINKS, new Output(options.logTopics().get(cause.topic), message.key(), message.value()));
        default -> throw new IllegalStateException("channel " + message.channel());
      }
    }

    private void sendHandover(Turn.Message message, Iterator<Long> known) {
      String topic = options.ownTopic(project, "handover");
      context.output(LINKS, new Output(topic, message.key(), Handovers.write(message.value(), known)));
    }

    private Output output(String topic, Turn.Message message) {
      return new Output(options.ownTopic(project, topic), message.key(), message.value());
    }

    private Iterator<Long> knownIds() {
      try {
        return ids.keys().iterator();
      } catch (Exception cause) {
        throw new IllegalStateException("the state backend cannot be read", cause);
      }
    }

    /** Sets the timer and writes the state. A timer that is too early only looks; it is not worth a deletion. */
    void end() throws Exception {
      if (head.heldRecords == 0 && head.dueMs < head.registeredMs) {
        context.timerService().registerEventTimeTimer(head.dueMs);
        head.registeredMs = head.dueMs;
        isChanged = true;
      }
      if (isChanged) heads.update(head.write());
    }
  }
}
