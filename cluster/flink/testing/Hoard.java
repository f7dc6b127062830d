package attune.flink;

import com.caoccao.javet.interop.options.V8RuntimeOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Runs a record whose code takes all memory, twice, then a look: {@code Hoard BUNDLE RECORD}. Says what came of each. */
final class Hoard {
  private static final int HEAP_MB = 64;
  private static final long WATCHDOG_MS = 100_000;

  public static void main(String[] args) throws Exception {
    V8RuntimeOptions.V8_FLAGS.setMaxHeapSize(HEAP_MB);
    byte[] record = Files.readAllBytes(Path.of(args[1]));
    try (V8Operator operator = new V8Operator(Files.readString(Path.of(args[0])), 1, 0, WATCHDOG_MS)) {
      for (int i = 0; i < 2; i++) System.out.println(outcome(operator, Turn.RECORD, record));
      System.out.println(outcome(operator, Turn.TIME, new byte[0]));
    }
  }

  private static String outcome(V8Operator operator, byte kind, byte[] value) {
    try {
      return "done " + operator.run(new Turn(0, Frames.utf8("u:1"), new byte[0], List.of(new Turn.Operation(kind, 1, value)))).done();
    } catch (OperatorFailure failure) {
      return failure.reason + " " + failure.getMessage();
    }
  }
}
