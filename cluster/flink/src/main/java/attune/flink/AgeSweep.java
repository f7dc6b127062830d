package attune.flink;

import java.util.Iterator;
import java.util.stream.Stream;
import org.apache.flink.runtime.state.KeyedStateBackend;
import org.apache.flink.runtime.state.VoidNamespace;
import org.apache.flink.state.rocksdb.RocksDBKeyedStateBackend;

/**
 * Goes through all keys that there are, a few at a time beside the work: where other ages are in force than those that the
 * keys' timers were set by, or by a release that set none. Keys that come meanwhile have the right ones.
 */
final class AgeSweep implements AutoCloseable {
  /** With the pause after it, a tenth of the time. */
  private static final long SLICE_NS = 2_000_000;

  static final long PAUSE_MS = 18;

  interface Look {
    void at(String stateKey) throws Exception;
  }

  private final KeyedStateBackend<String> backend;
  private Stream<String> keys;
  private Iterator<String> rest;

  AgeSweep(KeyedStateBackend<String> backend) {
    this.backend = backend;
  }

  boolean isUnderWay() {
    return rest != null;
  }

  /** From the first key on, also where one is under way. */
  void begin() {
    close();
    keys = backend.getKeys(Persons.HEADS, VoidNamespace.INSTANCE);
    // RocksDB lists them as they are now; the heap's list must not change meanwhile, so it is taken down.
    rest = backend instanceof RocksDBKeyedStateBackend<?> ? keys.iterator() : keys.toList().iterator();
  }

  /** Looks at some more keys; true where those were the last. */
  boolean advance(Look look) throws Exception {
    long untilNs = System.nanoTime() + SLICE_NS;
    while (rest.hasNext()) {
      look.at(rest.next());
      if (System.nanoTime() > untilNs) return false;
    }
    close();
    return true;
  }

  /** The list holds files of RocksDB: it must be closed before those are. */
  @Override
  public void close() {
    if (keys != null) keys.close();
    keys = null;
    rest = null;
  }
}
