// `attune evaluate` on a small file whose right answers are known, and on calls that cannot work.
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { EventFileError } from "./event-file.ts";
import type { EvaluationReport } from "./evaluate-scores.ts";
import { evaluateCommand } from "./evaluate.ts";
import { createVisits } from "./evaluate-visits.ts";
import { UsageError } from "./usage.ts";

const folder = mkdtempSync(join(tmpdir(), "attune-evaluate-"));
after(() => rmSync(folder, { recursive: true }));

/** Rows a line each, or one document. */
function file(name: string, rows: readonly unknown[] | object): string {
  const path = join(folder, name);
  const text = (Array.isArray(rows) ? rows : [rows]).map((row) => JSON.stringify(row)).join("\n");
  writeFileSync(path, name.endsWith(".gz") ? gzipSync(text) : text);
  return path;
}

async function evaluate(...args: string[]): Promise<EvaluationReport> {
  const written: string[] = [];
  equal(await evaluateCommand([...args, "--json"], (text) => written.push(text)), 0);
  return JSON.parse(written.join("")) as EvaluationReport;
}

// 100 sessions of "a, then b" among 60 other items that are seen alone, so that popularity cannot guess.
const START_MS = 1_700_000_000_000;
const events = Array.from({ length: 100 }, (_, i) => [
  { event_id: `x${i}`, user_id: `lone${i}`, event_type: "click", timestamp: START_MS + i * 10_000, item_id: `o${i % 60}` },
  { event_id: `y${i}`, user_id: `u${i}`, event_type: "click", timestamp: START_MS + i * 10_000 + 1_000, item_id: "a" },
  { event_id: `z${i}`, user_id: `u${i}`, event_type: "click", timestamp: START_MS + i * 10_000 + 2_000, item_id: "b" },
]).flat();
const path = file("events.ndjson.gz", events);

function runCommand(...args: string[]): { stdout: string; stderr: string } {
  const main = join(import.meta.dirname, "main.ts");
  const { stdout, stderr } = spawnSync(process.execPath, ["--disable-warning=ExperimentalWarning", main, "evaluate", ...args]);
  return { stdout: String(stdout), stderr: String(stderr) };
}

const row = (report: EvaluationReport, name: string) => report.models.find((model) => model.name === name)!;

test("scores events with context after the warm-up, with a row a model and the blend last", async () => {
  const report = await evaluate(path);
  equal(report.events, 300);
  equal(report.evaluated, 80);
  equal(report.models.at(-1)!.name, "blend");
  equal(row(report, "next").hr20, 1);
  equal(row(report, "next").mrr20, 1);
  equal(row(report, "next").ndcg20, 1);
  equal(row(report, "blend").hr20, 1);
});

test("standard input is measured as the file is, packed or not", async () => {
  const { models } = await evaluate(path);
  const packed = readFileSync(path);
  const args = ["--disable-warning=ExperimentalWarning", join(import.meta.dirname, "main.ts"), "evaluate", "-", "--json"];
  for (const input of [packed, gunzipSync(packed)]) {
    const { stdout } = spawnSync(process.execPath, args, { input });
    const report = JSON.parse(String(stdout)) as EvaluationReport;
    equal(report.evaluated, 80);
    const rates = (of: EvaluationReport["models"]) => of.map(({ name, hr20, mrr20, ndcg20 }) => [name, hr20, mrr20, ndcg20]);
    deepEqual(rates(report.models), rates(models));
  }
});

test("--limit, --hide-last and --delay change what is known", async () => {
  equal((await evaluate(path, "--limit", "150")).events, 150);
  equal(row(await evaluate(path, "--hide-last"), "next").hr20, 0);
  // Longer than the file: nothing is ever learnt.
  equal(row(await evaluate(path, "--delay", "1h"), "blend").hr20, 0);
});

test("--exclude session neither shows nor asks for what the session has", async () => {
  const back = file("back.ndjson", events.flatMap((event) => [event, { ...event, event_id: `${event.event_id}r`, timestamp: event.timestamp + 1 }]));
  const without = await evaluate(back, "--exclude", "session");
  const within = await evaluate(back);
  ok(within.evaluated > without.evaluated);
  equal(row(without, "repeats").hr20, 0);
  ok(row(within, "repeats").hr20 > 0.5);
});

test("--hide-last hides the whole visit, whatever events it has", async () => {
  const looks = file("looks.ndjson", events.flatMap((event) => [event, { ...event, event_id: `${event.event_id}v`, event_type: "view" }]));
  const report = await evaluate(looks, "--hide-last");
  equal(report.evaluated, 80);
  for (const name of ["next", "cosine", "knn", "repeats"]) equal(row(report, name).hr20, 0, name);
  equal(row(await evaluate(looks), "next").hr20, 1);
});

