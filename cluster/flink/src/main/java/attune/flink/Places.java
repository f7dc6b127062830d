package attune.flink;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;

/** Where the records of one transaction lie: offsets by partition, exactly. A batch is one run, so they are few. */
final class Places {
  /** Of all partitions: 16 bytes each in memory. A transaction with more cannot be written again. */
  static final int RUNS_MAX = 1 << 18;

  private final Map<TopicPartition, Runs> partitions = new HashMap<>();
  private int runs;
  private boolean isWhole = true;

  /** Acknowledgements come a batch at a time. */
  private TopicPartition lastPartition;

  private Runs lastRuns;

  /** Offsets in ascending order: the first and the last one of each run. */
  static final class Runs {
    private long[] bounds = new long[8];
    private int length;

    long first() {
      return bounds[0];
    }

    long last() {
      return bounds[length - 1];
    }

    boolean contains(long offset) {
      int found = Arrays.binarySearch(bounds, 0, length, offset);
      // Between the first and the last one of a run the next bound is a last one.
      return found >= 0 || (-found - 1) % 2 == 1;
    }

    private boolean extend(long offset) {
      if (length == 0 || offset != last() + 1) return false;
      bounds[length - 1] = offset;
      return true;
    }

    private void begin(long first, long last) {
      if (length == bounds.length) bounds = Arrays.copyOf(bounds, 2 * length);
      bounds[length++] = first;
      bounds[length++] = last;
    }

    private long records() {
      long records = 0;
      for (int i = 0; i < length; i += 2) records += bounds[i + 1] - bounds[i] + 1;
      return records;
    }
  }

  /** Notes an acknowledged record. Those of one partition come in their order there. */
  void add(RecordMetadata record) {
    if (!record.hasOffset() || runs >= RUNS_MAX) {
      isWhole = false;
      return;
    }
    if (lastPartition == null
        || lastPartition.partition() != record.partition()
        || !lastPartition.topic().equals(record.topic())) {
      lastPartition = new TopicPartition(record.topic(), record.partition());
      lastRuns = partitions.computeIfAbsent(lastPartition, partition -> new Runs());
    }
    if (lastRuns.extend(record.offset())) return;
    isWhole &= lastRuns.length == 0 || record.offset() > lastRuns.last();
    lastRuns.begin(record.offset(), record.offset());
    runs++;
  }

  Map<TopicPartition, Runs> partitions() {
    return partitions;
  }

  /** Whether the place of every record is known. */
  boolean isWhole() {
    return isWhole;
  }

  long records() {
    return partitions.values().stream().mapToLong(Runs::records).sum();
  }

  void write(DataOutputStream out) throws IOException {
    out.writeBoolean(isWhole);
    out.writeInt(partitions.size());
    for (Map.Entry<TopicPartition, Runs> entry : partitions.entrySet()) {
      out.writeUTF(entry.getKey().topic());
      out.writeInt(entry.getKey().partition());
      Runs of = entry.getValue();
      out.writeInt(of.length);
      for (int i = 0; i < of.length; i++) out.writeLong(of.bounds[i]);
    }
  }

  static Places read(DataInputStream in) throws IOException {
    Places places = new Places();
    places.isWhole = in.readBoolean();
    int partitions = in.readInt();
    for (int i = 0; i < partitions; i++) {
      Runs of = new Runs();
      places.partitions.put(new TopicPartition(in.readUTF(), in.readInt()), of);
      int bounds = in.readInt();
      for (int j = 0; j < bounds; j += 2) of.begin(in.readLong(), in.readLong());
      places.runs += bounds / 2;
    }
    return places;
  }
}
