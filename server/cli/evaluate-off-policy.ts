// `attune evaluate --off-policy FILE`: what another policy would have brought, from logged choices with propensities.
// Each logging policy of the file answers for itself; where its log says too little, it says so.
import { readFileSync } from "node:fs";
import { addChoice, emptyOffPolicySums, offPolicyAnswer, type OffPolicySums } from "../../core/stats/off-policy.ts";
import { type OffPolicyView, offPolicyView } from "../../core/stats/off-policy-view.ts";
import { openEventFile } from "./event-file.ts";
import { parseFlags } from "./flags.ts";
import { UsageError } from "./usage.ts";

const USAGE = `attune evaluate --off-policy FILE
  FILE: a choice a line, as NDJSON or as TSV with a head (.gz too):
    action (or item, variant)   what was chosen
    propensity                  its probability under the policy that chose
    reward (or click, value)    what came of it
    policy                      who chose; optional
  --target uniform|F     the policy that is asked about: every action alike, or a JSON file {ACTION: probability}
  --by COLUMN            each value of the column on its own, such as a campaign
  --json                 the result as JSON`;

const ACTION = ["action", "item", "variant"];
const REWARD = ["reward", "click", "value"];
/** Actions of one part of the file; each choice looks at its own only. */
const ACTIONS_MAX = 100_000;
/** How many choices without a reward the model's expectation starts with. */
const PRIOR_CHOICES = 20;
const SUM_TOLERANCE = 0.01; // Probabilities are written with two or three places.
/** Products of larger ones are no numbers any more. */
const REWARD_MAX = 1e50;

interface Row {
  readonly part: string;
  readonly policy: string;
  readonly action: string;
  readonly reward: number;
  readonly propensity: number;
}

export interface OffPolicyRow extends OffPolicyView {
  /** Value of the `--by` column; empty without one. */
  part: string;
  /** Who logged. */
  policy: string;
  /** Mean reward of the policy that logged. */
  on_policy: number;
}

/** Exit code 0 when an answer was printed, a refusal included. Throws UsageError and EventFileError. */
export async function evaluateOffPolicy(args: string[], print: (text: string) => void): Promise<number> {
  const { values, positionals } = parseFlags({
    args,
    allowPositionals: true,
    options: {
      "off-policy": { type: "boolean" },
      target: { type: "string", default: "uniform" },
      by: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    print(`${USAGE}\n`);
    return 0;
  }
  if (positionals.length !== 1) throw new UsageError(`--off-policy takes one file (- for standard input)\n${USAGE}`);
  const rows = await readRows(positionals[0]!, values.by);
  const answers = estimates(rows, targetOf(values.target));
  print(values.json ? `${JSON.stringify({ target: values.target, estimates: answers })}\n` : table(answers));
  return 0;
}

type Target = "uniform" | Readonly<Record<string, number>>;

function targetOf(text: string): Target {
  if (text === "uniform") return text;
  try {
    const target = JSON.parse(readFileSync(text, "utf8")) as Record<string, unknown>;
    const isObject = typeof target === "object" && target !== null && !Array.isArray(target);
    const isGood = isObject && Object.values(target).every((p) => typeof p === "number" && p >= 0 && p <= 1);
    if (!isGood) throw new Error("a probability from 0 to 1 is needed for each action");
    const sum = (Object.values(target) as number[]).reduce((all, p) => all + p, 0);
    if (Math.abs(sum - 1) > SUM_TOLERANCE) throw new Error(`probabilities add up to 1, not to ${short(sum)}`);
    return target as Record<string, number>;
  } catch (cause) {
    const { message } = cause as Error;
    throw new UsageError(`--target takes uniform or a JSON file of {ACTION: probability}; ${text}: ${message}`, {
      cause,
    });
  }
}

async function readRows(path: string, by: string | undefined): Promise<Row[]> {
  const rows: Row[] = [];
  let head: string[] | undefined;
  for await (const lines of openEventFile(path).lines()) {
    for (const { number, text } of lines) {
      if (head === undefined && !text.startsWith("{")) {
        head = cellsOf(text);
        continue;
      }
      rows.push(rowOf(head === undefined ? parsed(text, number) : columns(head, text), { number, by }));
    }
  }
  if (rows.length === 0) throw new UsageError(`${path} holds no logged choice\n${USAGE}`);
  return rows;
}

function parsed(text: string, number: number): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    throw new UsageError(`line ${number} is no JSON: ${(cause as Error).message}`, { cause });
  }
}

/** Of a line that may have come from Windows. */
const cellsOf = (text: string): string[] => text.replace(/\r$/, "").split("\t");

function columns(head: readonly string[], text: string): Record<string, unknown> {
  const cells = cellsOf(text);
  return Object.fromEntries(head.map((name, i) => [name, cells[i]]));
}

