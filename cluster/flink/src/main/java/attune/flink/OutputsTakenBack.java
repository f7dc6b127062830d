package attune.flink;

/**
 * Kafka has rolled back a transaction whose checkpoint stands, so its outputs would be missing. The job restarts from
 * that checkpoint and writes them again; where it cannot, it fails with this until somebody helps, and never goes on
 * without.
 */
final class OutputsTakenBack extends RuntimeException {
  OutputsTakenBack(String transactionalId, String why, Throwable cause) {
    super("outputs of transaction " + transactionalId + " were taken back: " + why, cause);
  }
}