test("models that are late have learnt what is due when a list is asked for", async () => {
  // "a, then b" once every two hours: with models an hour late all pairs but the one under way are known.
  const slow = file("slow.ndjson", Array.from({ length: 30 }, (_, i) => [
    { event_id: `s${i}`, user_id: `u${i}`, session_id: `s${i}`, event_type: "click", timestamp: START_MS + i * 7_200_000, item_id: `a${i >> 1}` },
    { event_id: `t${i}`, user_id: `u${i}`, session_id: `s${i}`, event_type: "click", timestamp: START_MS + i * 7_200_000 + 1_000, item_id: `b${i >> 1}` },
  ]).flat());
  const report = await evaluate(slow, "--delay", "2h");
  equal(report.evaluated, 24);
  equal(row(report, "next").hr20, 0.5, "the click that is two hours old to the second is known, the one after it a second later");
});

test("a visitor who signs in goes on as the user, as in a node", async () => {
  const signIn = file("sign-in.ndjson", events.map((event) => {
    if (event.user_id.startsWith("lone")) return event;
    const { user_id: user, ...rest } = event;
    return { ...rest, anonymous_id: `d-${user}`, ...(event.item_id === "b" ? { user_id: user } : {}) };
  }));
  const report = await evaluate(signIn);
  equal(report.evaluated, 80);
  equal(row(report, "next").hr20, 1);
  const deviceAlone = file("device.ndjson", events.flatMap((event): object[] => {
    if (event.item_id !== "a") return [event];
    const login = { ...event, event_id: `l${event.event_id}`, anonymous_id: `d-${event.user_id}`, event_type: "page_view", item_id: undefined };
    const { user_id: user, ...rest } = event;
    return [login, { ...rest, anonymous_id: `d-${user}` }];
  }));
  equal(row(await evaluate(deviceAlone), "next").hr20, 1);
});

test("a list is asked for with the surroundings that a node would know", async () => {
  // By the hour of the visitor's own day: in one place it is morning, in the other evening.
  const zones = Array.from({ length: 1_200 }, (_, i) => {
    const zone = i % 2 === 0 ? "+00:00" : "+12:00";
    const context = { timezone: zone, weather: i % 2 === 0 ? "rain" : "sun" };
    const of = (n: number) => `${zone}-${n % 20}`;
    const at = START_MS + i * 2_000;
    const line = { user_id: `u${i}`, event_type: "click", context };
    return [
      { ...line, event_id: `f${i}`, timestamp: at, item_id: of(i >> 1) },
      { ...line, event_id: `g${i}`, timestamp: at + 1_000, item_id: of((i >> 1) * 7 + 3) },
    ];
  }).flat();
  const report = await evaluate(file("zones.ndjson", zones));
  equal(row(report, "daypart").hr20, 1);
  equal(row(report, "context").hr20, 1, "by weather");
});

test("what the visitor said of items counts as in a node: dismissals, interests from the catalogue, few stars", async () => {
  // Each visitor's first session is of one kind of item, his second begins with an item of no kind.
  const kinds = Array.from({ length: 120 }, (_, i) => [0, 1, 2, 3].map((n) => ({
    event_id: `k${i}-${n}`, user_id: `u${i}`, session_id: n < 2 ? `a${i}` : `b${i}`, event_type: "click",
    timestamp: START_MS + i * 60_000 + n * 1_000, item_id: n === 2 ? `plain${i}` : `kind${i % 40}-${n}`,
  }))).flat();
  const items = file("kinds.ndjson", Array.from({ length: 40 }, (_, i) => [0, 1, 3].map((n) => ({ item_id: `kind${i}-${n}`, categories: [`kind${i}`] }))).flat());
  const kindly = await evaluate(file("kindly.ndjson", kinds), "--items", items);
  equal(row(kindly, "content").hr20, 1, "what his profile holds proposes its kind");

  const turned = events.flatMap((event) => event.item_id === "b" ? [{ ...event, event_id: `n${event.event_id}`, timestamp: event.timestamp - 500, event_type: "dismiss", item_id: "a" }, event] : [event]);
  equal((await evaluate(file("turned.ndjson", turned))).evaluated, 0, "an item that was dismissed has left the session");

  const visits = createVisits({ keepSeen: false });
  const step = { personKey: "u:1", itemId: "a", eventType: "rating", weight: 1, timeMs: START_MS, sampled: false, history: [] };
  visits.add(step, 1);
  deepEqual(visits.history("u:1"), [{ item_id: "a", event_type: "rating", timestamp: START_MS, value: 1 }]);
  visits.turnAway({ ...step, eventType: "dislike", weight: -1, timeMs: START_MS + 1 });
  deepEqual(visits.history("u:1").map(({ event_type }) => event_type), ["dislike", "rating"]);
  deepEqual(visits.trail(step), []);
});

