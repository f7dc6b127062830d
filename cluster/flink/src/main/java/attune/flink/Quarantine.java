package attune.flink;

import java.util.Base64;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;

/** A value of `quarantine` (cluster/wire/documents.ts): a record that was put aside, with its reason. */
final class Quarantine {
  private static final ObjectMapper JSON = new ObjectMapper();

  private Quarantine() {}

  static Output output(Options options, LogRecord record, OperatorFailure failure) {
    boolean isHandover = record.kind == LogRecord.HANDOVER;
    String topic = isHandover ? options.ownTopic(record.project, "handover") : options.logTopics().get(record.topic);
    ObjectNode value = JSON.createObjectNode();
    String id = topic + "/" + record.partition + "/" + record.offset;
    value.put("id", id).put("key", record.key).put("at", record.atMs);
    value.put("reason", failure.reason.name().toLowerCase()).put("message", failure.getMessage());
    value.put("record", Base64.getEncoder().encodeToString(record.value));
    return new Output(options.ownTopic(record.project, "quarantine"), Frames.utf8(id), Frames.utf8(value.toString()));
  }
}
