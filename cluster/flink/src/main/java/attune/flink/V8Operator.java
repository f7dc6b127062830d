package attune.flink;

import com.caoccao.javet.exceptions.JavetException;
import com.caoccao.javet.exceptions.JavetTerminatedException;
import com.caoccao.javet.interop.V8Host;
import com.caoccao.javet.interop.V8Runtime;
import com.caoccao.javet.values.reference.V8ValueArrayBuffer;
import com.caoccao.javet.values.reference.V8ValueFunction;
import com.caoccao.javet.values.reference.V8ValueObject;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The operator's bundle in an isolate of its own. One thread uses it: the subtask's. */
final class V8Operator implements AutoCloseable {
  private static final int BUFFER_BYTES = 256 * 1024;
  private static final int BUFFER_BYTES_MAX = 256 * 1024 * 1024;
  private static final int MESSAGE_CHARACTERS_MAX = 1000;

  /** What V8 gets above its limit (1.4 GB) to stop in: where it has none it ends the whole process. */
  private static final long STOPPING_BYTES = 256 << 20;

  /** Of one output with its key. Kafka takes 1 MiB, with what else is in a record; one that it refuses would stop the job for ever. */
  private static final int OUTPUT_BYTES_MAX = 1_000_000;

  record Program(int project, int version, long atMs, String document) {}

  /** For how long persons of a project are kept after they were last seen, in ms; infinite: for ever. */
  record Ages(int project, double profilesMs, double visitorsMs) {
    boolean isForEver() {
      return Double.isInfinite(profilesMs) && Double.isInfinite(visitorsMs);
    }
  }

  private final String bundle;
  private final int projects;
  private final long passOnAfterMs;
  private final List<Program> programs = new ArrayList<>();
  private final List<Erasures.Erased> erasures = new ArrayList<>();
  private final Map<Integer, Ages> ages = new HashMap<>();
  private final Watchdog watchdog;
  private V8Runtime runtime;

  /** The call that runs has used up V8's memory. */
  private volatile boolean isFull;

  private V8ValueObject operator;
  private V8ValueFunction process;

  // V8 does not keep them: without these references the garbage collector would take the memory under it.
  private ByteBuffer input;
  private ByteBuffer output;

  V8Operator(String bundle, int projects, long passOnAfterMs, long watchdogMs) throws JavetException {
    this.bundle = bundle;
    this.projects = projects;
    this.passOnAfterMs = passOnAfterMs;
    watchdog = new Watchdog(watchdogMs);
    load();
  }

  /** Puts a program in force. A failure is the program's: it does not compile here. */
  void addProgram(Program program) throws OperatorFailure {
    try {
      put(program);
    } catch (JavetException cause) {
      throw failure(cause);
    }
    programs.add(program);
  }

  /** Tells of a key that was erased; once for each, before its next record. */
  void addErasure(Erasures.Erased erased) throws OperatorFailure {
    try {
      put(erased);
    } catch (JavetException cause) {
      throw failure(cause);
    }
    erasures.add(erased);
  }

  /** Puts ages in the place of those that the project had. */
  void setAges(Ages set) throws OperatorFailure {
    try {
      put(set);
    } catch (JavetException cause) {
      throw failure(cause);
    }
    ages.put(set.project, set);
  }

  /** Runs one key's turn. After a failure it is as if it had not been called. */
  Turn.Result run(Turn turn) throws OperatorFailure {
    return run(List.of(turn)).get(0);
  }

  List<Turn.Result> run(List<Turn> turns) throws OperatorFailure {
    int size = 16;
    for (Turn turn : turns) size += turn.sizeBytes();
    try {
      if (size > input.capacity()) attach(grown(size), output);
      input.clear();
      Frames.putVarint(input, turns.size());
      for (Turn turn : turns) turn.write(input);
      int length = call(input.position());
      output.clear().limit(length);
      int count = (int) Frames.varint(output);
      List<Turn.Result> results = new ArrayList<>(count);
      for (int i = 0; i < count; i++) results.add(fitting(turns.get(i).read(output)));
      return results;
    } catch (JavetTerminatedException cause) {
      boolean wasFull = isFull;
      reload();
      if (wasFull) throw new OperatorFailure(OperatorFailure.Reason.TOO_LARGE, "the code ran out of memory", cause);
      throw new OperatorFailure(OperatorFailure.Reason.ENDLESS, "the code did not end in time", cause);
    } catch (JavetException cause) {
      throw failure(cause);
    }
  }