test("models are timed however the file's lines alternate", async () => {
  const looks = file("pairs.ndjson", events.flatMap((event) => [event, { ...event, event_id: `${event.event_id}v`, event_type: "view" }]));
  const report = await evaluate(looks);
  ok(row(report, "next").recommend_us_p50 > 0 && row(report, "next").learn_us > 0);
});

test("--train and --test learn, freeze and rank", async () => {
  const train = file("train.ndjson", Array.from({ length: 50 }, (_, i) => ({ session_id: `s${i}`, items: ["a", "b", `c${i % 5}`] })));
  const prefixes = file("test.ndjson", [{ prefix: ["a"], target: "b" }, { prefix: ["a", "b"], target: "never-seen" }]);
  const report = await evaluate("--train", train, "--test", prefixes);
  equal(report.events, 150);
  equal(report.evaluated, 2);
  equal(row(report, "blend").hr20, 0.5);
});

test("--without leaves a list out, --bootstrap says how far a figure may be off", async () => {
  const report = await evaluate(path, "--without", "rules,next,recent", "--bootstrap", "50");
  equal(row(report, "rules").hr20, 0);
  equal(row(report, "next").hr20, 0);
  const [low, high] = report.intervals!.hr20["blend"]!;
  ok(low <= row(report, "blend").hr20 && row(report, "blend").hr20 <= high);
  deepEqual(await evaluate(path, "--without", "rules,next,recent", "--bootstrap", "50").then(({ intervals }) => intervals), report.intervals);
});

test("intervals of a published split are drawn by session, not by prefix", async () => {
  // 40 sessions of eight clicks, each known by heart or not at all.
  const train = file("half.ndjson", Array.from({ length: 40 }, (_, i) => ({ session_id: `s${i}`, items: Array.from({ length: 9 }, (_, n) => `i${i % 20}-${n}`) })));
  const rows = Array.from({ length: 40 }, (_, i) => Array.from({ length: 8 }, (_, n) => ({
    prefix: Array.from({ length: n + 1 }, (_, k) => `i${i}-${k}`), target: `i${i}-${n + 1}`,
  }))).flat();
  for (const [name, asked] of Object.entries({ rising: rows, falling: rows.toReversed() })) {
    const { intervals, evaluated } = await evaluate("--train", train, "--test", file(`${name}.ndjson`, asked), "--bootstrap", "400");
    equal(evaluated, 320);
    const [low, high] = intervals!.hr20["blend"]!;
    // The half of 40 draws is known within 0.155, of 320 within 0.055.
    ok(high - low > 0.2 && high - low < 0.42, `${name}: ${low} to ${high}`);
  }
});

test("sessions of different visitors may have one name", async () => {
  const numbered = events.map((event) => ({ ...event, session_id: "1" }));
  const report = await evaluate(file("numbered.ndjson", numbered), "--bootstrap", "20");
  ok(report.intervals !== undefined);
});

test("where draws say nothing there is no interval, and none without a number", () => {
  const giant = runCommand(file("giant.ndjson", events.map((event) => ({ ...event, user_id: "giant" }))), "--bootstrap", "20");
  ok(giant.stderr.includes("no intervals") && !giant.stdout.includes("95 %"), giant.stderr);
  const train = file("known.ndjson", Array.from({ length: 30 }, () => ({ session_id: "s", items: ["a", "b"] })));
  const missed = file("missed.ndjson", Array.from({ length: 30 }, (_, i) => ({ prefix: ["a"], target: `never-${i}` })));
  const { stdout } = runCommand("--train", train, "--test", missed, "--bootstrap", "20");
  ok(stdout.includes("hits too little to be compared with") && !stdout.includes("NaN"), stdout);
});

test("--retrain trains on what is past and gives the background model a list", async () => {
  equal(row(await evaluate(path), "background").hr20, 0);
  equal(row(await evaluate(path, "--retrain", "60"), "background").hr20, 1);
});

test("--shuffle orders the lines of a basket by its seed, and no others", async () => {
  const lines = Array.from({ length: 40 }, (_, i) => [
    { event_id: `p${i}`, user_id: `u${i}`, session_id: `o${i}`, event_type: "purchase", timestamp: START_MS + i * 1_000, item_id: "x" },
    { event_id: `q${i}`, user_id: `u${i}`, session_id: `o${i}`, event_type: "purchase", timestamp: START_MS + i * 1_000, item_id: `y${i % 2}` },
  ]).flat();
  const basket = file("baskets.ndjson", lines);
  const shuffled = await evaluate(basket, "--shuffle", "3");
  equal(shuffled.evaluated, 32);
  deepEqual({ ...(await evaluate(basket, "--shuffle", "3")), took_s: 0, models: [] }, { ...shuffled, took_s: 0, models: [] });
  equal(row(shuffled, "blend").hr20, 1);
});

