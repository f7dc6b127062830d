package attune.flink;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.MissingNode;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Whom the projects' ledgers name as erased: cluster/erasure/book.ts, restated. One thread uses it: the subtask's. */
final class Erasures {
  /** A value of the ledger, as it lies there. */
  record Entry(int project, byte[] value) {}

  /** {@code atMs}: everything of the key up to this log time counts as never written. */
  record Erased(int project, String key, long atMs) {}

  private static final Logger LOG = LoggerFactory.getLogger(Erasures.class);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String HMAC = "HmacSHA256";

  /** A record from before an erasure may be written so long after it, by whoever did not know yet. */
  private static final long LATE_MS = 600_000;

  private static final class Ledger {
    Mac mac;
    long newestAtMs = Long.MIN_VALUE;
    final Map<String, Long> erasedAt = new HashMap<>();
  }

  private final List<Ledger> ledgers = new ArrayList<>();

  Erasures(int projects) {
    for (int i = 0; i < projects; i++) ledgers.add(new Ledger());
  }

  boolean isEmpty() {
    return ledgers.stream().allMatch(ledger -> ledger.erasedAt.isEmpty());
  }

  /** Takes a value in; the keys that it names in the open, of a job that is not done. What is no value of ours is left out, as servers do. */
  List<Erased> take(Entry entry) {
    JsonNode value = read(entry.value);
    boolean isSalt = "salt".equals(value.path("kind").asText());
    if (!(isSalt ? value.path("salt").isTextual() : value.path("at").isIntegralNumber())) {
      LOG.error("left out: what lies in the ledger of erasures of project number {} and is no value of ours", entry.project);
      return List.of();
    }
    Ledger ledger = ledgers.get(entry.project);
    List<Erased> named = new ArrayList<>();
    if (isSalt) {
      if (ledger.mac == null) ledger.mac = mac(Base64.getUrlDecoder().decode(value.get("salt").asText()));
      return named;
    }
    long atMs = value.get("at").asLong();
    ledger.newestAtMs = Math.max(ledger.newestAtMs, atMs);
    for (JsonNode hash : value.path("hashes")) ledger.erasedAt.merge(hash.asText(), atMs, Math::max);
    for (JsonNode key : value.path("keys")) {
      ledger.erasedAt.merge(hash(ledger, key.asText()), atMs, Math::max);
      named.add(new Erased(entry.project, key.asText(), atMs));
    }
    return named;
  }

  /** Missing where it is no JSON. */
  private static JsonNode read(byte[] value) {
    try {
      return JSON.readTree(value);
    } catch (IOException cause) {
      return MissingNode.getInstance();
    }
  }

  /** Null where the key was never erased. */
  Erased find(int project, String key) {
    Ledger ledger = ledgers.get(project);
    if (ledger.erasedAt.isEmpty()) return null;
    Long atMs = ledger.erasedAt.get(hash(ledger, key));
    return atMs == null ? null : new Erased(project, key, atMs);
  }

  /** Null for a record that no erasure can concern; a handover's own time says nothing. */
  Erased find(LogRecord record) {
    Ledger ledger = ledgers.get(record.project);
    if (ledger.erasedAt.isEmpty()) return null;
    if (record.kind != LogRecord.HANDOVER && record.atMs - LATE_MS > ledger.newestAtMs) return null;
    return find(record.project, record.key);
  }

  private static String hash(Ledger ledger, String key) {
    if (ledger.mac == null) throw new IllegalStateException("the ledger of erasures has no salt");
    byte[] hash = ledger.mac.doFinal(key.getBytes(StandardCharsets.UTF_8));
    return Base64.getUrlEncoder().withoutPadding().encodeToString(hash);
  }

  private static Mac mac(byte[] salt) {
    try {
      Mac mac = Mac.getInstance(HMAC);
      mac.init(new SecretKeySpec(salt, HMAC));
      return mac;
    } catch (GeneralSecurityException cause) {
      throw new IllegalStateException(cause);
    }
  }
}
