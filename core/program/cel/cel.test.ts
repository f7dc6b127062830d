// Expressions: every number is a double, nothing throws, and where the CEL library can evaluate the same text it agrees.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { Environment } from "@marcbachmann/cel-js";
import type { Rng } from "../../math/rng.ts";
import { emptyPerson } from "../../profile/person.ts";
import { compiled, MONDAY_MS, visitor } from "../../testing/programs.ts";
import { forEachSeed } from "../../testing/seeds.ts";
import { compileCondition } from "./compile.ts";
import type { Place } from "./names.ts";

const program = compiled({
  features: {
    f: { kind: "count", event: "view" },
    words: { kind: "last", event: "search", of: "additional_data.query" },
  },
  segments: {
    seg: { when: 'count("view", "30m") >= 3 && sum("purchase", "1d") > 5 && followed("view", "purchase", "1h")' },
  },
});

function evaluate(text: string, attributes: Record<string, unknown> = {}, place: Place = "segment"): boolean {
  const outcome = compileCondition(text, { ...program.names, place });
  if ("faults" in outcome) throw new Error(`${text}: ${JSON.stringify(outcome.faults)}`);
  const person = emptyPerson(program.plan);
  person.attributes = attributes;
  program.scope.begin(person, MONDAY_MS);
  program.scope.event = {
    event_id: "e",
    event_type: "dwell",
    timestamp: MONDAY_MS + 8 * 3_600_000,
    received_at: MONDAY_MS,
    value: 31,
    item: { categories: ["a", "b"], tags: ["sale"] },
    context: { device: "mobile" },
  };
  program.scope.item = {
    item_id: "i",
    categories: ["lamps"],
    tags: [],
    price: 20,
    published_at: MONDAY_MS - 60_000,
    attributes: { colour: "ink" },
  };
  return outcome.rule.holds(program.scope);
}

function faults(text: string, place: Place = "segment"): string[] {
  const outcome = compileCondition(text, { ...program.names, place });
  return "faults" in outcome ? outcome.faults.map(({ code, position }) => `${code}@${position}`) : [];
}

test("numbers are doubles, written with or without a point", () => {
  for (const text of [
    "age > 30",
    "age >= 30.5",
    "1 + features.f == 1",
    "2 * age == 61",
    "age / 2 > 15",
    "7 / 2 == 3.5",
    "7 % 4 == 3",
    "-age < 0",
    'count("view", "30m") == 0',
    "features.frequency < 1",
    "0x10 == 16",
    "1e3 == 1000",
    "age in [30.5, 3]",
    "size([1, 2]) == 2",
    'since("view") > 1e12',
    "tags[0] == 'x'",
    "(age > 30 ? 1 : 2) == 1",
    "double('2.5') == 2.5",
    "string(1) == '1'",
  ])
    equal(evaluate(text, { age: 30.5, tags: ["x"] }), true, text);
});

test("what is missing or of another type makes a condition false, negated or not", () => {
  for (const text of [
    "age > 30",
    "!(age > 30)",
    "age == 30",
    "age != 30",
    "attributes.age > 30",
    "name > 30",
    "name + 1 > 3",
    "age > 30 || age <= 30",
    "tags[9] == 'x'",
    "name.contains(3 > 2 ? age : '')",
    "gone > 1",
    "!gone",
    "gone",
    "tags.exists(t, t > 3)",
    "name",
    "list.size() > age",
    "1 > double('')",
    "!(1 > double('ten'))",
    "age == 30 || double('') == 0",
  ])
    equal(evaluate(text, { name: "ada", tags: ["x"], gone: null }), false, text);
});

test("one part may decide although another failed", () => {
  equal(evaluate("age > 30 || true"), true);
  equal(evaluate("true || age > 30"), true);
  equal(evaluate("!(age > 30 && false)"), true);
  equal(evaluate("[1, 2].exists(x, x > missing || x == 2)"), true);
  equal(evaluate("has(attributes.age) ? age > 30 : true"), true);
});

