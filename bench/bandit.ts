// Policies against each other on simulated visitors: what each loses against always showing the best variant, as a
// table and as a picture (docs/pictures/bandit-regret.svg). Seeded; the slots' own code decides and learns.
import { mkdirSync, writeFileSync } from "node:fs";
import { contextFeatures } from "../core/decide/context-features.ts";
import { armOf, emptyLearner, rewardArm, showArm } from "../core/decide/learner.ts";
import { probabilitiesOf } from "../core/decide/policies.ts";
import { rngFrom } from "../core/math/rng.ts";
import type { CompiledBandit } from "../core/program/compiled.ts";
import { compileProgram } from "../core/program/compile.ts";
import { pickBy, uniform } from "../core/stats/sample.ts";
import { printTable } from "./table.ts";

const VISITORS = 20_000;
const WORLDS = 10;
const SEED = 20_261_121;
const POINTS = 100;
const VARIANTS = ["a", "b", "c", "d", "e"];
const DEVICES = ["desktop", "mobile", "tablet"];
const COUNTRIES = ["DE", "FR", "NO", "SE"];
const POLICIES = ["epsilon_greedy", "thompson", "squarecb", "linucb"] as const;
type Policy = (typeof POLICIES)[number];
const PICTURE = new URL("../docs/pictures/bandit-regret.svg", import.meta.url);

/** Click rates: every variant has a level, every device and every country a favourite that it clicks more. */
function worldOf(seed: number): (variant: number, device: number, country: number) => number {
  const rng = rngFrom(seed);
  const level = VARIANTS.map(() => 0.02 + 0.02 * uniform(rng));
  const favourite = (count: number): number[] =>
    Array.from({ length: count }, () => rng.between(0, VARIANTS.length - 1));
  const [ofDevice, ofCountry] = [favourite(DEVICES.length), favourite(COUNTRIES.length)];
  return (variant, device, country) =>
    level[variant]! + (ofDevice[device] === variant ? 0.06 : 0) + (ofCountry[country] === variant ? 0.04 : 0);
}

export interface RegretCurve {
  readonly policy: Policy;
  /** Lost clicks after each hundredth of the visitors, mean over the worlds. */
  readonly regret: readonly number[];
  readonly cpuUsADecision: number;
}

export function regretOf(policy: Policy, options = { visitors: VISITORS, worlds: WORLDS, seed: SEED }): RegretCurve {
  const { visitors, worlds, seed } = options;
  const bandit = banditOf(policy);
  const regret = Array.from({ length: POINTS }, () => 0);
  const cpuBefore = process.cpuUsage();
  for (let world = 0; world < worlds; world++) {
    const rateOf = worldOf(seed + world);
    const rng = rngFrom(seed * 31 + world);
    const learner = emptyLearner(bandit.reward.key);
    for (const variant of VARIANTS) armOf(learner, variant);
    let lost = 0;
    for (let i = 0; i < visitors; i++) {
      const [device, country] = [rng.between(0, DEVICES.length - 1), rng.between(0, COUNTRIES.length - 1)];
      const context = { device: DEVICES[device]!, country: COUNTRIES[country]! };
      const atMs = i * 60_000;
      const features = contextFeatures(bandit.features, { person: undefined, context, nowMs: atMs });
      const probabilities = probabilitiesOf({ slot: "hero", variants: VARIANTS, features }, learner, bandit);
      const pick = pickBy(probabilities, uniform(rng));
      const choice = { variant: VARIANTS[pick]!, propensity: probabilities[pick]!, features, isShadow: false, expected: 0, learntMs: -1 };
      showArm(learner, choice, bandit, { atMs, visit: [] });
      if (uniform(rng) < rateOf(pick, device, country)) rewardArm(learner, choice, { before: 0, after: 1, visit: [] }, bandit);
      const rates = VARIANTS.map((_, variant) => rateOf(variant, device, country));
      lost += Math.max(...rates) - rates[pick]!;
      if ((i + 1) % (visitors / POINTS) === 0) regret[(i + 1) / (visitors / POINTS) - 1]! += lost / worlds;
    }
  }
  const { user } = process.cpuUsage(cpuBefore);
  return { policy, regret, cpuUsADecision: user / visitors / worlds };
}

function banditOf(policy: Policy): CompiledBandit {
  const variants = Object.fromEntries(VARIANTS.map((name) => [name, {}]));
  const compiled = compileProgram({ slots: { hero: { policy, variants, reward: { events: { click: 1 } } } } }, 1);
  if ("faults" in compiled) throw new Error(JSON.stringify(compiled.faults));
  return compiled.program.slots.get("hero")!.bandit!;
}

export async function bandit(): Promise<void> {
  const curves = POLICIES.map((policy) => regretOf(policy));
  console.log(`${VISITORS} visitors, ${VARIANTS.length} variants, mean of ${WORLDS} worlds:`);
  printTable(
    ["policy", "lost clicks after 2,000", "after 10,000", "after 20,000", "CPU µs a decision, learnt"],
    curves.map(({ policy, regret, cpuUsADecision }) => [policy, regret[9]!, regret[49]!, regret[99]!, cpuUsADecision]),
  );
  mkdirSync(new URL("./", PICTURE), { recursive: true });
  writeFileSync(PICTURE, pictureOf(curves));
}

const COLOURS: Readonly<Record<Policy, string>> = {
  epsilon_greedy: "#b5651d",
  thompson: "#8a4bc2",
  squarecb: "#2b57d3",
  linucb: "#1f8a5b",
};
const LABEL_HEIGHT = 15;
const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [720, 360, 56, 136, 32, 40];

function pictureOf(curves: readonly RegretCurve[]): string {
  const top = 100 * Math.ceil(Math.max(...curves.flatMap(({ regret }) => regret)) / 100);
  const x = (share: number): number => Math.round(LEFT + share * (WIDTH - LEFT - RIGHT));
  const y = (value: number): number => Math.round((TOP + (1 - value / top) * (HEIGHT - TOP - BOTTOM)) * 10) / 10;
  const grid = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(share * top)}" y2="${y(share * top)}" stroke="#8884"/>` +
      `<text x="${LEFT - 8}" y="${y(share * top) + 4}" text-anchor="end">${Math.round(share * top)}</text>` +
      `<text x="${x(share)}" y="${HEIGHT - 18}" text-anchor="middle">${Math.round(share * VISITORS)}</text>`,
  );
  // Labels from the top down, none over another.
  let free = 0;
  const byEnd = [...curves].sort((a, b) => b.regret.at(-1)! - a.regret.at(-1)!);
  const lines = byEnd.map(({ policy, regret }) => {
    const points = [[0, 0] as const, ...regret.map((value, i) => [(i + 1) / POINTS, value] as const)];
    const path = points.map(([share, value]) => `${x(share)},${y(value)}`).join(" ");
    const end = regret.at(-1)!;
    const labelY = Math.max(free, y(end) + 4);
    free = labelY + LABEL_HEIGHT;
    return (
      `<polyline points="${path}" fill="none" stroke="${COLOURS[policy]}" stroke-width="2"/>` +
      `<text x="${WIDTH - RIGHT + 8}" y="${labelY}" fill="${COLOURS[policy]}">${policy} ${Math.round(end)}</text>`
    );
  });
  const text = 'font-family="system-ui, sans-serif" font-size="12" fill="#6b7280"';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" ${text}>
<title>Clicks lost against always showing the best variant, by policy</title>
<text x="${LEFT}" y="18" font-size="13">Clicks lost against the best variant for each visitor, by visitors</text>
${[...grid, ...lines].join("\n")}
</svg>
`;
}
