// The checker: every fault of a document at once, each at its place, each saying what to do.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { compiled, eventAt, MONDAY_MS, timelineOf } from "../testing/programs.ts";
import { applyEvent } from "../engine.ts";
import { emptyPerson } from "../profile/person.ts";
import { checkProgram, compileProgram } from "./compile.ts";
import { compileItemFilter, NO_ITEM } from "./item-filter.ts";
import { compileRequestRules, withRules } from "./request-rules.ts";
import { Visit } from "./scope.ts";
import { FAULTS_MAX, SEGMENTS_MAX, SEQUENCES_MAX, WINDOWS_MAX } from "./limits.ts";
import { newsProgram } from "./news.ts";
import type { FeatureDocument, FeatureKind, ProgramDocument } from "./program.ts";
import { shopProgram } from "./shop.ts";
import { programWarnings } from "./warnings.ts";

const at = (document: unknown): string[] => checkProgram(document).map(({ path, code }) => `${path} ${code}`);

test("the programs that come with the product have no fault", () => {
  deepEqual(checkProgram(shopProgram), []);
  deepEqual(checkProgram(newsProgram), []);
});

test("a retention that begins when the window is over is taken, and warned of", () => {
  const experiment = (placement: string, window: string | undefined, after: string | undefined) => ({
    variants: { a: {}, b: { placements: { [placement]: placement } } },
    metrics: { back: { kind: "retention" as const, ...(after === undefined ? {} : { after }) } },
    ...(window === undefined ? {} : { window }),
  });
  const experiments = {
    never: experiment("p1", undefined, "14d"), hour: experiment("p2", "1h", undefined), same: experiment("p3", "7d", "168h"),
    fine: experiment("p4", undefined, undefined), long: experiment("p5", "30d", "14d"),
  };
  const document: ProgramDocument = {
    models: { crowd: { min_persons: 10, max_share: 0.1 } },
    placements: { p1: {}, p2: {}, p3: {}, p4: {}, p5: {} },
    experiments,
  };
  deepEqual(checkProgram(document), []);
  deepEqual(
    programWarnings(document, { webhooks: "signed" }).map(({ path, code }) => `${path} ${code}`),
    ["never", "hour", "same"].map((name) => `/experiments/${name}/metrics/back/after after_window`),
  );
});

test("an experiment in which nobody takes part, and numbers of impressions, are taken, and warned of", () => {
  const bounce = { left: { kind: "bounce" as const } };
  const document: ProgramDocument = {
    models: { crowd: { min_persons: 10, max_share: 0.1 } },
    placements: { home: {}, cart: {} },
    slots: {
      seen: { policy: "thompson", variants: { a: {}, b: {} }, reward: { events: { impression: 1, click: 1 } } },
      clicked: { policy: "thompson", variants: { a: {}, b: {} }, reward: { events: { click: 1 } } },
    },
    experiments: {
      empty: { variants: { a: {}, b: { slots: {}, placements: {} } }, metrics: bounce },
      alike: { variants: { a: {}, b: { placements: { cart: "cart" } } }, metrics: bounce },
      shown: {
        variants: { a: {}, b: { slots: { seen: "b" } } },
        metrics: { one: { kind: "count", event: "impression" }, two: { kind: "conversion", event: ["view", "impression"] }, paid: { kind: "revenue", max: 100 } },
      },
      nothing: { holdout: 0.1, metrics: bounce },
    },
  };
  deepEqual(checkProgram(document), []);
  deepEqual(
    programWarnings(document, { webhooks: "signed" }).map(({ path, code }) => `${path} ${code}`),
    [
      "/experiments/empty/variants no_change",
      "/experiments/shown/metrics/one/event not_counted",
      "/experiments/shown/metrics/two/event not_counted",
      "/slots/seen/reward/events/impression not_counted",
    ],
  );
});

test("a revenue that one purchase could decide is taken, and warned of", () => {
  const metrics = { all: { kind: "revenue" as const }, most: { kind: "revenue" as const, max: 500 }, carts: { kind: "count" as const, event: "add_to_cart" } };
  const experiments = { offer: { holdout: 0.1, metrics } };
  const document: ProgramDocument = { models: { crowd: { min_persons: 10, max_share: 0.1 } }, experiments };
  deepEqual(checkProgram(document), []);
  deepEqual(
    programWarnings(document, { webhooks: "signed" }).map(({ path, code }) => `${path} ${code}`),
    ["/experiments/offer/metrics/all/max unbounded_revenue"],
  );
});

