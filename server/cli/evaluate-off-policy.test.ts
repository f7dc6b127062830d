// Logged bandit feedback through the command: the answer where the log can carry it, a refusal where it cannot.
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { rngFrom } from "../../core/math/rng.ts";
import { evaluateCommand } from "./evaluate.ts";
import type { OffPolicyRow } from "./evaluate-off-policy.ts";

const folder = mkdtempSync(join(tmpdir(), "attune-ope-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function estimates(...args: string[]): Promise<OffPolicyRow[]> {
  let text = "";
  equal(await evaluateCommand(["--off-policy", "--json", ...args], (part) => (text += part)), 0);
  return (JSON.parse(text) as { estimates: OffPolicyRow[] }).estimates;
}

/** Three actions worth 0.1, 0.3 and 0.5; the log prefers the first. */
function simulated(): string {
  const rng = rngFrom(6);
  const [probabilities, values] = [
    [0.7, 0.2, 0.1],
    [10, 30, 50],
  ];
  const lines = Array.from({ length: 6_000 }, () => {
    const lot = rng.between(0, 9);
    const action = lot < 7 ? 0 : lot < 9 ? 1 : 2;
    const reward = Number(rng.between(0, 99) < values[action]!);
    return JSON.stringify({ action: `a${action}`, propensity: probabilities[action], reward });
  });
  return file("log.ndjson", lines.join("\n"));
}

test("each estimator's interval holds the value of the policy that is asked about", async () => {
  const path = simulated();
  const [uniform] = await estimates(path);
  for (const { low, high } of [uniform!.ips!, uniform!.snips!, uniform!.doubly_robust!]) ok(low < 0.3 && 0.3 < high);
  ok(Math.abs(uniform!.on_policy - 0.18) < 0.02);
  const last = file("target.json", JSON.stringify({ a2: 1 }));
  const [always] = await estimates("--target", last, path);
  for (const { low, high } of [always!.ips!, always!.snips!, always!.doubly_robust!]) ok(low < 0.5 && 0.5 < high);
  const width = ({ low, high }: { low: number; high: number }) => high - low;
  ok(width(always!.doubly_robust!) <= width(always!.ips!));
});

test("a policy that the log never followed is refused, with the reason", async () => {
  const lines = Array.from({ length: 200 }, () => "a\t1\t0");
  const path = file("one.tsv", ["action\tpropensity\treward", ...lines].join("\n"));
  const other = file("other.json", JSON.stringify({ b: 1 }));
  const [row] = await estimates("--target", other, path);
  deepEqual([row!.refused!.code, row!.ips], ["no_overlap", null]);
  let text = "";
  await evaluateCommand(["--off-policy", "--target", other, path], (part) => (text += part));
  ok(/refused, no_overlap: the log covers about 0 %/.test(text), text);
});

test("a line without a propensity is named", async () => {
  const path = file("bad.ndjson", '{"action":"a","propensity":0.5,"reward":1}\n{"action":"a","reward":1}\n');
  await rejects(estimates(path), /line 2 needs/);
});

test("what is no log and no policy is refused, lines from Windows are taken", async () => {
  const tsv = (rows: string[], end: string) => ["action\treward\tpropensity", ...rows, ""].join(end);
  const rows = Array.from({ length: 200 }, (_, i) => `a${i % 2}\t${i % 2}\t0.5`);
  const [unix, windows] = [file("unix.tsv", tsv(rows, "\n")), file("windows.tsv", tsv(rows, "\r\n"))];
  deepEqual(await estimates(windows), await estimates(unix));
  await rejects(estimates(file("open.tsv", tsv(["a\t\t0.5"], "\n"))), /line 2 needs/);
  await rejects(estimates(file("object.ndjson", '{"action":{"id":1},"propensity":0.5,"reward":1}')), /line 1 needs/);
  await rejects(estimates(file("vast.ndjson", '{"action":"a","propensity":0.5,"reward":1e308}')), /line 1 needs/);
  for (const target of ['{"a0":0.9,"a1":0.9}', '{"a0":0.2}', "[1]", "null"]) {
    await rejects(estimates("--target", file("no-policy.json", target), unix), /--target takes/);
  }
  const [constructed] = await estimates("--target", file("a1.json", '{"a1":1}'), file("names.ndjson", '{"action":"constructor","propensity":1,"reward":1}\n'.repeat(60)));
  equal(constructed!.effective_sample_size, 0);
});

const data = resolve(import.meta.dirname, "../../../shared/data/open_bandit/bandit.tsv.gz");
const skip = existsSync(data) ? false : "../shared/data/open_bandit is not there";

test(
  "open_bandit: men's random policy lies in the interval of the other policy's log; women's is refused",
  { skip },
  async () => {
    const rows = await estimates("--by", "campaign", data);
    const of = (policy: string, part: string) => rows.find((row) => row.policy === policy && row.part === part)!;
    const truth = of("random", "men").on_policy;
    for (const { low, high } of [of("bts", "men").ips!, of("bts", "men").snips!, of("bts", "men").doubly_robust!]) {
      ok(low <= truth && truth <= high, `${low} ${truth} ${high}`);
    }
    equal(Math.round(of("bts", "men").effective_sample_size), 656);
    deepEqual([of("bts", "women").refused!.code, of("bts", "women").snips], ["no_overlap", null]);
  },
);
