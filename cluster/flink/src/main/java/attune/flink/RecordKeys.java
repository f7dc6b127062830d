package attune.flink;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.ThreadLocalRandom;

/** Keys of records that are kept by time: cluster/wire/record-key.ts, restated. */
final class RecordKeys {
  private static final byte SEPARATOR = (byte) 0xff;
  private static final int TAIL_BYTES = 9;

  private RecordKeys() {}

  static byte[] ofItsOwn(byte[] personKey) {
    byte[] key = Arrays.copyOf(personKey, personKey.length + TAIL_BYTES);
    key[personKey.length] = SEPARATOR;
    long chance = ThreadLocalRandom.current().nextLong();
    for (int i = 1; i < TAIL_BYTES; i++) key[personKey.length + i] = (byte) (chance >>> (8 * (i - 1)));
    return key;
  }

  static String personKey(byte[] key) {
    int end = key.length - TAIL_BYTES;
    boolean isOfItsOwn = end >= 0 && key[end] == SEPARATOR;
    return new String(key, 0, isOfItsOwn ? end : key.length, StandardCharsets.UTF_8);
  }
}