test("strings, lists, has() and macros", () => {
  for (const text of [
    "name.startsWith('A') && name.endsWith('a') && name.contains('d')",
    "name.lowerAscii() == 'ada'",
    "size('a😀') == 2",
    "'x' in tags",
    "tags.all(t, size(t) == 1)",
    "tags.exists_one(t, t == 'x')",
    "tags.filter(t, t != 'x') == ['y']",
    "tags.map(t, t + '!') == ['x!', 'y!']",
    "!('z' in tags)",
    "has(attributes.name) && !has(attributes.age) && has(attributes.deep.inner)",
    "deep.inner == 1 && deep['inner'] == 1",
    "'inner' in deep",
    "tags == ['x', 'y']",
    "[[1], [2]].exists(a, a.exists(b, b == 2))",
    "attributes.constructor == 1 || !has(attributes.constructor)",
  ])
    equal(evaluate(text, { name: "Ada", tags: ["x", "y"], deep: { inner: 1 } }), true, text);
});

test("an attribute that was taken away is not there, however it is asked for", () => {
  for (const text of ["'plan' in attributes", "has(attributes[which])", "attributes[which] != 'pro'", "size(attributes) > 1"]) {
    equal(evaluate(text, { plan: "free", which: "plan" }), true, text);
    equal(evaluate(text, { plan: null, which: "plan" }), false, text);
  }
});

test("event and item fields", () => {
  for (const text of [
    "event.event_type == 'dwell' && event.value > 30",
    "'sale' in event.item.tags",
    "event.item.categories.exists(c, interest(c) == 0)",
    "!has(event.item_id) && !has(event.item.price)",
    "event.context.device == 'mobile'",
    "event.hour == 8 && event.weekday == 1",
    "'sale' in item.tags && !has(item.price) && !has(item.item_id)",
    "item.categories.exists(c, c == event.item.categories[1])",
  ])
    equal(evaluate(text, {}, "trigger"), true, text);
  for (const text of [
    "item.price < 21 && 'lamps' in item.categories",
    "item.available",
    "item.age_s == 60",
    "item.attributes.colour == 'ink'",
  ]) {
    equal(evaluate(text, {}, "item"), true, text);
  }
  equal(evaluate("item.title == ''", {}, "item"), false);
});

test("time of day where the visitor is", () => {
  const { person, timeline, act } = visitor({
    segments: { morning: { when: "context.hour >= 6 && context.hour < 11" } },
  });
  act(MONDAY_MS, "view", { context: { timezone: "+02:00" } });
  equal(person.nextCheckMs, MONDAY_MS + 3_600_000);
  act(MONDAY_MS + 4 * 3_600_000, "view");
  deepEqual([...person.memberships], [["morning", MONDAY_MS + 4 * 3_600_000]]);
  equal(timeline.current.segments.length, 1);
});

test("faults name their place", () => {
  deepEqual(faults("age > "), ["cel_syntax@6"]);
  deepEqual(faults("1 + true == 2 && 'a' > 1"), ["cel_type@0", "cel_type@17"]);
  deepEqual(faults("count('vew', '30m') > 1"), ["unknown_event_type@6"]);
  deepEqual(faults("count('view', '30 min') > 1 && count('view') > 1"), ["bad_duration@14", "cel_arguments@31"]);
  deepEqual(faults("count(name, '30m') > 1"), ["cel_arguments@6"]);
  deepEqual(faults("in_segment('x')"), ["unknown_segment@11"]);
  deepEqual(faults("features.frequenzy > 1 && session.foo == 1 && context.devise == 'x'"), [
    "cel_name@0",
    "cel_name@26",
    "cel_name@46",
  ]);
  deepEqual(faults("frequency > 1 && seg && feature.f > 1 && session"), [
    "cel_name@0",
    "cel_name@17",
    "cel_name@24",
    "cel_name@41",
  ]);
  deepEqual(faults("event.value > 1"), ["cel_name@0"]);
  deepEqual(faults("item.price > 1"), ["cel_name@0"]);
  deepEqual(faults("item.title == 'x' && event.item.title == 'x'", "trigger"), ["cel_name@0", "cel_name@21"]);
  deepEqual(faults("attributes.age > 1 || features.f > 1 || session.bounce", "where"), ["cel_name@0", "cel_name@22", "cel_name@40"]);
  deepEqual(faults("age > 1", "where"), ["cel_name@0"]);
  deepEqual(faults("name.matches('a+')"), ["unknown_function@0"]);
  deepEqual(faults("timestamp('x') > 1 && int(1) == 1 && 5u == 5"), [
    "unknown_function@0",
    "unknown_function@22",
    "not_supported@37",
  ]);
  deepEqual(faults("b'x' == 'x'"), ["not_supported@0"]);
  deepEqual(faults("1 + 2"), ["cel_type@0"]);
  deepEqual(faults("{'a': 1} == {'a': 1}"), ["not_supported@0", "not_supported@12"]);
  deepEqual(faults(`${"!".repeat(3)}true && ${"(".repeat(40)}true${")".repeat(40)}`), ["expression_too_complex@43"]);
  deepEqual(faults("[1].exists(a, [1].exists(b, [1].exists(c, a == b && b == c)))"), ["expression_too_complex@0"]);
  deepEqual(faults("true && ".repeat(300) + "true"), ["expression_too_long@0"]);
  deepEqual(faults("9007199254740993 == 1"), ["number_too_large@0"]);
});

