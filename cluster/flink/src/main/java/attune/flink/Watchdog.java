package attune.flink;

import com.caoccao.javet.interop.V8Runtime;

/** Stops a call into V8 that does not end: JavaScript cannot be interrupted from its own thread. */
final class Watchdog implements AutoCloseable {
  private static final long LOOK_MS_MAX = 250;
  private final Thread thread;
  private final long limitMs;
  private volatile V8Runtime runtime;

  /** When the call that is running began, in nanoseconds; 0 while none is. */
  private volatile long startedNs;

  Watchdog(long limitMs) {
    this.limitMs = limitMs;
    thread = new Thread(this::run, "attune-watchdog");
    thread.setDaemon(true);
    thread.start();
  }

  void begin(V8Runtime of) {
    runtime = of;
    startedNs = System.nanoTime() | 1;
  }

  void end() {
    startedNs = 0;
  }

  private void run() {
    try {
      while (true) {
        Thread.sleep(Math.min(LOOK_MS_MAX, limitMs));
        long started = startedNs;
        if (started == 0 || (System.nanoTime() - started) / 1_000_000 < limitMs) continue;
        runtime.terminateExecution();
      }
    } catch (InterruptedException closed) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