test("lines that are left out are said, and take nothing from what is scored", async () => {
  const lines = events.flatMap((event, i) => [
    event,
    { ...event, event_id: `t${i}`, event_type: "transaction" },
    { ...event, event_id: `n${i}`, item_id: i },
    { ...event, event_id: `v${i}`, value: "5" },
  ]);
  const mixed = file("mixed.ndjson", lines);
  equal((await evaluate(mixed)).evaluated, 80);
  const items = file("items.ndjson", [{ item_id: "a" }, { item_id: 2 }, { item_id: "b", categories: "x|y" }, { item_id: "o1", published_at: "2020-01-31" }]);
  const { stdout, stderr } = runCommand(mixed, "--items", items, "--json");
  equal((JSON.parse(stdout) as EvaluationReport).events, 300);
  ok(stderr.includes("900 of 1200 lines are no events"), stderr);
  for (const said of ["300 × event_type_unknown, first line 2", "300 × item_id_invalid, first line 3", "300 × value_invalid"]) ok(stderr.includes(said), stderr);
  ok(stderr.includes("2 of 4 lines are no items"), stderr);
  equal(runCommand(path, "--json").stderr, "");
  const anonymous = runCommand(file("nobody.ndjson", events.map(({ user_id, ...event }) => ({ ...event, session_id: user_id }))), "--json");
  ok(anonymous.stderr.includes("300 × identity_missing") && anonymous.stderr.includes("the file holds no events"), anonymous.stderr);
});

test("times in no order are said", () => {
  const late = events.map((event, i) => (i === 49 ? { ...event, timestamp: Date.UTC(2099, 0, 1) } : event));
  const { stderr } = runCommand(file("late.ndjson", late), "--json");
  ok(stderr.includes("250 of 300 events are earlier than one before them, the first in line 51 (line 50 says 2099-01-01T00:00:00.000Z)"), stderr);
});

test("training sessions without an id are sessions of their own, and ids that are numbers are said", () => {
  const sessions = Array.from({ length: 50 }, (_, i) => ({ items: [`p${i % 9}`, `q${i % 9}`] }));
  const train = file("nameless.ndjson", [...sessions, { session_id: 7, items: [1, 2] }]);
  const prefixes = file("numbers.ndjson", [{ prefix: ["p3"], target: "q3" }, { prefix: [1], target: 2 }]);
  const { stdout, stderr } = runCommand("--train", train, "--test", prefixes, "--json");
  const report = JSON.parse(stdout) as EvaluationReport;
  equal(report.events, 100);
  equal(report.evaluated, 1);
  equal(row(report, "cosine").mrr20, 1);
  ok(stderr.includes("1 of 51 lines are no sessions") && stderr.includes("1 of 2 lines are no prefixes"), stderr);
});

test("a program of one's own is checked, and its events are worth what a node would count", async () => {
  const likes = events.map((event, i) => (i % 3 === 2 ? { ...event, event_type: "like" } : event));
  const liked = file("likes.ndjson", likes);
  equal((await evaluate(liked, "--program", file("all.json", {}))).evaluated, 80, "without the part the built-in weights hold");
  equal((await evaluate(liked, "--program", file("clicks.json", { events: { click: { weight: 1 } } }))).evaluated, 0, "a type that it does not name is no step");
  const bare = runCommand(liked, "--program", file("weightless.json", { events: {} }));
  ok(bare.stderr.includes("no event is a step to an item"), bare.stderr);
  const dislikes = file("dislikes.ndjson", events.map((event) => ({ ...event, event_type: "dislike" })));
  equal((await evaluate(dislikes, "--program", file("built-in.json", { name: "mine" }))).evaluated, 0);
  for (const [name, program] of Object.entries({ weight: { events: { click: 5 } }, models: { models: { knn: { neighbours: "many" } } }, key: { evnts: {} } })) {
    await rejects(evaluateCommand([liked, "--program", file(`${name}-bad.json`, program)]), (error) => error instanceof UsageError && /is no program:\n {2}\//.test(error.message));
  }
});

test("a call that cannot work says how to call it", async () => {
  const typo = join(folder, "typo.json");
  writeFileSync(typo, JSON.stringify({ models: { popularty: {} } }));
  const bad: string[][] = [[], [path, "--limit", "0"], [path, "--delay", "soon"], [path, "--exclude", "all"], ["--train", path], [path, "--program", join(folder, "none.json")], [path, "--program", typo]];
  for (const args of bad) await rejects(evaluateCommand(args), UsageError);
  await rejects(evaluateCommand([join(folder, "missing.ndjson")]), EventFileError);
  deepEqual((await evaluate(file("broken.ndjson", ["no event", { item_id: 3 }]))).evaluated, 0);
});
