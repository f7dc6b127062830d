package attune.flink;

/** Code in V8 threw, or did not end in time: nothing of the frame has happened. */
final class OperatorFailure extends Exception {
  enum Reason {
    THREW,
    ENDLESS,
    TOO_LARGE
  }

  final Reason reason;

  OperatorFailure(Reason reason, String message, Throwable cause) {
    super(message, cause);
    this.reason = reason;
  }
}