function rowOf(fields: Record<string, unknown>, { number, by }: { number: number; by: string | undefined }): Row {
  const first = (names: readonly string[]): unknown => names.map((name) => fields[name]).find((value) => value != null && value !== "");
  const action = first(ACTION);
  const reward = Number(first(REWARD));
  const propensity = Number(fields["propensity"]);
  const isNamed = action !== undefined && typeof action !== "object";
  if (!isNamed || !(Math.abs(reward) <= REWARD_MAX) || !(propensity > 0 && propensity <= 1)) {
    throw new UsageError(`line ${number} needs an action, a reward and a propensity above 0 and at most 1\n${USAGE}`);
  }
  const part = by === undefined ? "" : String(fields[by] ?? "");
  return { part, policy: String(fields["policy"] ?? "log"), action: String(action), reward, propensity };
}

function estimates(rows: readonly Row[], target: Target): OffPolicyRow[] {
  const actions = new Map<string, Set<string>>();
  for (const { part, action } of rows) {
    const known = actions.get(part) ?? new Set<string>();
    actions.set(part, known.add(action));
    if (known.size > ACTIONS_MAX) throw new UsageError(`more than ${ACTIONS_MAX} different actions`);
  }
  const logs = new Map<string, Log>();
  for (const row of rows) {
    const key = `${row.part}\n${row.policy}`;
    let log = logs.get(key);
    if (log === undefined)
      logs.set(key, (log = new Log(row.part, row.policy, probabilities(target, actions.get(row.part)!))));
    log.add(row);
  }
  return [...logs.values()].map((log) => log.answer());
}

function probabilities(target: Target, actions: ReadonlySet<string>): ReadonlyMap<string, number> {
  return new Map(
    [...actions].map((action) => [action, target === "uniform" ? 1 / actions.size : Object.hasOwn(target, action) ? target[action]! : 0]),
  );
}

/** One policy's log of one part. */
class Log {
  readonly #part: string;
  readonly #policy: string;
  readonly #target: ReadonlyMap<string, number>;
  readonly #sums: OffPolicySums = emptyOffPolicySums();
  /** What a model expects of each action: its mean reward so far, started low; and of the target. */
  readonly #seen = new Map<string, { count: number; reward: number; expected: number }>();
  #expectedOfTarget = 0;
  #reward = 0;
  #isSigned = false;

  constructor(part: string, policy: string, target: ReadonlyMap<string, number>) {
    this.#part = part;
    this.#policy = policy;
    this.#target = target;
  }

  add({ action, reward, propensity }: Row): void {
    const probability = this.#target.get(action)!;
    const seen = this.#seen.get(action) ?? { count: 0, reward: 0, expected: 0 };
    addChoice(this.#sums, {
      weight: probability / propensity,
      reward,
      expected: seen.expected,
      expectedOfPolicy: this.#expectedOfTarget,
    });
    this.#reward += reward;
    if (reward < 0) this.#isSigned = true;
    const after = { count: seen.count + 1, reward: seen.reward + reward, expected: 0 };
    after.expected = after.reward / (after.count + PRIOR_CHOICES);
    this.#expectedOfTarget += probability * (after.expected - seen.expected);
    this.#seen.set(action, after);
  }

  answer(): OffPolicyRow {
    const view = offPolicyView(offPolicyAnswer(this.#sums, { isSigned: this.#isSigned }));
    return { part: this.#part, policy: this.#policy, on_policy: this.#reward / this.#sums.count, ...view };
  }
}

function table(rows: readonly OffPolicyRow[]): string {
  const shown = (estimate: OffPolicyView["ips"]): string =>
    estimate === null ? "–" : `${short(estimate.value)} (${short(estimate.low)} to ${short(estimate.high)})`;
  const cells = [
    ["log", "choices", "effective", "its own value", "IPS", "SNIPS", "doubly robust"],
    ...rows.map((row) => [
      row.part === "" ? row.policy : `${row.policy} ${row.part}`,
      String(row.choices),
      row.effective_sample_size.toFixed(1),
      short(row.on_policy),
      shown(row.ips),
      shown(row.snips),
      shown(row.doubly_robust),
    ]),
  ];
  const widths = cells[0]!.map((_, i) => Math.max(...cells.map((line) => line[i]!.length)));
  const lines = cells.map((line) =>
    line
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join("  ")
      .trimEnd(),
  );
  for (const { part, policy, refused } of rows) {
    if (refused !== null)
      lines.push(`${policy}${part === "" ? "" : ` ${part}`}: refused, ${refused.code}: ${refused.reason}`);
  }
  return `${lines.join("\n")}\n`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
