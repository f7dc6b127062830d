package attune.flink;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Properties;
import org.apache.flink.api.connector.sink2.Committer;
import org.apache.flink.api.connector.sink2.CommitterInitContext;
import org.apache.flink.connector.kafka.sink.KafkaCommittable;
import org.apache.flink.metrics.Counter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connector's committer, but for what it takes for a known failure and goes on without: a transaction that is gone.
 *
 * <p>While the job runs that makes it fail: it restarts from the checkpoint whose outputs these are, and what was
 * written since is taken back too. Then, before a subtask writes anything, its committer is told of the transaction
 * again, and finds out what became of it: committed, or taken back, and then its records are written again
 * ({@link OutputsAgain}). So the order of one person's records stays what it was, which a compacted topic needs.
 */
final class ResultCommitter implements Committer<KafkaCommittable> {
  private static final Logger LOG = LoggerFactory.getLogger(ResultCommitter.class);

  private final Committer<KafkaCommittable> committer;
  private final OutputsAgain again;
  private final Counter recordsAgain;

  ResultCommitter(Committer<KafkaCommittable> committer, Properties kafka, Options options, CommitterInitContext context) {
    this.committer = committer;
    again = new OutputsAgain(kafka, options, context.getTaskInfo().getNumberOfParallelSubtasks());
    recordsAgain = context.metricGroup().addGroup("attune").counter("records_written_again");
  }

  @Override
  public void commit(Collection<CommitRequest<KafkaCommittable>> requests) throws IOException, InterruptedException {
    List<Watched> watched = new ArrayList<>(requests.size());
    for (CommitRequest<KafkaCommittable> request : requests) watched.add(new Watched(request));
    committer.commit(List.copyOf(watched));
    for (Watched request : watched) if (request.failure != null) settle(request);
  }

  @Override
  public void close() throws Exception {
    committer.close();
  }

  private void settle(Watched request) throws IOException, InterruptedException {
    KafkaCommittable committable = request.getCommittable();
    String id = committable.getTransactionalId();
    if (!(committable instanceof PlacedCommittable placed))
      throw new OutputsTakenBack(id, "a release that kept no places wrote them; a backfill mends it", request.failure);
    long records = again.settle(placed);
    request.signalAlreadyCommitted();
    recordsAgain.inc(records);
    if (records == 0) LOG.info("transaction {} was committed before, or its records were written again before", id);
    else LOG.warn("transaction {} was taken back: its {} records were written again", id, records);
  }

  /** A request whose known failure is noted where it comes from a restored checkpoint, and else ends the job. */
  private static final class Watched implements CommitRequest<KafkaCommittable> {
    private final CommitRequest<KafkaCommittable> request;
    private Throwable failure;

    Watched(CommitRequest<KafkaCommittable> request) {
      this.request = request;
    }

    @Override
    public void signalFailedWithKnownReason(Throwable reason) {
      if (getCommittable().getProducer().isPresent())
        throw new OutputsTakenBack(getCommittable().getTransactionalId(), "they are written again", reason);
      failure = reason;
    }

    @Override
    public KafkaCommittable getCommittable() {
      return request.getCommittable();
    }

    @Override
    public int getNumberOfRetries() {
      return request.getNumberOfRetries();
    }

    @Override
    public void signalFailedWithUnknownReason(Throwable reason) {
      request.signalFailedWithUnknownReason(reason);
    }

    @Override
    public void retryLater() {
      request.retryLater();
    }

    @Override
    public void updateAndRetryLater(KafkaCommittable committable) {
      request.updateAndRetryLater(committable);
    }

    @Override
    public void signalAlreadyCommitted() {
      request.signalAlreadyCommitted();
    }
  }
}
