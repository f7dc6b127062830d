package attune.flink;

import java.io.IOException;
import java.util.Collection;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Properties;
import java.util.function.Consumer;
import org.apache.flink.api.common.JobInfo;
import org.apache.flink.api.common.TaskInfo;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.api.common.operators.ProcessingTimeService;
import org.apache.flink.api.common.serialization.SerializationSchema;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.connector.sink2.Committer;
import org.apache.flink.api.connector.sink2.CommitterInitContext;
import org.apache.flink.api.connector.sink2.WriterInitContext;
import org.apache.flink.connector.kafka.sink.KafkaCommittable;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.sink.KafkaWriterState;
import org.apache.flink.connector.kafka.sink.TwoPhaseCommittingStatefulSink.PrecommittingStatefulSinkWriter;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.metrics.groups.SinkWriterMetricGroup;
import org.apache.flink.util.UserCodeClassLoader;
import org.apache.kafka.clients.producer.RecordMetadata;

/**
 * The connector's sink, exactly once, that notes where its records lie, so that a transaction which Kafka takes back
 * between a checkpoint and its commit is written again ({@link ResultCommitter}). The connector's goes on without it.
 */
final class ResultSink extends ContainedSink {
  private final Properties kafka;
  private final Options options;

  /** @param kafka what {@code sink} was made with */
  ResultSink(KafkaSink<Output> sink, Properties kafka, Options options) {
    super(sink);
    this.kafka = kafka;
    this.options = options;
  }

  @Override
  public Writer restoreWriter(WriterInitContext context, Collection<KafkaWriterState> states) throws IOException {
    Acknowledged acknowledged = new Acknowledged();
    int parallelism = context.getTaskInfo().getNumberOfParallelSubtasks();
    return new NotingWriter(sink.restoreWriter(new Noting(context, acknowledged), states), acknowledged, parallelism);
  }

  @Override
  public Committer<KafkaCommittable> createCommitter(CommitterInitContext context) throws IOException {
    return new ResultCommitter(sink.createCommitter(context), kafka, options, context);
  }

  @Override
  public SimpleVersionedSerializer<KafkaCommittable> getCommittableSerializer() {
    return new PlacedCommittable.Serializer(sink.getCommittableSerializer());
  }

  /** Written by the producer's thread, taken by the task's, which has waited for every acknowledgement. */
  private static final class Acknowledged implements Consumer<RecordMetadata> {
    private Places places = new Places();

    @Override
    public synchronized void accept(RecordMetadata record) {
      places.add(record);
    }

    synchronized Places take() {
      Places taken = places;
      places = new Places();
      return taken;
    }
  }

  private static final class NotingWriter extends Writer {
    private final Acknowledged acknowledged;
    private final int parallelism;

    private NotingWriter(
        PrecommittingStatefulSinkWriter<Output, KafkaWriterState, KafkaCommittable> writer,
        Acknowledged acknowledged,
        int parallelism) {
      super(writer);
      this.acknowledged = acknowledged;
      this.parallelism = parallelism;
    }

    /** Comes after a flush: each record is acknowledged. */
    @Override
    public Collection<KafkaCommittable> prepareCommit() throws IOException, InterruptedException {
      Places places = acknowledged.take();
      return super.prepareCommit().stream()
          .<KafkaCommittable>map(committable -> new PlacedCommittable(committable, places, parallelism))
          .toList();
    }
  }

  /** A writer's context that hears of each acknowledgement. */
  private record Noting(WriterInitContext context, Acknowledged acknowledged) implements WriterInitContext {
    /** The sink asks for that of its own acknowledgements, and knows no other. */
    @Override
    @SuppressWarnings("unchecked")
    public <T> Optional<Consumer<T>> metadataConsumer() {
      return Optional.of((Consumer<T>) acknowledged);
    }

    @Override
    public UserCodeClassLoader getUserCodeClassLoader() {
      return context.getUserCodeClassLoader();
    }

    @Override
    public MailboxExecutor getMailboxExecutor() {
      return context.getMailboxExecutor();
    }

    @Override
    public ProcessingTimeService getProcessingTimeService() {
      return context.getProcessingTimeService();
    }

    @Override
    public SinkWriterMetricGroup metricGroup() {
      return context.metricGroup();
    }

    @Override
    public SerializationSchema.InitializationContext asSerializationSchemaInitializationContext() {
      return context.asSerializationSchemaInitializationContext();
    }

    @Override
    public boolean isObjectReuseEnabled() {
      return context.isObjectReuseEnabled();
    }

    @Override
    public <T> TypeSerializer<T> createInputSerializer() {
      return context.createInputSerializer();
    }

    @Override
    public OptionalLong getRestoredCheckpointId() {
      return context.getRestoredCheckpointId();
    }

    @Override
    public JobInfo getJobInfo() {
      return context.getJobInfo();
    }

    @Override
    public TaskInfo getTaskInfo() {
      return context.getTaskInfo();
    }
  }
}
