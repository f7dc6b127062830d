// The checker: every fault of a document at once, each at its place, each saying what to do.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { compiled, eventAt, MONDAY_MS, timelineOf } from "../testing/programs.ts";
import { applyEvent } from "../engine.ts";
import { emptyPerson } from "../profile/person.ts";
import { checkProgram, compileProgram } from "./compile.ts";
import { compileItemFilter } from "./item-filter.ts";
import { FAULTS_MAX, SEGMENTS_MAX, SEQUENCES_MAX, WINDOWS_MAX } from "./limits.ts";
import { newsProgram } from "./news.ts";
import type { ProgramDocument } from "./program.ts";
import { shopProgram } from "./shop.ts";

const at = (document: unknown): string[] => checkProgram(document).map(({ path, code }) => `${path} ${code}`);

test("the programs that come with the product have no fault", () => {
  deepEqual(checkProgram(shopProgram), []);
  deepEqual(checkProgram(newsProgram), []);
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
        learned: { clusters: {} },
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
      "/experiments not_supported",
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
      "/segments/learned/clusters not_supported",
      "/slots/s/default unknown_variant",
      "/slots/s/policy not_supported",
      "/slots/s/rules/0/variant unknown_variant",
      "/triggers/t/once_per bad_duration",
      "/triggers/t/webhook bad_url",
      "/triggers/t/when cel_name",
    ],
  );
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
    return "faults" in outcome ? outcome.faults.map(({ code }) => code) : outcome.predicate(lamp, person, MONDAY_MS);
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
});

test("a fault leaves no half-made program", () => {
  equal("faults" in compileProgram({ segments: { a: { when: "true" }, b: { when: "1" } } }, 3), true);
});
