package attune.flink;

import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.MetricGroup;

/** What a subtask counts, under `attune`. */
final class StageMetrics {
  private static final long HEAP_EVERY_MS = 10_000;
  final Counter records;
  final Counter batches;
  final Counter duplicates;
  final Counter handovers;
  final Counter held;
  final Counter quarantined;
  final Counter erased;
  final Counter expired;
  final Counter timers;
  final Counter timersFailed;
  final Counter programsRefused;
  private volatile long heapBytes;
  private long sampledAtMs;

  StageMetrics(MetricGroup operator) {
    MetricGroup group = operator.addGroup("attune");
    records = group.counter("records");
    batches = group.counter("batches");
    duplicates = group.counter("duplicates");
    handovers = group.counter("handovers");
    held = group.counter("held");
    quarantined = group.counter("quarantined");
    erased = group.counter("erased");
    expired = group.counter("expired");
    timers = group.counter("timers");
    timersFailed = group.counter("timers_failed");
    programsRefused = group.counter("programs_refused");
    group.gauge("v8_heap_bytes", (Gauge<Long>) () -> heapBytes);
  }

  /** Counts a batch. Only the subtask's own thread may ask V8, so the gauge of its heap shows what it saw last. */
  void begin(V8Operator operator, int batchRecords) {
    records.inc(batchRecords);
    batches.inc();
    long nowMs = System.currentTimeMillis();
    if (nowMs - sampledAtMs < HEAP_EVERY_MS) return;
    sampledAtMs = nowMs;
    heapBytes = operator.heapBytes();
  }
}
