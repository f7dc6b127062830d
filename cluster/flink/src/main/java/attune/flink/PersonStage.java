package attune.flink;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.flink.api.common.TaskInfo;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.apache.flink.runtime.state.StateInitializationContext;
import org.apache.flink.runtime.state.StateSnapshotContext;
import org.apache.flink.runtime.state.VoidNamespace;
import org.apache.flink.runtime.state.VoidNamespaceSerializer;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.BoundedOneInput;
import org.apache.flink.streaming.api.operators.InternalTimer;
import org.apache.flink.streaming.api.operators.InternalTimerService;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.operators.Triggerable;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.util.function.BiConsumerWithException;

/**
 * The persons stage, in batches: records that came together go through V8 in one call, and those of one person in one
 * turn, with one read and one write of his state and one profile. Nothing is in a batch when a barrier, a watermark or a
 * timer passes, so no state but the keys' own is ever snapshotted.
 */
final class PersonStage extends AbstractStreamOperator<Output>
    implements OneInputStreamOperator<LogRecord, Output>, Triggerable<String, VoidNamespace>, BoundedOneInput {
  private static final int BATCH_RECORDS_MAX = 64;

  /** How long a record waits for others. A visitor's burst lies together in the log, so longer would bring little. */
  private static final long BATCH_MS_MAX = 3;

  private static final String TIMERS = "timers";

  /** What Flink calls the states that timers lie in. */
  private static final List<String> TIMER_STATES =
      List.of("_timer_state/event_" + TIMERS, "_timer_state/processing_" + TIMERS);

  private static final long NONE = Long.MAX_VALUE;

  /** The state that says which ages the timers were set by. */
  private static final String AGES = "ages";

  private static final String NO_AGES = "";

  /** The state that says whose places keys begin with. */
  private static final String PROJECTS = "projects";

  private final Options options;
  private final String bundle;
  private transient List<LogRecord> batch;
  private transient boolean isFlushDue;
  private transient StageMetrics metrics;
  private transient V8Operator operator;
  private transient ControlReader control;
  private transient Persons persons;
  private transient InternalTimerService<VoidNamespace> timers;
  private transient Erasures erasures;
  private transient Set<String> told;

  private transient Map<Integer, V8Operator.Ages> ages;

  /** Which ages all timers were set by; another text while they are not. */
  private transient String timersBy;

  private transient ListState<String> timersByState;
  private transient ListState<String> projectsState;
  private transient AgeSweep sweep;

  /** What was restored may hold persons who were erased since. */
  private transient boolean isSwept;

  private transient StateFiles files;

  /** Something was deleted that files may still hold. */
  private transient boolean isCompactionDue;

  /** The checkpoint that is to come first: with it everything that was deleted reaches the files. */
  private transient long compactAfter;

  PersonStage(Options options, String bundle) {
    this.options = options;
    this.bundle = bundle;
  }

  @Override
  public void initializeState(StateInitializationContext context) throws Exception {
    super.initializeState(context);
    timersByState = context.getOperatorStateStore().getUnionListState(new ListStateDescriptor<>(AGES, Types.STRING));
    Set<String> restored = new HashSet<>();
    for (String by : timersByState.get()) restored.add(by);
    timersBy = restored.size() == 1 ? restored.iterator().next() : NO_AGES;
    projectsState = context.getOperatorStateStore().getUnionListState(new ListStateDescriptor<>(PROJECTS, Types.STRING));
    String given = String.join(",", options.projects);
    for (String ofState : projectsState.get())
      if (!(given + ',').startsWith(ofState + ','))
        throw new IllegalStateException(
            "the state is of projects " + ofState + ", and the job was given " + given + ": each must keep its place");
  }

  @Override
  public void snapshotState(StateSnapshotContext context) throws Exception {
    super.snapshotState(context);
    timersByState.update(List.of(timersBy));
    projectsState.update(List.of(String.join(",", options.projects)));
  }

  @Override
  public void open() throws Exception {
    super.open();
    batch = new ArrayList<>(BATCH_RECORDS_MAX);
    metrics = new StageMetrics(getMetricGroup());
    operator = new V8Operator(bundle, options.projects.size(), options.passOnAfterMs, options.watchdogMs);
    erasures = new Erasures(options.projects.size());
    told = new HashSet<>();
    control = new ControlReader(options, getUserCodeClassloader());
    control.awaitFirst();
    takePrograms();
    timers = getInternalTimerService(TIMERS, VoidNamespaceSerializer.INSTANCE, this);
    persons = new Persons(options, getRuntimeContext(), timers, operator, metrics, output);
    List<String> states = Stream.concat(TIMER_STATES.stream(), Persons.STATES.stream()).toList();
    files = new StateFiles(getKeyedStateBackend(), states);
    compactAfter = NONE;
    ages = Map.of();
    sweep = new AgeSweep(getKeyedStateBackend());
    takeAges();
  }

  @Override
  public void close() throws Exception {
    if (sweep != null) sweep.close();
    if (files != null) files.close();
    if (control != null) control.close();
    if (operator != null) operator.close();
    super.close();
  }

  @Override
  public void processElement(StreamRecord<LogRecord> element) throws Exception {
    batch.add(element.getValue());
    if (batch.size() >= BATCH_RECORDS_MAX) flush();
    else if (!isFlushDue) {
      isFlushDue = true;
      long nowMs = getProcessingTimeService().getCurrentProcessingTime();
      getProcessingTimeService().registerTimer(nowMs + BATCH_MS_MAX, timestamp -> flushInTime());
    }
  }

  @Override
  public void processWatermark(Watermark mark) throws Exception {
    flush();
    takeErasures();
    takeAges();
    super.processWatermark(mark);
  }

  @Override
  public void prepareSnapshotPreBarrier(long checkpointId) throws Exception {
    flush();
    super.prepareSnapshotPreBarrier(checkpointId);
    if (!isCompactionDue) return;
    isCompactionDue = false;
    compactAfter = checkpointId;
  }

  @Override
  public void notifyCheckpointComplete(long checkpointId) throws Exception {
    super.notifyCheckpointComplete(checkpointId);
    if (checkpointId < compactAfter) return;
    compactAfter = NONE;
    files.compact();
  }

  @Override
  public void endInput() throws Exception {
    flush();
  }

  @Override
  public void onEventTime(InternalTimer<String, VoidNamespace> timer) throws Exception {
    persons.due(timer.getKey(), timer.getTimestamp());
  }

  @Override
  public void onProcessingTime(InternalTimer<String, VoidNamespace> timer) throws Exception {
    flush();
    setCurrentKey(timer.getKey());
    persons.heldTooLong(timer.getKey(), timer.getTimestamp());
  }

  private void flushInTime() throws Exception {
    isFlushDue = false;
    flush();
  }

  private void flush() throws Exception {
    if (batch.isEmpty()) return;
    metrics.begin(operator, batch.size());
    long newestMs = 0;
    for (LogRecord record : batch)
      if (record.kind != LogRecord.HANDOVER) newestMs = Math.max(newestMs, record.atMs);
    control.await(newestMs);
    takePrograms();
    takeErasures();
    Map<String, List<LogRecord>> byKey = new LinkedHashMap<>();
    for (LogRecord record : batch)
      if (!isErased(record)) byKey.computeIfAbsent(record.stateKey(), key -> new ArrayList<>(1)).add(record);
    batch.clear();
    applyTogether(byKey);
    persons.sendSteps();
  }

  /** Whether it counts as never written. */
  private boolean isErased(LogRecord record) throws OperatorFailure {
    Erasures.Erased erased = erasures.find(record);
    if (erased == null) return false;
    tell(erased);
    return record.kind != LogRecord.HANDOVER && record.atMs <= erased.atMs();
  }

  private void tell(Erasures.Erased erased) throws OperatorFailure {
    if (told.add(LogRecord.stateKey(erased.project(), erased.key()) + ' ' + erased.atMs())) operator.addErasure(erased);
  }

  /** Forgets those whom the ledger names since the last look; at first whoever was restored with an older state. */
  private void takeErasures() throws Exception {
    List<Erasures.Erased> named = new ArrayList<>();
    Erasures.Entry entry;
    while ((entry = control.pollErasure()) != null) named.addAll(erasures.take(entry));
    if (!isSwept) {
      isSwept = true;
      named.addAll(restored());
      // Whoever was forgotten by the one before may be in the files that were restored.
      isCompactionDue = !erasures.isEmpty();
    }
    Set<String> forgotten = new HashSet<>();
    for (Erasures.Erased erased : named) {
      String stateKey = LogRecord.stateKey(erased.project(), erased.key());
      if (!isOurs(stateKey)) continue;
      setCurrentKey(stateKey);
      if (persons.visit(erased).erase(erased.atMs())) forgotten.add(stateKey);
      tell(erased);
    }
    if (forgotten.isEmpty()) return;
    forgetTimers(forgotten);
    isCompactionDue = true;
  }

  /** Timers name their key: those that are not due yet would stay in checkpoints for days. All are looked at once. */
  private void forgetTimers(Set<String> stateKeys) throws Exception {
    Map<String, List<Long>> found = new LinkedHashMap<>();
    BiConsumerWithException<VoidNamespace, Long, Exception> find =
        (namespace, timestamp) -> {
          String stateKey = (String) getCurrentKey();
          if (stateKeys.contains(stateKey)) found.computeIfAbsent(stateKey, key -> new ArrayList<>()).add(timestamp);
        };
    timers.forEachEventTimeTimer(find);
    for (Map.Entry<String, List<Long>> entry : found.entrySet()) {
      setCurrentKey(entry.getKey());
      for (long timestamp : entry.getValue()) timers.deleteEventTimeTimer(VoidNamespace.INSTANCE, timestamp);
    }
    found.clear();
    timers.forEachProcessingTimeTimer(find);
    for (Map.Entry<String, List<Long>> entry : found.entrySet()) {
      setCurrentKey(entry.getKey());
      for (long timestamp : entry.getValue()) timers.deleteProcessingTimeTimer(VoidNamespace.INSTANCE, timestamp);
    }
  }

  /** Where other ages are in force than the timers were set by, all keys are looked at once. */
  private void takeAges() throws OperatorFailure {
    if (ages.equals(control.ages())) return;
    ages = Map.copyOf(control.ages());
    for (V8Operator.Ages set : ages.values()) operator.setAges(set);
    String inForce = agesText();
    if (inForce.equals(timersBy)) return;
    timersBy = NO_AGES;
    if (ages.values().stream().allMatch(V8Operator.Ages::isForEver)) return;
    boolean isUnderWay = sweep.isUnderWay();
    sweep.begin();
    if (!isUnderWay) sweepSoon();
  }

  private void sweepSoon() {
    long nowMs = getProcessingTimeService().getCurrentProcessingTime();
    getProcessingTimeService().registerTimer(nowMs + AgeSweep.PAUSE_MS, timestamp -> sweepOn());
  }

  private void sweepOn() throws Exception {
    flush();
    boolean isDone = sweep.advance(stateKey -> {
      setCurrentKey(stateKey);
      persons.keepAges(stateKey);
    });
    if (isDone) timersBy = agesText();
    else sweepSoon();
  }

  private String agesText() {
    return new TreeMap<>(ages).values().stream()
        .map(of -> options.projects.get(of.project()) + " " + of.profilesMs() + " " + of.visitorsMs())
        .collect(Collectors.joining(", "));
  }

  private List<Erasures.Erased> restored() {
    if (erasures.isEmpty()) return List.of();
    try (Stream<String> keys = this.<String>getKeyedStateBackend().getKeys(Persons.HEADS, VoidNamespace.INSTANCE)) {
      return keys.map(this::erasedOf).filter(Objects::nonNull).toList();
    }
  }

  private Erasures.Erased erasedOf(String stateKey) {
    int split = stateKey.indexOf(' ');
    return erasures.find(Integer.parseInt(stateKey.substring(0, split)), stateKey.substring(split + 1));
  }

  private boolean isOurs(String stateKey) {
    TaskInfo task = getRuntimeContext().getTaskInfo();
    int most = task.getMaxNumberOfParallelSubtasks();
    int parallelism = task.getNumberOfParallelSubtasks();
    return KeyGroupRangeAssignment.assignKeyToParallelOperator(stateKey, most, parallelism)
        == task.getIndexOfThisSubtask();
  }

  /** All turns in one call; where that fails, or a turn is none for company, one record at a time. */
  private void applyTogether(Map<String, List<LogRecord>> byKey) throws Exception {
    List<Persons.Visit> visits = new ArrayList<>(byKey.size());
    List<Turn> turns = new ArrayList<>(byKey.size());
    for (Map.Entry<String, List<LogRecord>> entry : byKey.entrySet()) {
      setCurrentKey(entry.getKey());
      Persons.Visit visit = persons.visit(entry.getValue().get(0));
      List<LogRecord> fresh = visit.together(entry.getValue());
      if (fresh == null) oneByOne(entry.getKey(), entry.getValue());
      else if (!fresh.isEmpty()) {
        visits.add(visit);
        turns.add(visit.turn(fresh));
      }
    }
    if (turns.isEmpty()) return;
    List<Turn.Result> results = null;
    try {
      results = operator.run(turns);
    } catch (OperatorFailure failure) {
      LOG.warn("a batch of {} turns failed: one by one", turns.size(), failure);
    }
    for (int i = 0; i < visits.size(); i++) {
      Persons.Visit visit = visits.get(i);
      setCurrentKey(visit.stateKey());
      if (results == null || !visit.commitTogether(results.get(i))) oneByOne(visit.stateKey(), visit.together);
    }
  }

  private void oneByOne(String stateKey, List<LogRecord> records) throws Exception {
    setCurrentKey(stateKey);
    Persons.Visit visit = persons.visit(records.get(0));
    for (LogRecord record : records) visit.take(record);
    visit.end();
  }

  private void takePrograms() {
    V8Operator.Program program;
    while ((program = control.poll()) != null) {
      try {
        operator.addProgram(program);
      } catch (OperatorFailure failure) {
        metrics.programsRefused.inc();
        String project = options.projects.get(program.project());
        LOG.error("program {} of project {} is refused", program.version(), project, failure);
      }
    }
  }
}
