// What every host of the port promises, whichever it is: one suite, run over the embedded project and over a cluster's
// server. A change may need a moment to be seen, so each promise is awaited.
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { LoggedEvent } from "../../core/event/event.ts";
import type { ExperimentView } from "../../core/experiment/view.ts";
import type { ProgramDocument } from "../../core/program/program.ts";
import type { PersonRef } from "../../core/record.ts";
import { FilterError, RulesError, type PersonChange, type PreviewChange, type ProfileAnswer, type Project } from "../ports.ts";
import { programTag } from "../hosting/program-tag.ts";

export interface SuiteOptions {
  /** A new project with this first program, closed after the test by whoever opened it. */
  open(firstProgram: unknown): Promise<Project>;
  test?: { skip?: string | undefined; timeout?: number };
}

/** Registers the suite's tests. */
export function projectSuite(host: string, { open, test: options = {} }: SuiteOptions): void {
  const promise = (name: string, body: (open: SuiteOptions["open"]) => Promise<void>): void => {
    test(`${host}: ${name}`, { ...options, skip: options.skip ?? false }, () => body(open));
  };

  promise("an accepted event is in the profile and the next list; sent again it is a duplicate", async (open) => {
    const project = await open({});
    await project.putItems([item("lamp", "lamps"), item("chair", "chairs")]);
    deepEqual(await submit(project, view("e1", { user_id: "ada" }, "lamp")), ["accepted"]);
    const profile = await until(() => project.profile({ user_id: "ada" }), (found) => recentOf(found)[0] === "lamp");
    deepEqual(Object.keys(profile!.interests), ["lamps"]);
    deepEqual(await submit(project, view("e1", { user_id: "ada" }, "lamp")), ["duplicate"]);
    const twice = view("e2", { user_id: "ada" }, "lamp");
    deepEqual(await submit(project, twice, { ...twice }), ["accepted", "duplicate"]);
    deepEqual(await submit(project, view("e1", { user_id: "bob" }, "lamp")), ["accepted"], "ids are within a person");
    const after = await until(() => project.profile({ user_id: "ada" }), (found) => found!.version > profile!.version);
    equal(after!.features["interactions"], 2);
    const ask = () => project.recommend({ ref: { user_id: "ada" }, placement: "home", limit: 5, explain: true });
    const list = await until(ask, (answer) => answer!.items.some(({ item_id }) => item_id === "chair"));
    equal(list!.profile_version, after!.version);
    equal(list!.degraded, undefined);
    equal(await project.profile({ user_id: "nobody" }), undefined);
  });

  promise("a link makes two profiles one, and both names lead to it; listeners are told", async (open) => {
    const project = await open({});
    await submit(project, view("e1", { anonymous_id: "phone" }, "lamp"), view("e2", { user_id: "ada" }, "chair"));
    await until(() => project.profile({ anonymous_id: "phone" }), (found) => recentOf(found).length === 1);
    await until(() => project.profile({ user_id: "ada" }), (found) => recentOf(found).length === 1);
    const merged = new Promise<PersonChange>((resolve) =>
      project.onChange((change) => change.mergedFrom !== undefined && resolve(change)),
    );
    await submit(project, view("e3", { user_id: "ada", anonymous_id: "phone" }, "sofa"));
    const { key, mergedFrom } = await merged;
    deepEqual([key, mergedFrom], ["u:ada", "a:phone"]);
    const byUser = await until(() => project.profile({ user_id: "ada" }), (found) => recentOf(found).length === 3);
    const byDevice = await until(() => project.profile({ anonymous_id: "phone" }), (found) => recentOf(found).length === 3);
    deepEqual(recentOf(byDevice), recentOf(byUser));
    deepEqual(new Set(recentOf(byUser)), new Set(["lamp", "chair", "sofa"]));
    equal(project.personKey({ anonymous_id: "phone" }), "u:ada");
  });

  promise("listeners are told which segments a link alone moves a person into and out of", async (open) => {
    const segments = { once: { when: 'count("view", "1h") == 1' }, often: { when: 'count("view", "1h") >= 2' } };
    const project = await open({ segments });
    await submit(project, view("e1", { anonymous_id: "phone" }, "lamp"), view("e2", { user_id: "ada" }, "chair"));
    await until(() => project.segments(), ([once]) => once!.size === 2);
    const moved = new Promise<PersonChange>((resolve) =>
      project.onChange((change) => change.entered.length + change.left.length > 0 && resolve(change)),
    );
    await project.setAttributes({ user_id: "ada", anonymous_id: "phone" }, {});
    const { key, entered, left } = await moved;
    deepEqual([key, entered, left], ["u:ada", ["often"], ["once"]]);
    const [once, often] = await until(() => project.segments(), ([before]) => before!.size === 0);
    deepEqual([once!.size, often!.size], [0, 1]);
  });

  promise("attributes are set, read by segments, and link where they carry both ids", async (open) => {
    const project = await open({ segments: { gold: { when: 'attributes.tier == "gold"' } } });
    await submit(project, view("e1", { anonymous_id: "phone" }, "lamp"));
    await until(() => project.profile({ anonymous_id: "phone" }), (found) => found !== undefined);
    const answer = await project.setAttributes({ user_id: "ada", anonymous_id: "phone" }, { tier: "gold" });
    deepEqual([answer.attributes, answer.segments], [{ tier: "gold" }, ["gold"]]);
    const linked = await until(() => project.profile({ anonymous_id: "phone" }), (found) => found?.user_id === "ada");
    deepEqual([linked!.attributes, recentOf(linked)], [{ tier: "gold" }, ["lamp"]]);
  });

  promise("what was said on a device holds for the user whom a login makes of it, from that event on", async (open) => {
    const ada = { user_id: "ada", anonymous_id: "phone" };
    const saying = (analytics: "granted" | "denied") =>
      ({ personalization: "granted", analytics, profiling: "granted" }) as const;
    const free = await open({});
    await free.setConsent({ anonymous_id: "phone" }, saying("denied"));
    deepEqual(await submit(free, view("e1", ada, "lamp"), view("e2", { user_id: "ada" }, "lamp")), ["refused", "refused"]);
    const later = await until(() => free.consent({ user_id: "ada" }), ({ said }) => said);
    equal(later.consent.analytics, "denied", "the event is not kept, and the denial comes along all the same");
    deepEqual((await free.profile({ user_id: "ada" }))!.recent, []);
    await free.setConsent({ user_id: "bob" }, saying("granted"));
    await free.setConsent({ anonymous_id: "tablet" }, saying("denied"));
    const bob = { user_id: "bob", anonymous_id: "tablet" };
    const own = await submit(free, view("e3", bob, "lamp"), view("e4", { anonymous_id: "tablet" }, "lamp"));
    deepEqual(own, ["accepted", "accepted"], "his own word is above what was said on a device that becomes his");
    await free.setConsent({ anonymous_id: "watch" }, saying("denied"));
    const marked = { ...view("e5", { user_id: "eve", anonymous_id: "watch" }, "lamp"), traffic: "no_consent" } as const;
    deepEqual(await submit(free, marked), ["refused"], "a browser that asks for more must not be kept where another is not");
    equal((await free.consent({ user_id: "eve" })).said, false, "it makes the device nobody's");
    const asksFirst = await open({ consent: { default: "denied" } });
    await asksFirst.setConsent({ anonymous_id: "phone" }, saying("granted"));
    const login = [view("e1", ada, "lamp"), view("e2", { user_id: "ada" }, "chair"), view("e3", { user_id: "bob" }, "chair")];
    deepEqual(await submit(asksFirst, { ...login[0]!, event_id: "e0", traffic: "no_consent" }), ["refused"]);
    deepEqual(await submit(asksFirst, ...login), ["accepted", "accepted", "refused"]);
    const profile = await until(() => asksFirst.profile({ user_id: "ada" }), (found) => recentOf(found).length === 2);
    equal(profile!.consent?.analytics, "granted");
  });

  promise("segments know their sizes and members, and persons are found by how their ids begin", async (open) => {
    const project = await open({ segments: { lookers: { when: 'since("view") < 1000000.0' } } });
    const refs = Array.from({ length: 9 }, (_, i): PersonRef => ({ user_id: `ada${i}` }));
    await submit(project, ...refs.map((ref, i) => view(`e${i}`, ref, "lamp")), view("x", { anonymous_id: "adam" }, "lamp"));
    await until(() => project.segments(), ([lookers]) => lookers!.size === 10);
    const members: PersonRef[] = [];
    for (let after: string | undefined; ; ) {
      const page = await project.segmentUsers("lookers", { limit: 4, ...(after === undefined ? {} : { after }) });
      equal(page!.total, 10);
      members.push(...page!.users);
      if (page!.next === undefined) break;
      after = page!.next;
    }
    deepEqual(idsOf(members), idsOf([...refs, { anonymous_id: "adam" }]));
    deepEqual(idsOf(await project.searchPersons("ada", 20)), idsOf(members));
    equal((await project.searchPersons("ada", 3)).length, 3);
    equal(await project.segmentUsers("nothing", { limit: 4 }), undefined);
  });

  promise("the catalogue: put, read, recommended, deleted", async (open) => {
    const project = await open({});
    await project.putItems([item("lamp", "lamps")]);
    equal((await project.item("lamp"))!.title, "lamp");
    await project.putItems([{ ...item("lamp", "lamps"), title: "New" }]);
    await until(() => project.item("lamp"), (found) => found?.title === "New");
    equal(await project.deleteItem("lamp"), true);
    await until(() => project.item("lamp"), (found) => found === undefined);
    equal(await project.deleteItem("lamp"), false);
  });

  promise("a new program changes everybody; a bad one changes nothing; an old one comes back", async (open) => {
    const project = await open({});
    await submit(project, view("e1", { user_id: "ada" }, "lamp"));
    await until(() => project.profile({ user_id: "ada" }), (found) => found !== undefined);
    const bad = await project.putProgram({ segments: { broken: { when: "count(" } } });
    ok("faults" in bad && bad.faults[0]!.path.startsWith("/segments/broken"));
    equal((await project.program())!.version, 1);
    deepEqual(await project.putProgram({ segments: { lookers: { when: 'since("view") < 1000000.0' } } }), { version: 2 });
    await until(() => project.profile({ user_id: "ada" }), (found) => found!.segments[0] === "lookers");
    deepEqual(await project.rollbackProgram(1), { version: 3 });
    await until(() => project.profile({ user_id: "ada" }), (found) => found!.segments.length === 0);
    equal(await project.rollbackProgram(9), undefined);
    deepEqual((await project.programVersions()).map(({ version }) => version), [1, 2, 3]);
  });

  promise("of two who changed the same program the second is told, and changes nothing", async (open) => {
    const project = await open({});
    const base = [programTag((await project.program())!.document)];
    const mine = { name: "mine", segments: { lookers: { when: 'since("view") < 1000000.0' } } };
    deepEqual(await project.putProgram(mine, base), { version: 2 });
    deepEqual(await project.putProgram({ name: "yours" }, base), { changedTo: 2 });
    const { version, document } = (await project.program())!;
    deepEqual([version, document["name"]], [2, "mine"]);
    deepEqual(await project.putProgram({ name: "yours" }, [...base, programTag({ segments: mine.segments, name: "mine" })]), { version: 3 });
    deepEqual(await project.rollbackProgram(2, base), { changedTo: 3 });
    const both = await Promise.all(["a", "b"].map((name) => project.putProgram({ name }, [programTag({ name: "yours" })])));
    deepEqual(both.map((put) => Object.keys(put)[0]).sort(), ["changedTo", "version"]);
  });

  promise("dead letters come newest first, page by page, once by their key, and leave when they are resolved", async (open) => {
    const project = await open({});
    for (let i = 0; i < 5; i++) {
      const letter = { code: "bad", path: "/x", message: "bad", source: "http", body: { i }, ...(i === 4 ? { once: "f:1" } : {}) };
      await project.submit({ events: [], deadLetters: [letter] });
      if (i === 4) await project.submit({ events: [], deadLetters: [letter] });
      // Of letters of the same millisecond none is the newer one.
      await pause(2);
    }
    await until(() => project.deadLetters({ limit: 9 }), ({ total }) => total === 5);
    const page = await project.deadLetters({ limit: 2 });
    const second = await project.deadLetters({ limit: 9, before: page.letters[1]!.id });
    const bodies = [...page.letters, ...second.letters].map(({ body }) => (body as { i: number }).i);
    deepEqual(bodies, [4, 3, 2, 1, 0]);
    // Whoever has got to a letter that was dealt with meanwhile goes on behind it, and does not begin again.
    await project.resolveDeadLetter(page.letters[1]!.id);
    await until(() => project.deadLetters({ limit: 9 }), ({ total }) => total === 4);
    equal(await project.deadLetter(page.letters[1]!.id), undefined);
    const rest = await project.deadLetters({ limit: 2, before: page.letters[1]!.id });
    deepEqual(rest.letters.map(({ body }) => (body as { i: number }).i), [2, 1]);
  });

  promise("a filter that is no CEL is refused; what the program does not name is not there", async (open) => {
    const project = await open({});
    await rejects(project.trending(5, "item.price <"), FilterError);
    const ask = { ref: { user_id: "x" }, limit: 5 };
    await rejects(project.recommend({ ...ask, placement: "home", filter: "item.price <" }), FilterError);
    equal(await project.recommend({ ...ask, placement: "nowhere" }), undefined);
    equal(await project.decide({ user_id: "x" }, "nowhere"), undefined);
    deepEqual(await project.slots(), []);
    equal(await project.experiment("none"), undefined);
  });

  promise("a placement's pins, caps and frequency hold, and a request's rules are added to them", async (open) => {
    const placement = { pin: [{ item: "i9", at: 2 }], cap: [{ by: "category", max: 2 }], frequency: { shows: 2, window: "1d" } };
    const project = await open({ placements: { shelf: placement } });
    await project.putItems(Array.from({ length: 12 }, (_, i) => item(`i${i}`, `c${i % 4}`)));
    const ask = async (rules?: object) => {
      const request = { ref: { user_id: "ada" }, placement: "shelf", limit: 8, ...(rules === undefined ? {} : { rules }) };
      return (await project.recommend(request))!.items.map(({ item_id }) => item_id);
    };
    const list = await until(() => ask(), (ids) => ids.length === 8);
    equal(list[1], "i9");
    const most = (ids: string[]) => Math.max(...[0, 1, 2, 3].map((c) => ids.filter((id) => Number(id.slice(1)) % 4 === c).length));
    equal(most(list), 2);
    const first = list[0]!;
    const shown = (id: string): LoggedEvent => ({ ...view(id, { user_id: "ada" }, first), event_type: "impression" });
    await submit(project, shown("s1"), shown("s2"));
    await until(() => ask(), (ids) => !ids.includes(first));
    const asked = await ask({ pin: [{ item: "i10", at: 1 }], cap: [{ by: "category", max: 1 }] });
    deepEqual([asked[0], asked[1], asked.length, most(asked)], ["i10", "i9", 4, 1]);
    await rejects(ask({ pin: [{ at: 1 }] }), (error: RulesError) => error.faults[0]!.path === "/rules/pin/0");
  });

  promise("a preview shows the list before and after, what moved and why, and changes nothing", async (open) => {
    const project = await open({ placements: { shelf: { filter: "item.price < 100", boost: [{ when: '"c1" in item.categories', by: 1.5 }] } } });
    await project.putItems(Array.from({ length: 12 }, (_, i) => ({ ...item(`i${i}`, `c${i % 4}`), price: i === 11 ? 500 : i })));
    await submit(project, view("e1", { user_id: "ada" }, "i1"), view("e2", { user_id: "bob" }, "i2"), view("e3", { user_id: "bob" }, "i1"));
    await until(() => project.profile({ user_id: "ada" }), (found) => recentOf(found).length === 1);
    await until(() => project.recommend({ ref: { user_id: "ada" }, placement: "shelf", limit: 20 }), (list) => list!.items.length === 11);
    const ref = { user_id: "ada" };
    const ask = (change: PreviewChange, whyNot: string[] = []) => project.preview({ ref, placement: "shelf", limit: 6, change, whyNot });
    const same = (await ask({}, ["i11", "none"]))!;
    deepEqual(same.before.items, same.after.items);
    const live = await project.recommend({ ref, placement: "shelf", limit: 6, explain: true });
    deepEqual(same.before.items.map(({ account: _account, ...shown }) => shown), live!.items);
    const verdicts = same.why_not.map(({ item_id, before }) => [item_id, before.status, before["rule"]]);
    deepEqual(verdicts, [["i11", "filtered", "/placements/shelf/filter"], ["none", "unknown", undefined]]);

    const draft = (await ask({ placement: { pin: [{ item: "i11", at: 2 }], boost: [{ when: '"c3" in item.categories', by: 9 }] } }))!;
    equal(draft.after.items[1]!.item_id, "i11");
    deepEqual(draft.moves.find(({ item_id }) => item_id === "i11"), { item_id: "i11", from: null, to: 2, why: "Pinned at 2." });
    await rejects(ask({ placement: { pin: [{ at: 1 }] } }), (error: RulesError) => error.faults[0]!.path === "/placements/shelf/pin/0");

    const other = (await ask({ events: [{ event_type: "purchase", item_id: "i1" }], rules: { exclude: ["purchased"] } }, ["i1"]))!;
    deepEqual([other.why_not[0]!.before.status, other.why_not[0]!.after.status], ["listed", "excluded"]);
    equal((await ask({ without: ["i1"] }))!.after.strategy === "blend", false);
    const newcomer = (await project.preview({ placement: "shelf", change: {}, whyNot: [] }))!;
    ok(newcomer.before.items.length === 11 && !["blend", "history"].includes(newcomer.before.strategy));
    const profile = await project.profile(ref);
    deepEqual([recentOf(profile), (await project.program())!.version], [["i1"], 1]);
    equal(await project.preview({ placement: "nowhere", change: {}, whyNot: [] }), undefined);
  });

  promise("marked traffic is kept and counted, and is nobody's", async (open) => {
    const project = await open({});
    deepEqual(await submit(project, { ...view("e1", { user_id: "crawler" }, "lamp"), traffic: "bot" }), ["accepted"]);
    await submit(project, view("e2", { user_id: "ada" }, "lamp"));
    await until(() => project.profile({ user_id: "ada" }), (found) => found !== undefined);
    equal(recentOf(await project.profile({ user_id: "crawler" })).length, 0);
    equal(project.stats().markedTrafficTotal, 1);
  });

  promise("a slot learns from what came of its decisions, of his own visitor only", async (open) => {
    const project = await open(DECIDING);
    const decided = (await project.decide({ user_id: "ada" }, "hero", { device: "mobile" }))!;
    ok(decided.propensity > 0 && decided.propensity < 1);
    const context = { decision_id: decided.decision_id };
    await submit(project, { ...did("s1", "impression", { user_id: "bob" }), context });
    await submit(project, { ...did("i1", "impression", { user_id: "ada" }), context });
    await submit(project, { ...did("c1", "click", { user_id: "ada" }), context });
    const [hero] = await until(() => project.slots(), ([slot]) => slot!.learning!.reward === 1);
    const arm = hero!.arms.find(({ variant }) => variant === decided.variant)!;
    deepEqual([hero!.learning!.shown, arm.shown, arm.reward], [1, 1, 1]);
    equal(hero!.arms.reduce((sum, { share }) => sum + share, 0).toFixed(9), "1.000000000");
    deepEqual(
      (await project.slots()).map(({ name, learning }) => [name, learning !== null]),
      [["hero", true], ["theme", false]],
    );
  });

  promise("an experiment counts who saw a variant and what he did then; who logs in keeps his", async (open) => {
    const project = await open(DECIDING);
    const given = new Map<string, string>();
    for (let i = 0; i < 24; i++) {
      // Nobody knows him yet when he is decided for.
      const anonymous_id = `guest${i}`;
      const { variant, decision_id, experiments } = (await project.decide({ anonymous_id }, "theme"))!;
      given.set(`u${i}`, variant!);
      deepEqual(experiments, { look: variant });
      const context = { decision_id };
      await submit(project, { ...did(`i${i}`, "impression", { anonymous_id, user_id: `u${i}` }), context });
      if (i % 3 === 0) await submit(project, did(`p${i}`, "purchase", { user_id: `u${i}` }, 5));
    }
    const bought = (variant: string) =>
      [...given].filter(([user, of]) => of === variant && Number(user.slice(1)) % 3 === 0).length;
    const look = await until(
      () => project.experiment("look"),
      (found) => found!.users === 24 && found!.variants.reduce((sum, { conversions }) => sum + conversions!, 0) === 8,
    );
    for (const { name, users, exposures, conversions } of look!.variants) {
      const own = [...given.values()].filter((variant) => variant === name).length;
      deepEqual([users, exposures, conversions], [own, own, bought(name)], name);
    }
    for (const [user_id, variant] of given) equal((await project.decide({ user_id }, "theme"))!.variant, variant);
    deepEqual((await project.experiments()).map(({ name }) => name), ["look", "mix"]);
  });

  promise("an experiment whose variants and metrics are written in another order keeps its numbers, and its people", async (open) => {
    const metrics = { bought: { kind: "conversion", event: "purchase" }, spent: { kind: "revenue" } };
    const look = { variants: { plain: {}, dark: { slots: { theme: "dark" } } }, metrics };
    const theme = { policy: "rules", variants: { light: {}, dark: {} }, default: "light" };
    const turned = <T extends object>(part: T): T => Object.fromEntries(Object.entries(part).reverse()) as T;
    const other = { variants: turned(look.variants), metrics: turned(metrics) };
    const project = await open({ slots: { theme }, experiments: { look } } as ProgramDocument);
    const given = new Map<string, string>();
    for (let i = 0; i < 12; i++) {
      const user_id = `u${i}`;
      const { variant, decision_id } = (await project.decide({ user_id }, "theme"))!;
      given.set(user_id, variant!);
      await submit(project, { ...did(`i${i}`, "impression", { user_id }), context: { decision_id } });
      if (variant === "dark") await submit(project, did(`p${i}`, "purchase", { user_id }, 5));
    }
    const spent = 5 * [...given.values()].filter((variant) => variant === "dark").length;
    const isWhole = (found: ExperimentView | undefined) => found!.users === 12 && found!.variants[1]!.metrics["spent"]!.total === spent;
    const before = (await until(() => project.experiment("look"), isWhole))!;
    for (const experiments of [{ look: other }, {}, { look: other }]) {
      ok("version" in (await project.putProgram({ slots: { theme }, experiments })));
      await until(() => project.experiments(), (found) => found!.length === Object.keys(experiments).length);
    }
    const after = (await project.experiment("look"))!;
    deepEqual([after.run, after.control, after.primary], [before.run, "plain", "bought"]);
    deepEqual(after.variants.map(({ name, users, metrics }) => [name, users, metrics]), before.variants.map(({ name, users, metrics }) => [name, users, metrics]));
    for (const [user_id, variant] of given) equal((await project.decide({ user_id }, "theme"))!.variant, variant);
  });

  promise("an interleaved list is won by the ranking whose items were clicked", async (open) => {
    const project = await open(DECIDING);
    await project.putItems(["lamp", "chair", "sofa", "desk"].map((id) => item(id, id)));
    await submit(project, ...["lamp", "chair", "sofa", "desk"].map((id) => view(`v${id}`, { user_id: "cid" }, id)));
    const ask = () => project.recommend({ ref: { user_id: "ada" }, placement: "mixed", limit: 4 });
    const { decision_id, items } = (await until(ask, (list) => list!.items.length === 4))!;
    const context = { decision_id };
    await submit(project, { ...did("i1", "impression", { user_id: "ada" }), context });
    await submit(project, { ...view("c1", { user_id: "ada" }, items[0]!.item_id), event_type: "click", context });
    const sumOf = (wins: object | undefined) => Object.values(wins ?? {}).reduce((sum, one) => sum + one, 0);
    const mix = await until(() => project.experiment("mix"), (found) => sumOf(found!.interleaving?.wins) === 1);
    equal(mix!.interleaving!.ties, 0);
  });

  promise("a variant that does harm is stopped: its people see control", async (open) => {
    const project = await open(DECIDING);
    for (let i = 0; i < 240; i += 40) {
      const refs = Array.from({ length: 40 }, (_, at): PersonRef => ({ user_id: `n${i + at}` }));
      const decided = await Promise.all(refs.map((ref) => project.decide(ref, "theme")));
      const impressions = decided.map((one, at) => ({
        ...did(`i${i + at}`, "impression", refs[at]!),
        context: { decision_id: one!.decision_id },
      }));
      await submit(project, ...impressions);
      const buyers = refs.filter((_, at) => decided[at]!.variant === "light" || at % 20 === 0);
      await submit(project, ...buyers.map((ref, at) => did(`p${i + at}-${ref.user_id}`, "purchase", ref, 5)));
    }
    const stopped = await until(() => project.experiment("look"), (found) => found!.variants[1]!.stopped !== null);
    equal(stopped!.variants[1]!.stopped!.metric, "bought");
    for (let i = 0; i < 12; i++) equal((await project.decide({ user_id: `later${i}` }, "theme"))!.variant, "light");
  });
}

