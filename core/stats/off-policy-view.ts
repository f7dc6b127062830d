// Off-policy estimates in the public form.
import type { OffPolicyAnswer } from "./off-policy.ts";

export interface ValueView {
  value: number;
  low: number;
  high: number;
}

export interface OffPolicyView {
  choices: number;
  effective_sample_size: number;
  /** Set where the log says too little; then there are no values. */
  refused: { code: string; reason: string } | null;
  ips: ValueView | null;
  snips: ValueView | null;
  doubly_robust: ValueView | null;
}

export function offPolicyView({
  count,
  effectiveCount,
  refused,
  ips,
  snips,
  doublyRobust,
}: OffPolicyAnswer): OffPolicyView {
  return {
    choices: count,
    effective_sample_size: effectiveCount,
    refused: refused ?? null,
    ips: ips ?? null,
    snips: snips ?? null,
    doubly_robust: doublyRobust ?? null,
  };
}