test("a feature that adds up what is text in every event is taken, and warned of", () => {
  const of = (kind: FeatureKind, text: string): FeatureDocument =>
    ({ kind, event: "view", of: text, ...(kind === "decayed" ? { half_life: "1d" } : {}) });
  const document: ProgramDocument = {
    models: { crowd: { min_persons: 10, max_share: 0.1 } },
    features: {
      summed: of("sum", "item_id"), highest: of("max", "context.device"), faded: of("decayed", "item.category"), mean: of("mean", "page_url"),
      price: of("sum", "item.price"), data: of("max", "additional_data.pages"), worth: of("mean", "value"), kinds: of("distinct", "item_id"), latest: of("last", "page_url"),
      places: of("count", "context.region"), plain: { kind: "sum" },
    },
  };
  deepEqual(checkProgram(document), []);
  deepEqual(
    programWarnings(document, { webhooks: "signed" }).map(({ path, code }) => `${path} ${code}`),
    ["summed", "highest", "faded", "mean"].map((name) => `/features/${name}/of not_a_number`),
  );
});

test("a name that stands alone where an item, an event or the context has it is taken, and warned of", () => {
  const document: ProgramDocument = {
    models: { crowd: { min_persons: 10, max_share: 0.1 } },
    segments: {
      phones: { when: 'device == "mobile" && age > 30' },
      keen: { when: "string(interest(lamps)) != string(interest(chairs))" },
      theirs: { when: 'attributes.device == "mobile" && interest(attributes.favourite) > 0.4' },
      inside: { when: '["a"].exists(country, country == "a") && is_new' },
    },
    triggers: { dear: { when: "value > 100 && event.value > 100" } },
    placements: {
      home: {
        filter: '!(price >= 50) && "lamps" in item.categories',
        boost: [{ when: "item.price < 50", by: 2 }, { when: '"new" in tags', by: 2 }],
        pin: [{ when: "available", at: 1 }],
      },
    },
    slots: { hero: { policy: "rules", variants: { a: {} }, rules: [{ when: 'country == "NO" ? true : price > 1', variant: "a" }] } },
    experiments: { dark: { when: "hour >= 18", variants: { a: {}, b: { slots: { hero: "a" } } }, metrics: { bought: { kind: "conversion", event: "purchase" } } } },
  };
  deepEqual(checkProgram(document), []);
  const warnings = programWarnings(document, { webhooks: "signed" });
  deepEqual(
    warnings.map(({ path, code, message }) => `${path} ${code} ${/write `(.+?)`/.exec(message)![1]}`),
    [
      "/segments/phones/when bare_name context.device",
      '/segments/keen/when bare_name interest("lamps")',
      '/segments/keen/when bare_name interest("chairs")',
      "/segments/inside/when bare_name session.is_new",
      "/triggers/dear/when bare_name event.value",
      "/placements/home/filter bare_name item.price",
      "/placements/home/boost/1/when bare_name item.tags",
      "/placements/home/pin/0/when bare_name item.available",
      "/slots/hero/rules/0/when bare_name context.country",
      "/experiments/dark/when bare_name context.hour",
    ],
  );
  equal(
    warnings[5]!.message,
    "`price` alone is the visitor's attribute: write `item.price`, or `attributes.price` if that is meant (at character 3)",
  );
  equal(warnings[5]!.position, 2);
});

