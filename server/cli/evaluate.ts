// `attune evaluate`: how good are the recommendations on a file of events? Prequential (recommend first, then reveal and
// learn), or learnt on one file, frozen and asked about another. Method: docs/decisions/models.md.
import { readFileSync } from "node:fs";
import { assert } from "../../core/assert.ts";
import { BUILT_IN_EVENT_TYPES, type AttuneEvent, type LoggedEvent } from "../../core/event/event.ts";
import { normaliseEvent, type Validated } from "../../core/event/validate.ts";
import { resolve } from "../../core/identity/identity.ts";
import { normaliseItem } from "../../core/item/validate.ts";
import { modelConfig, SWITCHED_MODELS } from "../../core/model/config.ts";
import { EASE_DEFAULTS, partsOf, trainEase } from "../../core/model/ease.ts";
import { createTrails } from "../../core/model/trails.ts";
import type { FoldPlan } from "../../core/profile/plan.ts";
import { checkProgram, compileProgram } from "../../core/program/compile.ts";
import { durationMs } from "../../core/program/duration.ts";
import { modelsOf } from "../../core/program/models.ts";
import type { ProgramDocument } from "../../core/program/program.ts";
import { newsProgram } from "../../core/program/news.ts";
import { shopProgram } from "../../core/program/shop.ts";
import type { ExcludeKind } from "../../core/program/program.ts";
import { type RecentItem, type Step, stepOf } from "../../core/model/step.ts";
import { createRecommender, type MeasuredRecommender } from "../../core/rank/recommender.ts";
import { createAccount, type Account } from "./evaluate-account.ts";
import { SESSIONS_MIN } from "./evaluate-intervals.ts";
import { openEventFile, parseLine } from "./event-file.ts";
import { evaluateOffPolicy } from "./evaluate-off-policy.ts";
import { createLessons } from "./evaluate-lessons.ts";
import { shuffled } from "./evaluate-order.ts";
import { createPrefixSessions } from "./evaluate-prefixes.ts";
import { createProfiles, NO_PROFILES } from "./evaluate-profiles.ts";
import { createScoreboard, type Scoreboard } from "./evaluate-scores.ts";
import { createVisits } from "./evaluate-visits.ts";
import { parseFlags } from "./flags.ts";
import { progressBar, type Progress } from "./progress.ts";
import { UsageError } from "./usage.ts";

const LIST_LENGTH = 20;
const WARM_UP_SHARE = 0.2;
/** Lists and lessons whose models are timed: reading the clock costs as much as some of them. Prime, so that files of pairs have both timed. */
const TIMED_EVERY = 7;
const SEED_TIME_MS = Date.UTC(2020, 0, 1); // Frozen splits have no clock: sessions are a second an item apart.
const NO_ITEMS: ReadonlySet<string> = new Set();

const USAGE = `attune evaluate FILE | attune evaluate --train SESSIONS --test PREFIXES | attune evaluate --off-policy FILE
  --limit N              the first N events (prefixes) only
  --program shop|news|F  whose models and weights (shop)
  --items FILE           the catalogue
  --exclude seen|session|none   what a list leaves out, and is not asked for (shop: none, news: session)
  --delay 1h             the models learn late; the visitor's own clicks are known
  --hide-last            the visitor's last click is not known
  --retrain N            train the background model on what is past after every N events (never)
  --without A,B          models whose lists are left out
  --shuffle SEED         lines of one time and session come in an order of their own
  --bootstrap N          95 % intervals from N draws of sessions
  --json                 the result as JSON`;

type Exclusion = "seen" | "session" | "none";

interface EvaluateOptions {
  readonly limit: number;
  readonly program: ProgramDocument;
  readonly itemsPath: string | undefined;
  readonly exclude: Exclusion;
  readonly delayMs: number;
  readonly hideLast: boolean;
  /** Events between two trainings of the background model. */
  readonly retrainEvery: number;
  readonly shuffleSeed: number | undefined;
  readonly json: boolean;
}

const toStdout = (text: string): void => void process.stdout.write(text);

