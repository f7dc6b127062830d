package attune.flink;

import com.caoccao.javet.interop.V8Runtime;

/**
 * Stops a call into V8 that does not end: JavaScript cannot be interrupted from its own thread. No call begins or ends while it
 * looks, so none is stopped for the one before; what V8 is told between two calls is forgotten when the next one begins.
 */
final class Watchdog implements AutoCloseable {
  private static final long LOOK_MS_MAX = 250;
  private final Thread thread;
  private final long limitMs;
  private V8Runtime runtime;

  /** When the call that is running began, in nanoseconds; 0 while none is. */
  private long startedNs;

  Watchdog(long limitMs) {
    this.limitMs = limitMs;
    thread = new Thread(this::run, "attune-watchdog");
    thread.setDaemon(true);
    thread.start();
  }

  synchronized void begin(V8Runtime of) {
    runtime = of;
    startedNs = System.nanoTime() | 1;
  }

  synchronized void end() {
    startedNs = 0;
  }

  private void run() {
    try {
      while (true) {
        Thread.sleep(Math.min(LOOK_MS_MAX, limitMs));
        look();
      }
    } catch (InterruptedException closed) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized void look() {
    if (startedNs == 0 || (System.nanoTime() - startedNs) / 1_000_000 < limitMs) return;
    runtime.terminateExecution();
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
