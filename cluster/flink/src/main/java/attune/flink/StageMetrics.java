package attune.flink;

import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.MetricGroup;

/** What a subtask counts, under `attune`. */
final class StageMetrics {
  private static final long HEAP_EVERY_MS = 10_000;
  final Counter records;
  final Counter duplicates;
  final Counter handovers;
  final Counter held;
  final Counter quarantined;
  final Counter timers;
  final Counter timersFailed;
  final Counter programsRefused;
  private volatile long heapBytes;
  private long sampledAtMs;

  StageMetrics(MetricGroup operator) {
    MetricGroup group = operator.addGroup("attune");
    records = group.counter("records");
    duplicates = group.counter("duplicates");
    handovers = group.counter("handovers");
    held = group.counter("held");
    quarantined = group.counter("quarantined");
    timers = group.counter("timers");
    timersFailed = group.counter("timers_failed");
    programsRefused = group.counter("programs_refused");
    group.gauge("v8_heap_bytes", (Gauge<Long>) () -> heapBytes);
  }

  /** Only the subtask's own thread may ask V8, so the gauge shows what it saw last. */
  void sampleHeap(V8Operator operator) {
    if ((records.getCount() & 0xff) != 0) return;
    long nowMs = System.currentTimeMillis();
    if (nowMs - sampledAtMs < HEAP_EVERY_MS) return;
    sampledAtMs = nowMs;
    heapBytes = operator.heapBytes();
  }
}