test("an event type that no event can have is taken where an event is asked for it, and warned of", () => {
  const document: ProgramDocument = {
    models: { crowd: { min_persons: 10, max_share: 0.1 } },
    events: { finished: { weight: 1 } },
    features: { f: { kind: "count", where: 'event.event_type != "vew"' } },
    triggers: {
      done: { when: 'event.event_type == "finished" && context.device == "phone"' },
      bought: { when: 'has(event.value) && !("purchse" == event.event_type)' },
      either: { when: 'event.event_type in ["click", "subscribed"] ? true : false' },
    },
    slots: { hero: { policy: "thompson", variants: { a: {}, b: {} }, reward: { events: { click: 1 }, when: 'event.event_type == "clik"' } } },
    experiments: {
      dark: { variants: { a: {}, b: { slots: { hero: "b" } } }, metrics: { m: { kind: "count", event: "view", where: 'event.event_type == "views"' } } },
    },
  };
  deepEqual(checkProgram(document), []);
  deepEqual(
    programWarnings(document, { webhooks: "signed" }).map(({ path, code, message }) => `${path} ${code} ${message}`),
    [
      "/features/f/where unknown_event_type no event is of type `vew`; did you mean `view`? (at character 21)",
      "/triggers/bought/when unknown_event_type no event is of type `purchse`; did you mean `purchase`? (at character 23)",
      "/triggers/either/when unknown_event_type no event is of type `subscribed`: declare it under `events` (at character 31)",
      "/slots/hero/reward/when unknown_event_type no event is of type `clik`; did you mean `click`? (at character 21)",
      "/experiments/dark/metrics/m/where unknown_event_type no event is of type `views`; did you mean `view`? (at character 21)",
    ],
  );
});

test("the programs that come with the product read no attribute by a name that something else has, and ask for no type that there is not", () => {
  for (const program of [shopProgram, newsProgram]) {
    const warnings = programWarnings(program, { webhooks: "signed" });
    deepEqual(warnings.filter(({ code }) => code === "bare_name" || code === "unknown_event_type"), []);
  }
});

test("all faults of a document are answered, each with its place", () => {
  deepEqual(
    at({
      experiments: { a: {} },
      colour: 1,
      events: { view: { weight: "x" }, "Bad-Name": { weight: 1 } },
      features: {
        frequency: { kind: "count" },
        f: { kind: "count", event: "viw", where: "age > 3" },
        g: { kind: "last", of: "nothing" },
      },
      segments: {
        learned: { clusters: { max: 100, features: ["nothing"], reach: 1 } },
        tastes: { clusters: {} },
        tastes_2: { when: "true" },
        a: { when: 'cout("view", "1h") > 1 && count("view", "1y") > 1' },
        b: {},
        "c/d": { when: "true" },
      },
      triggers: { t: { when: "event.valu > 1", once_per: "often", webhook: "mailto:x" } },
      placements: { p: { filter: "item.prize < 3", boost: [{ when: "item.price", by: 2 }], limit: 1000 } },
      slots: {
        s: { policy: "thompson_sampling", variants: { a: 1 }, rules: [{ when: "true", variant: "b" }], default: "c" },
      },
      models: { knn: { neighbors: 3 } },
      learning: { share: 2 },
    }).sort(),
    [
      "/colour unknown_key",
      "/events/Bad-Name bad_name",
      "/events/view/weight bad_type",
      "/experiments/a/metrics missing",
      "/experiments/a/variants missing",
      "/features/f/event unknown_event_type",
      "/features/f/where cel_name",
      "/features/frequency reserved_name",
      "/features/g/of bad_choice",
      "/learning/share out_of_range",
      "/models/knn/neighbors unknown_key",
      "/placements/p/boost/0/when cel_type",
      "/placements/p/filter cel_name",
      "/placements/p/limit out_of_range",
      "/segments/a/when bad_duration",
      "/segments/a/when unknown_function",
      "/segments/b/when missing",
      "/segments/c~1d bad_name",
      "/segments/learned/clusters/features/0 bad_choice",
      "/segments/learned/clusters/max out_of_range",
      "/segments/learned/clusters/reach not_used",
      "/segments/tastes duplicate",
      "/slots/s/default unknown_variant",
      "/slots/s/policy bad_choice",
      "/slots/s/rules/0/variant unknown_variant",
      "/triggers/t/once_per bad_duration",
      "/triggers/t/webhook bad_url",
      "/triggers/t/when cel_name",
    ],
  );
});

test("a number beyond all numbers is out of range, not of another type", () => {
  const [fault] = checkProgram(JSON.parse('{ "events": { "view": { "weight": 1e999 } } }'));
  deepEqual([fault!.code, fault!.message], ["out_of_range", "Infinity is out of range: write a number from -1000 to 1000"]);
});