// The library as oracle: literals with a point are doubles there too, and attributes are dyn.
const library = new Environment({ homogeneousAggregateLiterals: false });
for (const name of ["a", "b", "s", "t", "p", "l"]) library.registerVariable(name, "dyn");

function randomText(rng: Rng, kind: "bool" | "number" | "string", depth: number): string {
  const pick = <T>(...choices: readonly T[]): T => choices[rng.between(0, choices.length - 1)]!;
  if (kind === "number") {
    if (depth === 0) return pick("a", "b", "1.0", "2.5", "0.0", "-3.5");
    const [x, y] = [randomText(rng, "number", depth - 1), randomText(rng, "number", depth - 1)];
    return pick(
      `(${x} + ${y})`,
      `(${x} - ${y})`,
      `(${x} * ${y})`,
      `(${x} / ${y})`,
      `(${randomText(rng, "bool", depth - 1)} ? ${x} : ${y})`,
      `-(${x})`,
    );
  }
  if (kind === "string")
    return depth === 0
      ? pick("s", "t", "'ab'", "''")
      : `(${randomText(rng, "string", 0)} + ${randomText(rng, "string", 0)})`;
  if (depth === 0) return pick("p", "true", "false", "a > 1.0", "s == 'ab'", "b == a");
  const bool = (): string => randomText(rng, "bool", depth - 1);
  const number = (): string => randomText(rng, "number", depth - 1);
  const string = (): string => randomText(rng, "string", depth - 1);
  return pick(
    `(${bool()} && ${bool()})`,
    `(${bool()} || ${bool()})`,
    `!(${bool()})`,
    `(${number()} ${pick("<", "<=", ">", ">=", "==", "!=")} ${number()})`,
    `(${string()} ${pick("<", "==", "!=", ">")} ${string()})`,
    `${string()}.${pick("contains", "startsWith", "endsWith")}(${string()})`,
    `(${bool()} ? ${bool()} : ${bool()})`,
    `(${number()} in [1.0, ${number()}, a])`,
    `l.${pick("exists", "all", "exists_one")}(x, x ${pick("<", ">=")} ${randomText(rng, "number", 0)})`,
  );
}

test("the library evaluates the same text to the same outcome", () => {
  forEachSeed(1_500, (rng) => {
    const text = randomText(rng, "bool", rng.between(1, 4));
    const values: Record<string, unknown> = {
      a: rng.between(-2, 4),
      b: rng.between(-2, 4) / 2,
      s: "ab",
      t: "b",
      p: rng.between(0, 1) === 1,
      l: [1, 2.5],
    };
    // What is missing here is an error there.
    for (const name of Object.keys(values)) if (rng.between(0, 9) === 0) delete values[name];
    let expected: unknown;
    try {
      expected = library.parse(text)(values);
    } catch {
      expected = false;
    }
    equal(evaluate(text, values), expected === true, `${text} with ${JSON.stringify(values)}`);
  });
});
