package attune.flink;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import org.apache.flink.connector.kafka.sink.KafkaCommittable;
import org.apache.flink.core.io.SimpleVersionedSerializer;

/** A transaction that is about to be committed, with the places of its records. */
final class PlacedCommittable extends KafkaCommittable {
  final Places places;

  /** Subtasks that wrote beside this one. */
  final int parallelism;

  PlacedCommittable(KafkaCommittable of, Places places, int parallelism) {
    super(of.getProducerId(), of.getEpoch(), of.getTransactionalId(), of.getProducer().orElse(null));
    this.places = places;
    this.parallelism = parallelism;
  }

  /** Kafka's own bytes, then ours: a sink without us reads the first half, and we read what such a one wrote. */
  static final class Serializer implements SimpleVersionedSerializer<KafkaCommittable> {
    private static final int VERSION = 2;

    private final SimpleVersionedSerializer<KafkaCommittable> own;

    Serializer(SimpleVersionedSerializer<KafkaCommittable> own) {
      this.own = own;
    }

    @Override
    public int getVersion() {
      return VERSION;
    }

    @Override
    public byte[] serialize(KafkaCommittable committable) throws IOException {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      DataOutputStream out = new DataOutputStream(bytes);
      byte[] ownBytes = own.serialize(committable);
      out.write(ownBytes);
      if (committable instanceof PlacedCommittable placed) {
        out.writeInt(placed.parallelism);
        placed.places.write(out);
      }
      return bytes.toByteArray();
    }

    @Override
    public KafkaCommittable deserialize(int version, byte[] bytes) throws IOException {
      KafkaCommittable committable = own.deserialize(own.getVersion(), bytes);
      int read = own.serialize(committable).length;
      if (read == bytes.length) return committable;
      DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes, read, bytes.length - read));
      int parallelism = in.readInt();
      return new PlacedCommittable(committable, Places.read(in), parallelism);
    }
  }
}
