import com.caoccao.javet.interop.V8Host;
import com.caoccao.javet.interop.V8Runtime;
import com.caoccao.javet.values.reference.V8ValueObject;
import java.nio.file.Files;
import java.nio.file.Path;

/** Runs the golden vectors in the V8 that the job uses: {@code Vectors BUNDLE PERSON_JSON ENGINE_JSON}. */
public final class Vectors {
  public static void main(String[] args) throws Exception {
    try (V8Runtime runtime = V8Host.getV8Instance().createV8Runtime()) {
      runtime.getExecutor(Files.readString(Path.of(args[0]))).executeVoid();
      try (V8ValueObject attune = runtime.getGlobalObject().get("attune")) {
        String person = Files.readString(Path.of(args[1]));
        String engine = Files.readString(Path.of(args[2]));
        System.out.println(attune.invokeString("run", person, engine));
      }
    }
  }
}