test("faults of slots that learn and of experiments, each with its place", () => {
  const slot = { policy: "thompson", variants: { a: 1, b: 2 }, reward: { events: { click: 1 } } };
  deepEqual(
    at({
      slots: {
        hero: { ...slot, reward: { events: { clik: 1 }, when: "evnt.value > 1" } },
        other: { ...slot, features: ["device"], reward: { events: { click: -1 } } },
        ruled: { policy: "rules", variants: { a: 1 }, reward: { events: { click: 1 } } },
        fine: slot,
      },
      placements: { p: {}, q: {} },
      experiments: {
        one: {
          when: 'interst("x") > 1',
          variants: { a: {}, b: { slots: { fine: "c", heero: "a" }, placements: { p: "r" } } },
          control: "z",
          metrics: { m: { kind: "conversion", event: "purchse" } },
          primary: "n",
          covariate: "frequncy",
          guards: [{ metric: "x" }],
        },
        two: {
          variants: { a: {}, b: { slots: { fine: { like: "nobody" } } } },
          interleave: "p",
          metrics: { m: { kind: "bounce", event: "view" } },
        },
        three: { variants: { a: {}, b: { slots: { fine: "a" } } }, metrics: { m: { kind: "revenue" } } },
        four: { variants: { a: {}, b: { slots: { fine: "b" } } }, metrics: { m: { kind: "revenue" } } },
        all: { holdout: 0.1, share: 0.5, metrics: { m: { kind: "revenue" } } },
      },
    }).sort(),
    [
      "/experiments/all/share not_used",
      "/experiments/four conflict",
      "/experiments/one/control unknown_variant",
      "/experiments/one/covariate unknown_feature",
      "/experiments/one/guards/0/metric unknown_metric",
      "/experiments/one/metrics/m/event unknown_event_type",
      "/experiments/one/primary unknown_metric",
      "/experiments/one/variants/b/placements/p unknown_placement",
      "/experiments/one/variants/b/slots/fine unknown_variant",
      "/experiments/one/variants/b/slots/heero unknown_slot",
      "/experiments/one/when unknown_function",
      "/experiments/two/interleave bad_interleave",
      "/experiments/two/metrics/m/event not_used",
      "/experiments/two/variants/b/slots/fine/like unknown_slot",
      "/slots/hero/reward/events/clik unknown_event_type",
      "/slots/hero/reward/when cel_name",
      "/slots/other/features not_used",
      "/slots/other/reward/events missing",
      "/slots/ruled/reward not_used",
    ],
  );
});

test("a run is what its results can be added up under: words and guards do not matter, variants do", () => {
  const runOf = (extra: object): string =>
    compiled({
      experiments: { e: { variants: { a: {}, b: {} }, metrics: { m: { kind: "revenue" } }, ...extra } },
    }).experiments[0]!.run;
  equal(runOf({}), runOf({ description: "words", guards: [{ metric: "m" }] }));
  for (const extra of [{ seed: "x" }, { variants: { a: {}, b: { weight: 2 } } }, { window: "1d" }]) {
    equal(runOf({}) === runOf(extra), false);
  }
});

test("messages say what to do", () => {
  const [fault] = checkProgram({ segments: { a: { when: 'age > 3 && count("vew", "1h") > 2' } } });
  deepEqual(fault, {
    path: "/segments/a/when",
    code: "unknown_event_type",
    position: 17,
    message: "unknown event type `vew`; did you mean `view`? (at character 18)",
  });
  equal(
    checkProgram({ segments: { a: { when: 'x.matches("a")' } } })[0]?.message,
    "unknown method `matches()`; there are no regular expressions: use contains(), startsWith() or endsWith() (at character 1)",
  );
});

test("signs of other languages are told with CEL's", () => {
  const messages = [
    'attributes.plan = "pro"',
    "since('view') > 3 and session.active",
    "session.active OR true",
    "not true",
    "true true",
    "features.frequency => 3",
    "features.frequency =< 3",
    "since('view') > 7d",
    "features.frequency <> 3",
    "features.frequency between 3 and 5",
    "attributes.plan like 'p%'",
    "attributes.plan == \u201cpro\u201d",
    "if features.frequency > 3 then true",
  ].map((when) => checkProgram({ segments: { a: { when } } })[0]?.message);
  deepEqual(messages, [
    "unexpected `=`: CEL writes == (at character 17)",
    "unexpected `and`: CEL writes && (at character 19)",
    "unexpected `OR`: CEL writes || (at character 16)",
    "unexpected `true`: CEL writes ! for not (at character 5)",
    "unexpected `true` (at character 6)",
    "unexpected `=>`: CEL writes >= (at character 20)",
    "unexpected `=<`: CEL writes <= (at character 20)",
    "unexpected `d`: times are seconds here, e.g. 7 * 86400 for seven days (at character 18)",
    "unexpected `<>`: CEL writes != (at character 21)",
    "unexpected `between`: CEL writes age >= 20 && age <= 30 for a range (at character 20)",
    "unexpected `like`: CEL writes name.contains(part), name.startsWith(part) or name.endsWith(part) (at character 17)",
    "unexpected `\u201c`: CEL writes straight quotes, \" or ' (at character 20)",
    '`if` is a reserved word: write the condition alone, or attributes["if"] for an attribute of that name (at character 1)',
  ]);
});

