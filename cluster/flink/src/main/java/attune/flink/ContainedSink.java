package attune.flink;

import java.io.IOException;
import java.util.Collection;
import java.util.List;
import org.apache.flink.api.connector.sink2.Committer;
import org.apache.flink.api.connector.sink2.CommitterInitContext;
import org.apache.flink.api.connector.sink2.CommittingSinkWriter;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.StatefulSinkWriter;
import org.apache.flink.api.connector.sink2.SupportsCommitter;
import org.apache.flink.api.connector.sink2.SupportsWriterState;
import org.apache.flink.api.connector.sink2.WriterInitContext;
import org.apache.flink.connector.kafka.sink.KafkaCommittable;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.sink.KafkaWriterState;
import org.apache.flink.connector.kafka.sink.TwoPhaseCommittingStatefulSink.PrecommittingStatefulSinkWriter;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.streaming.api.connector.sink2.CommittableMessage;
import org.apache.flink.streaming.api.connector.sink2.SupportsPostCommitTopology;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connector's sink, whose faults restart the job and nothing else. What Kafka refuses, the connector's writer throws once
 * more when it is closed, and for a close that throws Flink ends the whole TaskManager, with all other jobs on it.
 */
class ContainedSink
    implements Sink<Output>,
        SupportsWriterState<Output, KafkaWriterState>,
        SupportsCommitter<KafkaCommittable>,
        SupportsPostCommitTopology<KafkaCommittable> {
  private static final Logger LOG = LoggerFactory.getLogger(ContainedSink.class);
  protected final KafkaSink<Output> sink;

  ContainedSink(KafkaSink<Output> sink) {
    this.sink = sink;
  }

  @Override
  public Writer createWriter(WriterInitContext context) throws IOException {
    return restoreWriter(context, List.of());
  }

  @Override
  public Writer restoreWriter(WriterInitContext context, Collection<KafkaWriterState> states) throws IOException {
    return new Writer(sink.restoreWriter(context, states));
  }

  @Override
  public Committer<KafkaCommittable> createCommitter(CommitterInitContext context) throws IOException {
    return sink.createCommitter(context);
  }

  @Override
  public SimpleVersionedSerializer<KafkaWriterState> getWriterStateSerializer() {
    return sink.getWriterStateSerializer();
  }

  @Override
  public SimpleVersionedSerializer<KafkaCommittable> getCommittableSerializer() {
    return sink.getCommittableSerializer();
  }

  @Override
  public void addPostCommitTopology(DataStream<CommittableMessage<KafkaCommittable>> committables) {
    sink.addPostCommitTopology(committables);
  }

  static class Writer
      implements StatefulSinkWriter<Output, KafkaWriterState>, CommittingSinkWriter<Output, KafkaCommittable> {
    private final PrecommittingStatefulSinkWriter<Output, KafkaWriterState, KafkaCommittable> writer;

    Writer(PrecommittingStatefulSinkWriter<Output, KafkaWriterState, KafkaCommittable> writer) {
      this.writer = writer;
    }

    @Override
    public void write(Output output, Context context) throws IOException, InterruptedException {
      writer.write(output, context);
    }

    @Override
    public void flush(boolean isEnd) throws IOException, InterruptedException {
      writer.flush(isEnd);
    }

    @Override
    public Collection<KafkaCommittable> prepareCommit() throws IOException, InterruptedException {
      return writer.prepareCommit();
    }

    @Override
    public List<KafkaWriterState> snapshotState(long checkpointId) throws IOException {
      return writer.snapshotState(checkpointId);
    }

    /** What a checkpoint holds was flushed before, with its faults; the rest comes again. */
    @Override
    public void close() {
      try {
        writer.close();
      } catch (Exception cause) {
        LOG.warn("a writer was closed with a fault", cause);
      }
    }
  }
}
