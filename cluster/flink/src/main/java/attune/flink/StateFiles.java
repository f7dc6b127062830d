package attune.flink;

import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo;
import org.apache.flink.runtime.state.KeyedStateBackend;
import org.apache.flink.state.rocksdb.RocksDBKeyedStateBackend;
import org.rocksdb.RocksDBException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The files of a subtask's state. What was deleted stays in RocksDB's files, and so in incremental checkpoints, until a
 * compaction comes by, which may be never: so an erasure has all of them compacted, beside the work. The heap's backend
 * has no files, and its checkpoints hold what lives only.
 */
final class StateFiles implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(StateFiles.class);

  /** Compactions pause this many times as long as they take: erasures without end cost a tenth of the disk's time. */
  private static final long PAUSE_FACTOR = 9;

  private static final long RETRY_MS = 60_000;

  private final RocksDBKeyedStateBackend<?> backend;
  private final List<String> states;
  private final ScheduledExecutorService thread;
  private final AtomicBoolean isDue = new AtomicBoolean();
  private volatile long notBeforeMs;

  /**
   * {@code states}: the names of all that the backend holds. The compaction of the last one, where it is not empty, begins
   * the manifest anew without the names of the others' former files.
   */
  StateFiles(KeyedStateBackend<?> backend, List<String> states) {
    this.backend = backend instanceof RocksDBKeyedStateBackend<?> rocks ? rocks : null;
    this.states = states;
    thread =
        this.backend == null
            ? null
            : Executors.newSingleThreadScheduledExecutor(task -> new Thread(task, "attune-state-files"));
  }

  /** Soon the files hold nothing that is deleted by now. */
  void compact() {
    if (backend != null && isDue.compareAndSet(false, true))
      schedule(Math.max(0, notBeforeMs - System.currentTimeMillis()));
  }

  private void schedule(long afterMs) {
    thread.schedule(this::compactNow, afterMs, TimeUnit.MILLISECONDS);
  }

  private void compactNow() {
    isDue.set(false);
    long startMs = System.currentTimeMillis();
    try {
      for (String state : states)
        backend.compactState(
            new ValueStateDescriptor<>(state, PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO));
    } catch (RocksDBException fault) {
      LOG.error("the state's files were not compacted; tried again", fault);
      if (isDue.compareAndSet(false, true)) schedule(RETRY_MS);
      return;
    }
    long endMs = System.currentTimeMillis();
    LOG.info("the state's files were compacted in {} ms", endMs - startMs);
    notBeforeMs = endMs + PAUSE_FACTOR * (endMs - startMs);
  }

  /** Waits for a compaction that is under way, also where the task is cancelled: RocksDB must not be closed before. */
  @Override
  public void close() {
    if (backend == null) return;
    thread.shutdownNow();
    boolean isInterrupted = false;
    boolean isOver = false;
    while (!isOver) {
      try {
        isOver = thread.awaitTermination(1, TimeUnit.MINUTES);
      } catch (InterruptedException interruption) {
        isInterrupted = true;
      }
    }
    if (isInterrupted) Thread.currentThread().interrupt();
  }
}