test("what a message names is as it is written, and types are in the words of who writes rules", () => {
  const deep = `${"(".repeat(40)}true${")".repeat(40)}`;
  const messages = [
    "",
    "(features.frequency > 3",
    "session.active ? true",
    "attributes.",
    "true && && true",
    "[1, 2",
    deep,
    "features.frequency",
    "context.weekday == 'monday'",
    "since('view') > '7d'",
    "session.is_new == 'true'",
    "!features.frequency",
    "context.country in 'NO,SE'",
    "context.hour in ['9', '10']",
  ].map((when) => checkProgram({ segments: { a: { when } } })[0]?.message.replace(/ \(at character \d+\)$/, ""));
  deepEqual(messages, [
    "unexpected end of the expression",
    "expected `)`, got the end of the expression",
    "expected `:`, got the end of the expression",
    "expected a name, got the end of the expression",
    "unexpected `&&`",
    "expected `]`, got the end of the expression",
    "exceeded maxDepth (32): split it into segments and read them with in_segment()",
    "this is a number, a condition (true or false) is needed",
    "a number never equals a string",
    "`>` compares numbers with numbers or strings with strings, here is number > string",
    "a condition never equals a string",
    "`!` needs a condition, this is a number",
    "`in` needs a list or a map at its right, this is a string; for a part of a string write text.contains(part)",
    "a number is never in a list of strings",
  ]);
});

test("segments must not read themselves", () => {
  deepEqual(
    at({
      segments: {
        a: { when: 'in_segment("b")' },
        b: { when: '!in_segment("c")' },
        c: { when: 'in_segment("a") || age > 1' },
        d: { when: 'in_segment("a")' },
      },
    }),
    ["/segments/a/when cyclic_segments"],
  );
  deepEqual(at({ segments: { a: { when: 'in_segment("a")' } } }), ["/segments/a/when cyclic_segments"]);
  deepEqual(
    compiled({
      segments: { c: { when: 'in_segment("b")' }, b: { when: 'in_segment("a")' }, a: { when: "age > 1" } },
    }).segments.map(({ name }) => name),
    ["a", "b", "c"],
  );
});

test("limits: the last that fits, and one more", () => {
  const segments = (count: number, when: (i: number) => string): ProgramDocument => ({
    segments: Object.fromEntries(Array.from({ length: count }, (_, i) => [`s${i}`, { when: when(i) }])),
  });
  deepEqual(at(segments(SEGMENTS_MAX, () => "true")), []);
  deepEqual(at(segments(SEGMENTS_MAX + 1, () => "true")), ["/segments too_many"]);
  const last = (count: number): string[] => at(segments(count, (i) => (i === count - 1 ? "1.0 + 1.0" : "true")));
  deepEqual(last(SEGMENTS_MAX * 10).length, 2, "what is a slip too many is read to its end");
  deepEqual(last(SEGMENTS_MAX * 10 + 1), ["/segments too_many"], "what is no program at all is not");
  deepEqual(at(segments(WINDOWS_MAX, (i) => `count("view", "${i + 1}m") > 1`)), []);
  deepEqual(at(segments(WINDOWS_MAX + 1, (i) => `count("view", "${i + 1}m") > 1`)), [
    `/segments/s${WINDOWS_MAX}/when too_many`,
  ]);
  deepEqual(at(segments(SEQUENCES_MAX + 1, (i) => `followed("view", "click", "${i + 1}m")`)), [
    `/segments/s${SEQUENCES_MAX}/when too_many`,
  ]);
  equal(checkProgram(segments(SEGMENTS_MAX, () => "1 + true > 'x' && !1")).length, FAULTS_MAX);
});