  private static Turn.Result fitting(Turn.Result result) throws OperatorFailure {
    for (Turn.Message message : result.messages()) {
      int sizeBytes = message.key().length + message.value().length;
      if (sizeBytes > OUTPUT_BYTES_MAX)
        throw new OperatorFailure(OperatorFailure.Reason.TOO_LARGE, "an output would be " + sizeBytes + " bytes", null);
    }
    return result;
  }

  long heapBytes() {
    return runtime.getV8HeapStatistics().join().getUsedHeapSize();
  }

  @Override
  public void close() throws JavetException {
    watchdog.close();
    release();
  }

  private int call(int length) throws JavetException {
    watchdog.begin(runtime);
    try {
      int answer = process.callInteger(null, length);
      if (answer >= 0) return answer;
      attach(input, grown(-answer));
      return operator.invokeInteger("take");
    } finally {
      watchdog.end();
    }
  }

  private void load() throws JavetException {
    isFull = false;
    runtime = V8Host.getV8Instance().createV8Runtime();
    runtime.setNearHeapLimitCallback((limit, initial) -> {
      isFull = true;
      runtime.terminateExecution();
      return limit + STOPPING_BYTES;
    });
    runtime.getExecutor(bundle).executeVoid();
    operator = runtime.getGlobalObject().get("attune");
    process = operator.get("process");
    attach(direct(BUFFER_BYTES), direct(BUFFER_BYTES));
    for (int i = 0; i < projects; i++) operator.invokeVoid("addProject", (double) passOnAfterMs);
    for (Program program : programs) put(program);
    for (Erasures.Erased erased : erasures) put(erased);
    for (Ages set : ages.values()) put(set);
  }

  /** What was stopped in the middle may have left anything behind, and taken any memory: a new isolate. */
  private void reload() {
    try {
      release();
      load();
    } catch (JavetException cause) {
      throw new IllegalStateException("V8 cannot be started again", cause);
    }
  }

  private void release() throws JavetException {
    process.close();
    operator.close();
    runtime.close();
  }

  private void put(Program program) throws JavetException {
    operator.invokeVoid("addProgram", program.project, program.version, (double) program.atMs, program.document);
  }

  private void put(Erasures.Erased erased) throws JavetException {
    operator.invokeVoid("addErasure", erased.project(), erased.key(), (double) erased.atMs());
  }

  private void put(Ages set) throws JavetException {
    operator.invokeVoid("setAges", set.project, set.profilesMs, set.visitorsMs);
  }

  private void attach(ByteBuffer newInput, ByteBuffer newOutput) throws JavetException {
    try (V8ValueArrayBuffer in = runtime.createV8ValueArrayBuffer(newInput);
        V8ValueArrayBuffer out = runtime.createV8ValueArrayBuffer(newOutput)) {
      operator.invokeVoid("attach", in, out);
    }
    input = newInput;
    output = newOutput;
  }

  private static ByteBuffer grown(int size) {
    if (size > BUFFER_BYTES_MAX) throw new IllegalStateException("a frame of " + size + " bytes");
    return direct(Math.max(2 * size, BUFFER_BYTES));
  }

  private static ByteBuffer direct(int size) {
    return ByteBuffer.allocateDirect(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static OperatorFailure failure(JavetException cause) {
    String message = String.valueOf(cause.getMessage());
    String bounded = message.substring(0, Math.min(message.length(), MESSAGE_CHARACTERS_MAX));
    return new OperatorFailure(OperatorFailure.Reason.THREW, bounded, cause);
  }
}
