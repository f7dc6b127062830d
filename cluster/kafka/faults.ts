// What Kafka's client throws, in words for whoever runs the cluster.
import { AuthenticationError, NetworkError, TimeoutError, type ProtocolError } from "@platformatic/kafka";

const ASKED_IN_VAIN = [NetworkError, TimeoutError, AuthenticationError];

/** One line where brokers do not answer, or do not let us in; undefined for any other fault. */
export function sayAway(error: unknown): string | undefined {
  return chainOf(error).some((one) => ASKED_IN_VAIN.some((kind) => one instanceof kind))
    ? `Kafka does not answer: ${deepest(error as Error)}`
    : undefined;
}

/** Kafka answers, and this login may not: a right is missing, or was taken away. */
export function isRefusal(error: unknown): boolean {
  return chainOf(error).some((one) => String((one as ProtocolError).apiId).endsWith("_AUTHORIZATION_FAILED"));
}

/** One line where a right is missing; undefined for any other fault. */
export function sayRefused(error: unknown): string | undefined {
  if (!isRefusal(error)) return undefined;
  const asked = (error as Error).message;
  const said = deepest(error as Error);
  return `Kafka refuses it to attune's login: ${asked === said ? said : `${asked} ${said}`} ${RIGHTS}`;
}

export const RIGHTS = "The rights that it needs are listed in docs/guides/operator.md";

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