test("garbage is refused, never thrown at", () => {
  for (const document of [
    null,
    undefined,
    1,
    "x",
    [],
    [{}],
    { segments: null },
    { segments: [1] },
    { features: { f: null } },
    { slots: { s: 1 } },
    { placements: { p: { boost: [null] } } },
    { segments: { a: { when: "\u0000" } } },
    { segments: { a: { when: "(".repeat(1_900) } } },
    { segments: { a: { when: `${"-".repeat(1_900)}1 > 0` } } },
    JSON.parse('{"__proto__": {}, "segments": {"__proto__": {"when": "true"}}}'),
  ]) {
    equal(checkProgram(document).length > 0, true, JSON.stringify(document)?.slice(0, 60));
  }
});

test("equal documents have equal plans, and a plan's key says what is folded", () => {
  const key = (document: ProgramDocument): string => compiled(document).plan.key;
  equal(key(shopProgram), key(structuredClone(shopProgram)));
  equal(key({ ...shopProgram, triggers: {} }), key(shopProgram));
  equal(key({ ...shopProgram, interests: { half_life: "1d" } }) === key(shopProgram), false);
});

test("a request's filter reads item and person, and only windows that are kept", () => {
  const program = compiled({ segments: { s: { when: 'count("view", "30m") >= 2' } } });
  const lamp = { item_id: "lamp", categories: ["lamps"], tags: ["sale"], price: 20 };
  const passes = (cel: string): boolean | string[] => {
    const outcome = compileItemFilter(cel, program);
    return "faults" in outcome ? outcome.faults.map(({ code }) => code) : outcome.predicate(new Visit(program.scope, person, MONDAY_MS))(lamp);
  };
  const timeline = timelineOf(program.document);
  let person: ReturnType<typeof emptyPerson> | undefined;
  equal(passes("'lamps' in item.categories && item.price < 30"), true);
  equal(passes("item.title == 'x' || !(item.title == 'x')"), false);
  equal(passes('count("view", "30m") >= 2'), false);
  deepEqual(passes('count("view", "31m") >= 2'), ["window_not_kept"]);
  deepEqual(passes("item.prize > 1"), ["cel_name"]);
  equal(compileItemFilter("item.available", program) !== undefined && program.filters.has("item.available"), true);
  person = emptyPerson(program.plan);
  timeline.append(2, 1, program);
  applyEvent(person, eventAt(MONDAY_MS, "view"), timeline);
  applyEvent(person, eventAt(MONDAY_MS, "view"), timeline);
  equal(passes('count("view", "30m") >= 2 && in_segment("s")'), true);
  equal(passes('in_segment("s") && item.price < 30 && !("new" in item.tags)'), true);
  equal(passes('in_segment("s") && item.price > 30'), false);
  equal(passes('item.price < 30 && count("view", "30m") >= 3'), false);
});

test("a condition over items asks the visitor once, and a visit finds its scope again", () => {
  const program = compiled({ segments: { s: { when: 'count("view", "30m") >= 2' } } });
  const predicate = (cel: string) => {
    const outcome = compileItemFilter(cel, program);
    if ("faults" in outcome) throw new Error(cel);
    return outcome.predicate;
  };
  const visit = new Visit(program.scope, undefined, MONDAY_MS);
  const [sale, cheap] = [{ item_id: "a", categories: [], tags: ["sale"] }, { item_id: "b", categories: [], tags: [], price: 5 }];
  equal(predicate('in_segment("s") && "sale" in item.tags')(visit), NO_ITEM);
  const [onSale, isCheap] = [predicate('"sale" in item.tags')(visit), predicate("item.price < 9 || item.price > 90")(visit)];
  deepEqual([onSale(sale), isCheap(sale), onSale(cheap), isCheap(cheap)], [true, false, false, true]);
  program.scope.begin(emptyPerson(program.plan), MONDAY_MS + 1);
  deepEqual([onSale(sale), program.scope.nowMs], [true, MONDAY_MS]);
});

