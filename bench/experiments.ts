// How often experiments cry wolf, and how often they see a difference: simulated persons, a look after every
// observation. Seeded; the experiment's own code decides.
import { alphaOf, compare } from "../core/experiment/compare.ts";
import { emptyRun, watchShares, type Run } from "../core/experiment/run.ts";
import { exp2 } from "../core/math/exp2.ts";
import { rngFrom, type Rng } from "../core/math/rng.ts";
import { compileProgram } from "../core/program/compile.ts";
import type { CompiledExperiment } from "../core/program/compiled.ts";
import { addPerson, changeOutcome } from "../core/stats/moments.ts";
import { normal, pickBy, uniform } from "../core/stats/sample.ts";
import { printTable } from "./table.ts";

const AA_RUNS = 2_000;
const AB_RUNS = 200;
const SEED = 20_261_121;

export interface Scenario {
  readonly name: string;
  readonly kind: "conversion" | "revenue";
  readonly weights: readonly number[];
  readonly persons: number;
  /** Of control. */
  readonly rate: number;
  /** Of the other variants, relative to control. */
  readonly lift: number;
  /** How much the covariate says of the outcome: 0 nothing. */
  readonly known: number;
}

export interface SimulatedRun {
  /** Persons at the first moment at which an interval left 0 out; undefined where none did. */
  readonly alarmAt: number | undefined;
  /** The same where the sample ratio was doubted at 5 %. */
  readonly mismatched: boolean;
  /** The true lift was left out by an interval at some moment. */
  readonly missed: boolean;
}

function experimentOf({ kind, weights }: Scenario): CompiledExperiment {
  const compiled = compileProgram(
    {
      experiments: {
        e: {
          variants: Object.fromEntries(weights.map((weight, i) => [`v${i}`, { weight }])),
          metrics: { m: kind === "conversion" ? { kind, event: "purchase" } : { kind } },
        },
      },
    },
    1,
  );
  if ("faults" in compiled) throw new Error(JSON.stringify(compiled.faults));
  return compiled.program.experiments[0]!;
}

/** One experiment from its first person to its last. Outcomes come up to 200 persons after the exposure. */
export function simulate(scenario: Scenario, rng: Rng): SimulatedRun {
  const experiment = experimentOf(scenario);
  const run: Run = emptyRun(experiment, 0);
  const shares = experiment.variants.map(({ share }) => share);
  const due = new Map<number, { variant: number; x: number; outcome: number }[]>();
  let alarmAt: number | undefined;
  let missed = false;
  let mismatched = false;
  const look = (person: number): void => {
    for (let variant = 1; variant < shares.length; variant++) {
      const { lift, difference } = compare(run, experiment, { metric: 0, variant, alpha: alphaOf(experiment) });
      if (difference !== undefined && (difference.low > 0 || difference.high < 0)) alarmAt ??= person;
      if (lift !== undefined && (lift.low > scenario.lift || lift.high < scenario.lift)) missed = true;
    }
  };
  for (let person = 0; person < scenario.persons; person++) {
    const variant = pickBy(shares, uniform(rng));
    const x = normal(rng);
    const sums = run.variants[variant]!;
    sums.users++;
    addPerson(sums.moments[0]!, x, 0);
    watchShares(run, experiment);
    if (run.mismatch > Math.log(20)) mismatched = true;
    const chance = scenario.rate * (1 + (variant === 0 ? 0 : scenario.lift)) * exp2(scenario.known * x);
    if (uniform(rng) < chance) {
      const outcome = scenario.kind === "conversion" ? 1 : 40 * exp2(normal(rng));
      const at = person + rng.between(0, 200);
      due.set(at, [...(due.get(at) ?? []), { variant, x, outcome }]);
    }
    look(person);
    for (const { variant: own, x: known, outcome } of due.get(person) ?? []) {
      changeOutcome(run.variants[own]!.moments[0]!, known, 0, outcome);
      look(person);
    }
    due.delete(person);
  }
  return { alarmAt, mismatched, missed };
}

const EQUAL = { lift: 0, known: 0 };
export const AA_SCENARIOS: readonly Scenario[] = [
  { name: "conversion 5 %, 50:50", kind: "conversion", weights: [1, 1], persons: 2_000, rate: 0.05, ...EQUAL },
  { name: "conversion 1 %, 90:10", kind: "conversion", weights: [9, 1], persons: 2_000, rate: 0.01, ...EQUAL },
  {
    name: "conversion 30 %, 50:50, covariate",
    kind: "conversion",
    weights: [1, 1],
    persons: 2_000,
    rate: 0.3,
    lift: 0,
    known: 0.8,
  },
  { name: "revenue of 5 %, heavy tail, 50:50", kind: "revenue", weights: [1, 1], persons: 2_000, rate: 0.05, ...EQUAL },
  {
    name: "conversion 5 %, three variants",
    kind: "conversion",
    weights: [1, 1, 1],
    persons: 2_000,
    rate: 0.05,
    ...EQUAL,
  },
];
const AB_SCENARIOS: readonly Scenario[] = [0.2, 0.5].flatMap((lift): Scenario[] => [
  {
    name: `conversion 10 %, ${100 * lift} % more`,
    kind: "conversion",
    weights: [1, 1],
    persons: 10_000,
    rate: 0.1,
    lift,
    known: 0,
  },
  {
    name: `conversion 10 %, ${100 * lift} % more, covariate`,
    kind: "conversion",
    weights: [1, 1],
    persons: 10_000,
    rate: 0.1,
    lift,
    known: 0.8,
  },
]);

export async function experiments(): Promise<void> {
  const rate = (runs: readonly SimulatedRun[], holds: (run: SimulatedRun) => boolean): string =>
    `${((100 * runs.filter(holds).length) / runs.length).toFixed(1)} %`;
  const all = (scenario: Scenario, count: number): SimulatedRun[] =>
    Array.from({ length: count }, (_, i) => simulate(scenario, rngFrom(SEED + i)));
  console.log(`A/A, ${AA_RUNS} runs each, a look after every observation:`);
  printTable(
    ["persons see no difference", "false alarms", "sample ratio doubted at 5 %"],
    AA_SCENARIOS.map((scenario) => {
      const runs = all(scenario, AA_RUNS);
      return [
        scenario.name,
        rate(runs, ({ alarmAt }) => alarmAt !== undefined),
        rate(runs, ({ mismatched }) => mismatched),
      ];
    }),
  );
  console.log(`\nA/B, ${AB_RUNS} runs each, at most 10,000 persons:`);
  printTable(
    ["difference", "found (power)", "persons until then, median", "interval missed the truth at some moment"],
    AB_SCENARIOS.map((scenario) => {
      const runs = all(scenario, AB_RUNS);
      const found = runs.flatMap(({ alarmAt }) => (alarmAt === undefined ? [] : [alarmAt])).sort((a, b) => a - b);
      const median = found[Math.floor(found.length / 2)];
      return [
        scenario.name,
        rate(runs, ({ alarmAt }) => alarmAt !== undefined),
        median === undefined ? "–" : String(median),
        rate(runs, ({ missed }) => missed),
      ];
    }),
  );
}