const DECIDING: ProgramDocument = {
  slots: {
    hero: { policy: "squarecb", variants: { a: 1, b: 2, c: 3 }, reward: { events: { click: 1 } } },
    theme: { policy: "rules", variants: { light: 1, dark: 2 }, default: "light" },
  },
  placements: { mixed: { limit: 4 }, fresh: { limit: 4, diversity: 0.9 } },
  experiments: {
    look: {
      variants: { light: {}, dark: { slots: { theme: "dark" } } },
      metrics: { bought: { kind: "conversion", event: "purchase" } },
      guards: [{ metric: "bought" }],
      window: "1d",
    },
    mix: {
      variants: { old: {}, fresh: { placements: { mixed: "fresh" } } },
      interleave: "mixed",
      metrics: { clicks: { kind: "count", event: "click" } },
    },
  },
};

const did = (id: string, type: string, person: PersonRef, value?: number): LoggedEvent => ({
  event_id: id,
  ...person,
  event_type: type,
  timestamp: Date.now(),
  received_at: Date.now(),
  ...(value === undefined ? {} : { value }),
});
const item = (id: string, category: string) => ({ item_id: id, title: id, categories: [category], tags: [] });
const view = (id: string, person: PersonRef, itemId: string): LoggedEvent => ({
  event_id: id,
  ...person,
  event_type: "view",
  item_id: itemId,
  timestamp: Date.now(),
  received_at: Date.now(),
});
const submit = (project: Project, ...events: LoggedEvent[]) => project.submit({ events, deadLetters: [] });
const recentOf = (profile: ProfileAnswer | undefined) => profile?.recent.map(({ item_id }) => item_id) ?? [];
const idsOf = (refs: readonly PersonRef[]) => refs.map(({ user_id, anonymous_id }) => user_id ?? anonymous_id).sort();

/** Asks until the answer is as wanted; the test's time-out ends what never is. */
async function until<T>(ask: () => Promise<T>, isWanted: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (isWanted(answer)) return answer;
    await pause(5);
  }
}