test("the first visit of a program's scope is its own visitor's, at his time", () => {
  const document: ProgramDocument = { placements: { home: { boost: [{ when: "interest(item.categories[0]) > 0.25", by: 4 }] } } };
  const folding = compiled(document);
  const person = emptyPerson(folding.plan);
  applyEvent(person, { ...eventAt(MONDAY_MS, "view"), item_id: "lamp", item: { categories: ["lamps"], tags: [] } }, timelineOf(document));
  // Nobody was folded with this one: so it is in a node that has just started, and on a server that only answers.
  const answering = compiled(document);
  const visit = new Visit(answering.scope, person, MONDAY_MS + 1);
  const [boost] = answering.placements.get("home")!.boosts;
  equal(boost!.when(visit)({ item_id: "x", categories: ["lamps"], tags: [] }), true);
  equal(answering.scope.nowMs, MONDAY_MS + 1);
});

test("a fault leaves no half-made program", () => {
  equal("faults" in compileProgram({ segments: { a: { when: "true" }, b: { when: "1" } } }, 3), true);
});

test("faults of a placement's merchandising are found one by one", () => {
  const pin = [{ item: "a", at: 1 }, { item: "b", at: 1 }, { item: "a", when: "true", at: 2 }, { at: 3 }, { when: "item.prize > 1", at: 4 }];
  const cap = [{ by: "colour", max: 1 }, { by: "tags", max: 1 }, { by: "tags", max: 2 }];
  const frequency = { shows: 0, window: "1w" };
  const freshness = { weight: 2 };
  deepEqual(at({ placements: { p: { pin, cap, frequency, freshness, purchased_for: "x" } } }).sort(), [
    "/placements/p/cap/0/by bad_choice",
    "/placements/p/cap/2/by duplicate",
    "/placements/p/frequency/shows out_of_range",
    "/placements/p/frequency/window bad_duration",
    "/placements/p/freshness/half_life missing",
    "/placements/p/freshness/weight out_of_range",
    "/placements/p/pin/1/at duplicate",
    "/placements/p/pin/2 not_used",
    "/placements/p/pin/3 missing",
    "/placements/p/pin/4/when cel_name",
    "/placements/p/purchased_for bad_duration",
  ]);
});

test("rules of a request are a placement's, added to what the placement says", () => {
  const program = compiled({
    placements: { p: { filter: "item.price > 1", pin: [{ item: "a", at: 2 }, { item: "b", at: 3 }], cap: [{ by: "tags", max: 3 }], diversity: 0.3 } },
  });
  const rules = compileRequestRules({ pin: [{ item: "c", at: 2 }], cap: [{ by: "tags", max: 1 }], filter: "item.price < 9" }, program);
  if (!("rules" in rules)) throw new Error(JSON.stringify(rules));
  const both = withRules(program.placements.get("p")!, rules.rules);
  deepEqual(both.pins.map(({ itemId, at }) => [itemId, at]), [["c", 2], ["b", 3]]);
  deepEqual([both.caps, both.diversity], [[{ by: "tags", max: 1 }], 0.3]);
  const visit = new Visit(program.scope, undefined, MONDAY_MS);
  const passes = (price: number): boolean =>
    [both.filter!, both.alsoFilter!].every((filter) => filter(visit)({ item_id: "x", categories: [], tags: [], price }));
  deepEqual([0, 5, 10].map(passes), [false, true, false]);
  equal(withRules(both, { ...rules.rules, diversity: 0 }).diversity, 0);
  const faultsOf = (document: unknown): string[] => {
    const answer = compileRequestRules(document, program);
    return "faults" in answer ? answer.faults.map(({ path, code }) => `${path} ${code}`) : [];
  };
  deepEqual(faultsOf({ limit: 3, filter: "count(\"view\", \"1h\") > 1.0", frequency: { shows: 1, window: "1d" } }), [
    "/rules/limit unknown_key",
    "/rules/filter window_not_kept",
    "/rules/frequency not_kept",
  ]);
  deepEqual(faultsOf([]), ["/rules bad_type"]);
});

test("a policy that learns takes a click for its reward where nothing is written; catalogue_only may stand alone", () => {
  const { slots, models } = compiled({
    slots: { hero: { policy: "thompson", variants: { a: 1, b: 2 } } },
    catalogue_only: true,
  });
  deepEqual(slots.get("hero")!.bandit!.reward.weights, new Map([["click", 1]]));
  deepEqual(models, { catalogue_only: true });
});