/** Exit code 0 when a table was printed. Throws UsageError and EventFileError. */
export async function evaluateCommand(args: string[], print: (text: string) => void = toStdout): Promise<number> {
  if (args.includes("--off-policy")) return evaluateOffPolicy(args, print);
  const { values, positionals } = parseFlags({
    args,
    allowPositionals: true,
    options: {
      limit: { type: "string" },
      program: { type: "string", default: "shop" },
      items: { type: "string" },
      exclude: { type: "string" },
      delay: { type: "string" },
      "hide-last": { type: "boolean", default: false },
      train: { type: "string" },
      test: { type: "string" },
      retrain: { type: "string" },
      without: { type: "string" },
      shuffle: { type: "string" },
      bootstrap: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    print(`${USAGE}\n`);
    return 0;
  }
  const options: EvaluateOptions = {
    limit: countOf(values.limit, "--limit"),
    program: without(programOf(values.program), values.without),
    shuffleSeed: values.shuffle === undefined ? undefined : countOf(values.shuffle, "--shuffle"),
    itemsPath: values.items,
    exclude: exclusionOf(values.exclude, values.program),
    delayMs: delayOf(values.delay),
    hideLast: values["hide-last"],
    retrainEvery: countOf(values.retrain, "--retrain"),
    json: values.json,
  };
  const startedMs = performance.now();
  const board = createScoreboard(values.bootstrap === undefined ? 0 : countOf(values.bootstrap, "--bootstrap"));
  const progress = progressBar("evaluate");
  let events: number;
  if (values.train !== undefined || values.test !== undefined) {
    if (values.train === undefined || values.test === undefined || positionals.length > 0) {
      throw new UsageError("--train and --test belong together, and take no other file");
    }
    if (values.delay !== undefined || values.exclude !== undefined) {
      throw new UsageError("--delay and --exclude need events in time; they do not go with --train and --test");
    }
    events = await evaluateFrozen(values.train, values.test, options, board, progress);
  } else {
    if (positionals.length !== 1) throw new UsageError(`evaluate takes one file (- for standard input)\n${USAGE}`);
    events = await evaluatePrequential(positionals[0]!, options, board, progress);
  }
  const report = board.report(events, (performance.now() - startedMs) / 1000);
  if (report.evaluated === 0) {
    const why =
      values.test !== undefined
        ? "no prefix to complete"
        : events === 0
          ? "the file holds no events"
          : "no event had an earlier one in its session after the first 20 %";
    process.stderr.write(`attune: nothing to score: ${why}\n`);
  }
  if (values.bootstrap !== undefined && report.evaluated > 0 && report.intervals === undefined) {
    process.stderr.write(`attune: no intervals: they are drawn from sessions, and fewer than ${SESSIONS_MIN} have something to score\n`);
  }
  print(options.json ? `${JSON.stringify(report)}\n` : board.table(report));
  return 0;
}

function countOf(text: string | undefined, option: string): number {
  if (text === undefined) return Infinity;
  if (!/^[1-9][0-9]*$/.test(text)) throw new UsageError(`${option} takes a positive whole number, not "${text}"`);
  return Number(text);
}

function delayOf(text: string | undefined): number {
  if (text === undefined) return 0;
  const delay = durationMs(text);
  if (delay === undefined) throw new UsageError(`--delay takes a duration such as 30s, 10m or 1h, not "${text}"`);
  return delay;
}

function exclusionOf(text: string | undefined, program: string): Exclusion {
  if (text === undefined) return program === "news" ? "session" : "none";
  if (text === "seen" || text === "session" || text === "none") return text;
  throw new UsageError(`--exclude takes seen, session or none, not "${text}"`);
}

function programOf(name: string): ProgramDocument {
  if (name === "shop") return shopProgram;
  if (name === "news") return newsProgram;
  let document: unknown;
  try {
    document = JSON.parse(readFileSync(name, "utf8"));
  } catch (cause) {
    throw new UsageError(`--program takes shop, news or a JSON file; ${name}: ${(cause as Error).message}`, { cause });
  }
  const faults = checkProgram(document);
  if (faults.length === 0) return document as ProgramDocument;
  throw new UsageError(`${name} is no program:\n${faults.map(({ path, message }) => `  ${path}: ${message}`).join("\n")}`);
}

/** What a node that has the program makes of events; a type that is not in it is worth nothing. */
function planOf(program: ProgramDocument): FoldPlan {
  const compiled = compileProgram(program, 0);
  assert("program" in compiled, "a program that was checked compiles");
  return compiled.program.plan;
}

function without(program: ProgramDocument, names: string | undefined): ProgramDocument {
  const off: Record<string, { enabled: false }> = {};
  for (const name of names?.split(",") ?? []) {
    if (!(SWITCHED_MODELS as readonly string[]).includes(name)) {
      throw new UsageError(`--without takes models (${SWITCHED_MODELS.join(", ")}), not "${name}"`);
    }
    off[name] = { ...(program.models?.[name as (typeof SWITCHED_MODELS)[number]] ?? {}), enabled: false };
  }
  return { ...program, models: { ...program.models, ...off } };
}

type Timed = <T>(work: "learn" | "list", call: () => T, options?: { readonly isTypical: boolean }) => T;

/** A recommender, and how to call it so that the board learns what the call takes: the blend always, its models now and then. */
function timedRecommender(program: ProgramDocument, board: Scoreboard): { recommender: MeasuredRecommender; timed: Timed } {
  const timing = { on: false, fromMs: 0 };
  const calls = { learn: 0, list: 0 };
  const recommender: MeasuredRecommender = createRecommender({
    models: modelsOf(program),
    learning: program.learning,
    probe: (model, work) => {
      if (!timing.on) return;
      const nowMs = performance.now();
      board.time(recommender.modelNames[model]!, work, nowMs - timing.fromMs);
      timing.fromMs = performance.now();
    },
  });
  const timed: Timed = (work, call, { isTypical } = { isTypical: true }) => {
    timing.on = isTypical && calls[work]++ % TIMED_EVERY === 0;
    const fromMs = performance.now();
    timing.fromMs = fromMs;
    const answer = call();
    timing.on = false;
    board.time("blend", work, performance.now() - fromMs);
    return answer;
  };
  return { recommender, timed };
}

interface Background {
  /** To be called before each step that is learnt: gathers what a background model is trained on, and trains it. */
  before(step: Step): void;
  relink(from: string, to: string): void;
}

function backgroundOf(recommender: MeasuredRecommender, { retrainEvery: every, program }: EvaluateOptions): Background {
  const background = modelConfig(program.models).background;
  if (every === Infinity || background === undefined) return { before: () => {}, relink: () => {} };
  const settings = { ...EASE_DEFAULTS, ridge: background.ridge, minPersons: background.minPersons };
  const trails = createTrails();
  let learnt = 0;
  return {
    before({ personKey, itemId, weight }) {
      if (learnt++ % every === 0 && learnt > 1) {
        const { itemIds, sequences } = trails.corpus();
        for (const part of partsOf(trainEase(itemIds, sequences, settings))) recommender.takeBackground(part);
      }
      if (weight < 0) trails.drop(personKey, itemId);
      else trails.add(personKey, itemId);
    },
    relink: trails.relink,
  };
}

interface Line {
  readonly number: number;
  readonly row: unknown;
  readonly share: number | undefined;
}

/** What a file's lines say. One that is no JSON is left out and accounted for. */
async function* rowsOf(path: string, account: Account): AsyncGenerator<Line> {
  const file = openEventFile(path);
  for await (const lines of file.lines()) {
    for (const line of lines) {
      const { number } = line;
      const parsed = parseLine(line);
      if ("fault" in parsed) account.refuse(number, { code: "bad_json", message: parsed.fault });
      else yield { number, row: parsed.value, share: file.progress };
    }
  }
}

/** The same of training sessions and prefixes. */
async function* objectsOf(path: string, account: Account): AsyncGenerator<Line & { readonly row: Record<string, unknown> }> {
  for await (const line of rowsOf(path, account)) {
    if (typeof line.row === "object" && line.row !== null) yield { ...line, row: line.row as Record<string, unknown> };
    else account.refuse(line.number, { code: "not_an_object", message: "a line is a JSON object" });
  }
}

async function putCatalogue(path: string | undefined, recommender: MeasuredRecommender, atMs: number): Promise<void> {
  if (path === undefined) return;
  const account = createAccount();
  for await (const { number, row } of rowsOf(path, account)) {
    const outcome = normaliseItem(row);
    if ("rejected" in outcome) {
      account.refuse(number, outcome.rejected);
      continue;
    }
    account.take(number);
    recommender.putItem(outcome.item, atMs);
  }
  process.stderr.write(account.text("items"));
}

/** A list of ids as strings; undefined where it is none. */
const idsOf = (value: unknown): string[] | undefined =>
  Array.isArray(value) && value.every((id) => typeof id === "string") ? value : undefined;

/** Every line is taken at any age, as `import` takes it; the reason where it is no event. */
function eventReader(program: ProgramDocument): (row: unknown) => Validated {
  const eventTypes = new Set([...BUILT_IN_EVENT_TYPES, ...Object.keys(program.events ?? {})]);
  let given = 0;
  const newEventId = (): string => `line-${++given}`;
  return (row) => normaliseEvent(row, { receivedAtMs: Infinity, eventTypes, anyAge: true, newEventId });
}

/** How many events a file has, `limit` at the most. */
async function countEvents(path: string, program: ProgramDocument, limit: number): Promise<number> {
  const read = eventReader(program);
  let events = 0;
  for await (const { row } of rowsOf(path, createAccount())) if ("event" in read(row) && ++events >= limit) break;
  return events;
}

async function evaluatePrequential(path: string, options: EvaluateOptions, board: Scoreboard, progress: Progress): Promise<number> {
  const { program, exclude, delayMs, hideLast, limit } = options;
  const { recommender, timed } = timedRecommender(program, board);
  const visits = createVisits({ keepSeen: exclude === "seen", keepBefore: hideLast });
  const read = eventReader(program);
  const plan = planOf(program);
  const profiles = options.itemsPath === undefined ? NO_PROFILES : createProfiles(plan, recommender.item);
  const account = createAccount();
  const lessons = createLessons(delayMs);
  const links = new Map<string, string>();
  let events = 0;
  let steps = 0;
  // Standard input cannot be read twice: everything is scored, and the warm-up is cut off the result.
  const total = path === "-" ? undefined : await countEvents(path, program, limit);
  const warmUp = total === undefined ? 0 : Math.floor(total * WARM_UP_SHARE);
  const kinds: readonly ExcludeKind[] = exclude === "session" ? ["session"] : [];
  const background = backgroundOf(recommender, options);

  const learn = (step: Step): void => {
    background.before(step);
    timed("learn", () => recommender.learn(step), { isTypical: !step.sampled });
  };

  /** Whose event it is, as a node tells: a visitor who signs in goes on as the user (core/identity). */
  const personOf = (event: AttuneEvent): string => {
    const { key, link } = resolve(event, (anonKey) => links.get(anonKey));
    if (link === undefined) return key;
    const { anonKey, userKey, merge } = link;
    links.set(anonKey, userKey);
    if (merge) {
      visits.relink(anonKey, userKey);
      profiles.relink(anonKey, userKey);
      lessons.add(event.timestamp, () => {
        recommender.relink(anonKey, userKey);
        background.relink(anonKey, userKey);
      });
    }
    return key;
  };

  const score = (step: Step, trail: readonly string[], history: readonly RecentItem[]): void => {
    const known = hideLast ? visits.beforeLast(step) : { trail, history };
    const seen = exclude === "seen" ? visits.seen(step.personKey) : NO_ITEMS;
    const query = {
      personKey: step.personKey,
      sessionId: step.sessionId,
      nowMs: step.timeMs,
      limit: LIST_LENGTH,
      history: known.history,
      interests: hideLast ? profiles.interestsBefore(step.personKey) : profiles.interests(step.personKey),
      ...(hideLast || delayMs > 0 ? { trail: known.trail } : {}),
      exclude: exclude === "session" && hideLast ? new Set(trail.slice(0, 1)) : seen,
      excludeKinds: kinds,
      country: step.country,
      device: step.device,
      weather: step.weather,
      timezone: step.timezone,
      facets: step.facets,
    };
    const list = timed("list", () => recommender.recommend(query));
    board.score("blend", events, list.items.map((item) => item.itemId), step.itemId);
    recommender.modelLists(query).forEach((ids, model) => board.score(recommender.modelNames[model]!, events, ids, step.itemId));
    board.scored(events, `${step.personKey} ${step.sessionId ?? ""}`);
  };

  const lines = rowsOf(path, account);
  for await (const { number, row, share } of options.shuffleSeed === undefined ? lines : shuffled(lines, options.shuffleSeed)) {
    const outcome = read(row);
    if ("rejected" in outcome) {
      account.refuse(number, outcome.rejected);
      continue;
    }
    const { event } = outcome;
    account.take(number, event.timestamp);
    if (events === 0) await putCatalogue(options.itemsPath, recommender, event.timestamp);
    events++;
    progress.update(total === undefined ? share : events / total, `${events} events`);
    lessons.until(event.timestamp);
    const personKey = personOf(event);
    const history = visits.history(personKey);
    const logged: LoggedEvent = { ...event, received_at: event.timestamp };
    const sampled = recommender.learningSample(event.event_id, event.timestamp);
    const step = stepOf(logged, {
      personKey,
      weight: plan.weights.get(event.event_type) ?? 0,
      sampled,
      history: history.slice(),
      interests: sampled ? profiles.interests(personKey) : undefined,
    });
    if (step !== undefined) steps++;
    if (step !== undefined && step.weight < 0) {
      lessons.add(step.timeMs, () => learn(step));
      visits.turnAway(step);
    } else if (step !== undefined) {
      const trail = visits.trail(step);
      const isNewVisit = trail[0] !== step.itemId || visits.sawType(step);
      const canBeHit =
        exclude === "none" || (exclude === "session" ? !trail.includes(step.itemId) : !visits.seen(personKey).has(step.itemId));
      const hasContext = exclude === "seen" ? history.length > 0 : trail.length > 0;
      if (events > warmUp && hasContext && canBeHit && isNewVisit) score(step, trail, history);
      lessons.add(step.timeMs, () => learn(step));
      if (isNewVisit) profiles.beginVisit(personKey);
      visits.add(step, event.value);
    }
    profiles.fold(personKey, logged);
    if (events >= limit) break;
  }
  if (total === undefined) board.cutBefore(Math.floor(events * WARM_UP_SHARE) + 1);
  progress.done();
  process.stderr.write(account.text("events"));
  if (steps === 0 && events > 0) process.stderr.write("attune: no event is a step to an item: each is without an item_id, or of a type that the program weighs 0\n");
  return events;
}

async function evaluateFrozen(train: string, test: string, options: EvaluateOptions, board: Scoreboard, progress: Progress): Promise<number> {
  const { recommender, timed } = timedRecommender(options.program, board);
  await putCatalogue(options.itemsPath, recommender, SEED_TIME_MS);
  const background = backgroundOf(recommender, options);
  let nowMs = SEED_TIME_MS;
  let events = 0;
  const sessions = createAccount();
  for await (const { number, row, share } of objectsOf(train, sessions)) {
    const items = idsOf(row["items"]);
    if (items === undefined) {
      sessions.refuse(number, { code: "items_invalid", message: "a session is {session_id, items: [item_id, …]} with ids as strings" });
      continue;
    }
    sessions.take(number);
    const sessionId = String(row["session_id"] ?? `line-${number}`);
    const history: RecentItem[] = [];
    for (const itemId of items) {
      nowMs += 1000;
      events++;
      const sampled = recommender.learningSample(`${sessionId}-${history.length}`, nowMs);
      const step: Step = { personKey: sessionId, sessionId, itemId, eventType: "click", weight: 1, timeMs: nowMs, sampled, history };
      background.before(step);
      timed("learn", () => recommender.learn(step), { isTypical: !sampled });
      history.unshift({ item_id: itemId, event_type: "click", timestamp: nowMs });
      if (history.length > 50) history.pop();
    }
    progress.update(share, `${events} clicks learnt`);
  }
  const asked = createAccount();
  const sessionOf = createPrefixSessions();
  let prefixes = 0;
  for await (const { number, row, share } of objectsOf(test, asked)) {
    const target = row["target"];
    const prefix = idsOf(row["prefix"]);
    if (typeof target !== "string" || prefix === undefined || prefix.length === 0) {
      asked.refuse(number, { code: "prefix_invalid", message: "a prefix is {prefix: [item_id, …], target: item_id} with ids as strings" });
      continue;
    }
    asked.take(number);
    const session = sessionOf({ prefix, target });
    const trail = (options.hideLast ? prefix.slice(0, -1) : prefix).reverse();
    const query = { personKey: `prefix-${prefixes}`, nowMs, limit: LIST_LENGTH, history: [], interests: [], trail };
    const list = timed("list", () => recommender.recommend(query));
    board.score("blend", prefixes, list.items.map((item) => item.itemId), target);
    recommender.modelLists(query).forEach((ids, model) => board.score(recommender.modelNames[model]!, prefixes, ids, target));
    board.scored(prefixes, session);
    progress.update(share, `${++prefixes} prefixes`);
    if (prefixes >= options.limit) break;
  }
  progress.done();
  process.stderr.write(sessions.text("sessions") + asked.text("prefixes"));
  return events;
}
