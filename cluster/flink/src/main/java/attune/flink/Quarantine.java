package attune.flink;

import java.util.Base64;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;

/** A value of `quarantine` (cluster/wire/documents.ts): a record that was put aside, with its reason. */
final class Quarantine {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Larger ones, which no server writes, stay where the id says: in base64 they would not fit into a message. */
  private static final int RECORD_BYTES_MAX = 700_000;

  private static final int KEY_CHARACTERS_MAX = 1000;

  private Quarantine() {}

  static Output output(Options options, LogRecord record, OperatorFailure failure) {
    boolean isHandover = record.kind == LogRecord.HANDOVER;
    String topic = isHandover ? options.ownTopic(record.project, "handover") : options.logTopics().get(record.topic);
    ObjectNode value = JSON.createObjectNode();
    String id = topic + "/" + record.partition + "/" + record.offset;
    String key = record.key.substring(0, Math.min(record.key.length(), KEY_CHARACTERS_MAX));
    value.put("id", id).put("key", key).put("at", record.atMs);
    value.put("reason", failure.reason.name().toLowerCase()).put("message", failure.getMessage());
    value.put("record", record.value.length > RECORD_BYTES_MAX ? "" : Base64.getEncoder().encodeToString(record.value));
    return new Output(options.ownTopic(record.project, "quarantine"), Frames.utf8(id), Frames.utf8(value.toString()));
  }
}
