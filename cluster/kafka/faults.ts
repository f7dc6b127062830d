// What Kafka's client throws, in words for whoever runs the cluster.
import { AuthenticationError, NetworkError, TimeoutError } from "@platformatic/kafka";

const ASKED_IN_VAIN = [NetworkError, TimeoutError, AuthenticationError];

/** One line where brokers do not answer, or do not let us in; undefined for any other fault. */
export function sayAway(error: unknown): string | undefined {
  return chainOf(error).some((one) => ASKED_IN_VAIN.some((kind) => one instanceof kind))
    ? `Kafka does not answer: ${deepest(error as Error)}`
    : undefined;
}

/** The client wraps what happened several times; the innermost message says it. */
export function deepest(error: Error): string {
  return chainOf(error).at(-1)!.message;
}

/** From the outside in; of several faults the last. */
function chainOf(error: unknown): Error[] {
  const chain: Error[] = [];
  for (let one = error; one instanceof Error; one = (one as AggregateError).errors?.at(-1) ?? one.cause) chain.push(one);
  return chain;
}
