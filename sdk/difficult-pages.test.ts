// The SDK in pages that are hard on it: they wrap, freeze and clear what it stands on, or hold what must not be sent.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { browserMissing, launchBrowser, newContext, withPage, type Browser, type Page } from "../e2e/browser.ts";
import { buildRoom } from "../scripts/build.ts";
import { startCollector, type Collected, type Collector } from "./testing/collector.ts";
import type { Attune } from "./types.ts";

declare const attune: Attune;

const GRANTED = 'data-consent="granted" data-auto';
const page = (body: string, attributes = GRANTED): string =>
  `<!doctype html><html lang="en"><head><title>Page</title><script src="/sdk/attune.js" ${attributes}></script></head><body>${body}</body></html>`;

describe("the SDK in difficult pages", { skip: browserMissing() ?? false }, () => {
  let browser: Browser;
  let collector: Collector;
  before(async () => {
    await buildRoom("sdk");
    browser = await launchBrowser();
  });
  after(() => browser?.close());
  beforeEach(async () => {
    collector = await startCollector({ "/": page("<p>Hello</p>") });
  });
  afterEach(() => collector.close());

  /** What arrived of these types, after everything was sent. */
  const told = async (at: Page, ...types: string[]): Promise<Collected[]> => {
    await at.evaluate(() => attune.flush());
    return collector.received.filter(({ event_type }) => types.includes(event_type));
  };
  const frames = (at: Page, count = 3): Promise<void> =>
    at.evaluate(async (count) => {
      for (let n = 0; n < count; n++) await new Promise(requestAnimationFrame);
    }, count);

  test("a search form's token, boxes and addresses are no searches", () =>
    withPage(browser, {}, async (at) => {
      collector.pages["/"] = page(`<form role="search"><input type="hidden" name="csrf" value="secret-token">
        <input id="box" type="checkbox" value="brand-x"><input id="mail" type="email"><input id="pass" type="password" data-attune-search>
        <textarea id="note" data-attune-search></textarea><input id="q" name="q"><button>Go</button></form>`);
      await at.goto(collector.origin);
      await at.evaluate(() => document.querySelector("form")!.addEventListener("submit", (event) => event.preventDefault()));
      await at.click("#box");
      for (const field of ["mail", "pass", "note"]) await at.fill(`#${field}`, `ada-${field}@example.com`);
      await at.fill("#q", "desk lamp");
      await at.click("button");
      const searches = await told(at, "search");
      assert.deepEqual(searches.map(({ additional_data }) => additional_data), [{ query: "desk lamp" }]);
    }));

  test("a search that a router writes into the address at each letter is one search", () =>
    withPage(browser, {}, async (at) => {
      collector.pages["/"] = page(`<input type="search" aria-label="Search">`);
      await at.goto(collector.origin);
      await at.evaluate(async () => {
        const field = document.querySelector("input")!;
        field.addEventListener("input", () => history.replaceState(null, "", `?q=${field.value}`));
        for (const value of ["de", "des", "desk"]) {
          field.value = value;
          field.dispatchEvent(new Event("input", { bubbles: true }));
          await new Promise(requestAnimationFrame);
        }
      });
      await collector.event({ event_type: "search" });
      await at.evaluate(() => history.pushState(null, "", "?q=lamp")); // a link to another search
      await collector.event(({ additional_data }) => additional_data?.["query"] === "lamp");
      const searches = await told(at, "search");
      assert.deepEqual(searches.map(({ additional_data }) => additional_data), [{ query: "desk" }, { query: "lamp" }]);
    }));

  test("a click on a label is one click, and a form whose field is named `id` is clicked like any other", () =>
    withPage(browser, {}, async (at) => {
      collector.pages["/"] = page(`<article data-attune-item="a-1"><label>Compare <input type="checkbox"></label></article>
        <article data-attune-item="a-2"><label data-attune-event="like">Like <input type="checkbox"></label></article>
        <article data-attune-item="a-3"><input type="radio" id="r4"><label for="r4" data-attune-event="rating" data-attune-value="4">Four</label></article>
        <article data-attune-item="a-4"><label><input type="checkbox"> I accept <a href="#terms">the terms</a></label></article>
        <form id="order" data-attune-item="a-5"><input type="hidden" name="id" value="x"><p>Order</p></form>`);
      await at.goto(collector.origin);
      for (const text of ["Compare", "Like", "Four", "the terms"]) await at.getByText(text, { exact: true }).click();
      await at.evaluate(() => document.querySelector("form")!.click());
      const clicks = await told(at, "click", "like", "rating");
      assert.deepEqual(
        clicks.map(({ event_type, item_id, value, additional_data }) =>
          [event_type, item_id, value ?? additional_data?.["tag"], additional_data?.["element_id"]].join(" ").trim(),
        ),
        ["click a-1 input", "like a-2", "rating a-3 4", "click a-3 input r4", "click a-4 a", "click a-5 form order"],
      );
    }));

  test("where the visitor comes from is a site or an app, never a page of it", async () => {
    const from = (initScript: () => void, expected: string): Promise<void> =>
      withPage(browser, { initScript }, async (at) => {
        collector.received.length = 0;
        await at.goto(collector.origin);
        assert.equal((await collector.event({ event_type: "page_view" })).context?.["referrer"], expected);
      });
    await from(() => Object.defineProperty(document, "referrer", { value: "https://search.example:8443/found?q=ada" }), "https://search.example:8443");
    await from(() => Object.defineProperty(document, "referrer", { value: "android-app://com.example.mail/" }), "android-app://com.example.mail");
  });

  test("a page that wraps fetch for texts alone still delivers", () =>
    withPage(
      browser,
      {
        initScript: () => {
          const { fetch } = window;
          window.fetch = (input, init) => {
            const url = typeof input === "string" ? input : (input as Request).url;
            return fetch(url.startsWith("/api") ? `${url}?traced` : input, init);
          };
        },
      },
      async (at) => {
        await at.goto(collector.origin);
        await collector.event({ event_type: "page_view" });
      },
    ));

  test("routers: history, the Navigation API, one that leads on at once; in browsers without it, and where all is frozen", async () => {
    const without = (): void => void Object.defineProperty(window, "navigation", { value: undefined });
    // Where there is no such API, an element with the id `navigation` is found under its name.
    const element = (): void => void Reflect.deleteProperty(window, "navigation");
    const frozen = (): void => {
      for (const one of [History, Error, Array, Object, Function, Promise, Storage, Event, Map, Set]) Object.freeze(one.prototype);
      Object.freeze(history);
    };
    const both = (): void => {
      Object.defineProperty(window, "navigation", { value: undefined });
      Object.freeze(history);
    };
    const pages = ["/", "/a", "/b", "/c"];
    collector.pages["/"] = page('<nav id="navigation"></nav>');
    for (const [initScript, expected] of [[undefined, pages], [without, ["/", "/a", "/b"]], [element, ["/", "/a", "/b"]], [frozen, pages], [both, ["/"]]] as const) {
      collector.received.length = 0;
      await withPage(browser, { expectedErrors: /404/, ...(initScript && { initScript }) }, async (at) => {
        await at.goto(collector.origin);
        await at.evaluate(async () => {
          history.pushState(null, "", "/a");
          await new Promise(requestAnimationFrame);
          history.pushState(null, "", "/old");
          history.replaceState(null, "", "/b"); // led on in the same turn: the visitor never saw /old
          await new Promise(requestAnimationFrame);
          if (!window.navigation?.currentEntry) return;
          navigation.addEventListener("navigate", (event) => event.intercept({ handler: async () => {} }));
          await navigation.navigate("/c").finished;
        });
        const views = await told(at, "page_view");
        assert.deepEqual(views.map(({ page_url }) => new URL(page_url!).pathname), expected);
        const seen = await at.evaluate(async () => [
          attune.status.online,
          await attune.recommend().catch(({ code }: { code: string }) => code),
        ]);
        assert.deepEqual(seen, [true, "not_found"]);
      });
    }
  });

  test("an element with the id `attune` does not keep the script from starting", () =>
    withPage(browser, {}, async (at) => {
      collector.pages["/"] = `<!doctype html><title>Page</title><div id="attune"></div><script src="/sdk/attune.js" ${GRANTED}></script>`;
      await at.goto(collector.origin);
      await collector.event({ event_type: "page_view" });
    }));

  test("a site that clears its store takes the visitor's consent with it: nothing more is told or kept", () =>
    withPage(browser, {}, async (at) => {
      collector.pages["/"] = page("", 'data-consent="required" data-auto');
      await at.goto(collector.origin);
      await at.evaluate(() => attune.consent.grant());
      await collector.event({ event_type: "page_view" });
      const left = await at.evaluate(async () => {
        const left: unknown[] = [];
        for (const act of [
          () => attune.track("like", { item_id: "lamp-1" }),
          () => attune.identify("ada"),
          () => attune.anonymousId,
          () => attune.reset(),
          () => attune.recommend().catch(({ code }: { code: string }) => code),
        ]) {
          attune.consent.grant();
          localStorage.clear();
          left.push(await act(), attune.consent.state, localStorage.length);
        }
        await attune.flush();
        return left;
      });
      const nothing = [undefined, "pending", 0];
      assert.deepEqual(left, [...nothing, ...nothing, ...nothing, ...nothing, "consent_required", "pending", 0]);
      assert.deepEqual(collector.received.filter(({ event_type }) => event_type === "like"), []);
      collector.received.length = 0;
      await at.evaluate(() => attune.consent.grant());
      await collector.event({ event_type: "page_view" });
    }));

  test("a prerendered page tells nothing before it is shown, though its consent tool grants", () =>
    withPage(
      browser,
      { initScript: () => void Object.defineProperty(document, "prerendering", { value: true, configurable: true }) },
      async (at) => {
        await at.goto(collector.origin);
        await at.evaluate(async () => {
          attune.consent.grant();
          attune.track("like", { item_id: "lamp-1" });
          await attune.flush();
        });
        assert.deepEqual(collector.requests, []);
        await at.evaluate(() => {
          Object.defineProperty(document, "prerendering", { value: false });
          document.dispatchEvent(new Event("prerenderingchange"));
        });
        await collector.event({ event_type: "page_view" });
      },
    ));

  test("a page that comes back from the back-forward cache is live for who is there now", () =>
    withPage(browser, {}, async (at) => {
      collector.pages["/"] = page("", `${GRANTED} data-placements="home"`);
      await at.goto(collector.origin);
      await at.evaluate(() => attune.identify("ada"));
      await collector.until(() => collector.subscriptions.some(({ user_id }) => user_id === "ada"), "ada's subscription");
      const before = collector.subscriptions.length;
      await at.evaluate(() => {
        dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }));
        // Another page resets; one in the cache hears nothing of it, and finds it so.
        for (const key of ["user", "anonymous", "session"]) localStorage.removeItem(`attune:default:${key}`);
        dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
      });
      await collector.until(() => collector.subscriptions.length > before, "a new subscription");
      const { user_id, anonymous_id } = collector.subscriptions[before]!;
      assert.deepEqual([user_id, anonymous_id], [undefined, await at.evaluate(() => attune.anonymousId)]);
    }));

  test("a page that was left while it sends holds no lock: the next one that asks would throw it out of the back-forward cache", () =>
    withPage(browser, {}, async (at) => {
      const asked = new Promise<void>((resolve) => void at.route("**/v1/events*", () => resolve())); // and never answered
      await at.goto(collector.origin);
      await asked;
      const held = (): Promise<unknown[]> =>
        at.evaluate(async () => (await navigator.locks.query()).held!.map(({ name }) => name));
      assert.deepEqual(await held(), ["attune:default:sending"]);
      await at.evaluate(() => void dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true })));
      assert.deepEqual(await held(), []);
      await at.unrouteAll({ behavior: "ignoreErrors" });
      await at.evaluate(() => dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));
      await collector.event({ event_type: "page_view" });
    }));

  test("a page that was left asks for no lock until it is back: given it, it would be thrown out of the back-forward cache", () =>
    withPage(browser, {}, async (at) => {
      const NAME = "attune:default:sending";
      collector.pages["/other"] = "<p>Without the SDK";
      await at.goto(`${collector.origin}/other`);
      await at.evaluate((name) => void navigator.locks.request(name, () => new Promise(() => {})), NAME);
      const other = await at.context().newPage();
      await other.goto(collector.origin);
      const pending = (): Promise<number> => other.evaluate(async () => (await navigator.locks.query()).pending!.length);
      await other.waitForFunction(async () => (await navigator.locks.query()).pending!.length);
      await other.evaluate(() => void dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true })));
      assert.equal(await pending(), 0);
      await other.evaluate(() => (attune.track("like", { item_id: "lamp-1" }), attune.flush()));
      assert.equal(await pending(), 0);
      await at.close();
      await other.evaluate(() => dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));
      await collector.event({ event_type: "like" });
    }));

  test("another visitor in another tab is shown his own decisions", async () => {
    const context = await newContext(browser);
    try {
      let decisions = 0;
      collector.answers["POST /v1/decide"] = ({ slot }: { slot: string }) => ({
        decision_id: `d-${++decisions}`, slot, variant: "a", propensity: 1, payload: { text: "Welcome" },
      });
      collector.pages["/"] = page('<p data-attune-slot="hero">Hello</p>', `${GRANTED} data-slots`);
      collector.pages["/other"] = page("");
      const [one, two] = [await context.newPage(), await context.newPage()];
      await one.goto(collector.origin);
      await one.waitForFunction(() => document.querySelector("p")!.dataset["attuneShown"] === "d-1");
      await two.goto(`${collector.origin}/other`);
      await two.evaluate(() => attune.reset());
      await one.waitForFunction(() => document.querySelector("p")!.dataset["attuneShown"] !== "d-1");
    } finally {
      await context.close();
    }
  });

  test("an element that a framework uses again for another slot is filled for that one, and nothing of the first stays", () =>
    withPage(browser, {}, async (at) => {
      collector.answers["POST /v1/decide"] = ({ slot }: { slot: string }) => ({
        decision_id: `d-${slot}`, slot, variant: "a", propensity: 1,
        payload: slot === "hero" ? { text: "Welcome", attributes: { theme: "dark" }, variables: { "--accent": "red" } } : {},
      });
      collector.pages["/"] = page('<p data-attune-slot="hero">Hello</p>', `${GRANTED} data-slots`);
      await at.goto(collector.origin);
      await at.waitForFunction(() => document.querySelector("p")!.dataset["attuneShown"] === "d-hero");
      assert.equal(await at.textContent("p"), "Welcome");
      await at.evaluate(() => (document.querySelector("p")!.dataset["attuneSlot"] = "footer"));
      await at.waitForFunction(() => document.querySelector("p")!.dataset["attuneShown"] === "d-footer");
      const html = await at.evaluate(() => document.querySelector("p")!.outerHTML.replace(' style=""', ""));
      assert.equal(html, '<p data-attune-slot="footer" data-attune-shown="d-footer" data-attune-variant-footer="a">Hello</p>');
    }));

  test("what is hidden is neither looked at nor hovered over, and a clock that is set moves nothing", () =>
    withPage(
      browser,
      {
        initScript: () => {
          let nowMs = 1_000;
          performance.now = () => nowMs;
          Object.assign(window, { pass: (ms: number) => (nowMs += ms) });
        },
      },
      async (at) => {
        collector.pages["/"] = page('<p id="card" data-attune-item="a-1">Card</p>');
        await at.goto(collector.origin);
        await collector.event({ event_type: "page_view" });
        await at.hover("#card");
        await at.evaluate(() => {
          const pass = (window as unknown as { pass: (ms: number) => void }).pass;
          const turn = (hidden: boolean): void => {
            Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
          };
          pass(3_000);
          turn(true);
          pass(60_000);
          const { now } = Date;
          Date.now = () => now() - 7_200_000;
          turn(false);
          pass(2_000);
          attune.view("b-1");
        });
        const seen = await told(at, "dwell", "hover", "view");
        assert.deepEqual(
          seen.map(({ event_type, value }) => `${event_type} ${value ?? ""}`.trim()).sort(),
          ["dwell 2", "dwell 3", "hover 3", "view"],
        );
      },
    ));

  test("a page that loads slowly is one page from its start: what was seen, viewed and looked at before its end counts once, and on", () =>
    withPage(browser, {}, async (at) => {
      let load = (): void => {};
      await at.route("**/slow.js", (route) => void (load = () => void route.fulfill({ contentType: "text/javascript", body: "" })));
      collector.pages["/"] = page('<p data-attune-item="a-1">Card</p><script src="/slow.js"></script><p data-attune-item="b-1">Card</p>');
      await at.goto(collector.origin, { waitUntil: "commit" });
      await at.waitForSelector("p");
      await at.evaluate(() => attune.view("lamp-1"));
      await collector.event({ event_type: "impression", item_id: "a-1" });
      load();
      await collector.event({ event_type: "impression", item_id: "b-1" });
      await at.evaluate(() => attune.view(null));
      const events = await told(at, "page_view", "view", "impression");
      assert.deepEqual(
        events.map(({ event_type, item_id }) => `${event_type} ${item_id ?? ""}`.trim()),
        ["view lamp-1", "impression a-1", "page_view", "impression b-1"],
      );
      const dwells = collector.received.slice(collector.received.indexOf(events[0]!)).filter(({ event_type }) => event_type === "dwell");
      assert.deepEqual([...new Set(dwells.map(({ item_id }) => item_id))], ["lamp-1"]);
    }));

  test("made twice before a page is there, as React's StrictMode does, it tells one page view, to whoever listens by then", () =>
    withPage(browser, {}, async (at) => {
      let load = (): void => {};
      await at.route("**/slow.js", (route) => void (load = () => void route.fulfill({ contentType: "text/javascript", body: "" })));
      collector.pages["/"] = '<!doctype html><title>Page</title><p>Card</p><script src="/slow.js"></script>';
      await at.goto(collector.origin, { waitUntil: "commit" });
      await at.waitForSelector("p");
      // A server that streams the rest of its page has not come to the end yet.
      const seen = await at.evaluate(async (entry) => {
        const { createAttune } = (await import(entry)) as typeof import("./index.ts");
        createAttune({ consent: "granted", auto: true }).close();
        const made = createAttune({ consent: "granted", auto: true });
        const seen: string[] = [];
        made.on("event", ({ event_type, page_url }) => seen.push(`${event_type} ${new URL(page_url!).pathname}`));
        await new Promise(requestAnimationFrame);
        history.pushState(null, "", "/next");
        await new Promise(requestAnimationFrame);
        await made.flush();
        return seen.filter((each) => each.startsWith("page_view"));
      }, "/sdk/index.js");
      load();
      assert.deepEqual(seen, ["page_view /", "page_view /next"]);
      assert.equal(collector.received.filter(({ event_type }) => event_type === "page_view").length, 2);
    }));

  test("a card that a new list gives to another item counts for that one; a tall one once it fills the screen", () =>
    withPage(browser, {}, async (at) => {
      collector.pages["/"] = page(`<p id="card" data-attune-item="a-1">Card</p><svg width="5" height="1500"></svg>
        <article data-attune-item="tall"><svg width="50" height="5000"></svg></article>`);
      await at.goto(collector.origin);
      const gives = (item: string): Promise<void> =>
        at.evaluate((item) => void (document.getElementById("card")!.dataset["attuneItem"] = item), item);
      await gives("b-1");
      await collector.event({ event_type: "impression", item_id: "b-1" });
      await gives("a-1");
      await collector.event({ event_type: "impression", item_id: "a-1" });
      await gives("");
      await frames(at);
      await gives("c-1");
      await collector.event({ event_type: "impression", item_id: "c-1" });
      for (let top = 0; top <= 3_000; top += 100) {
        await at.evaluate((top) => scrollTo(0, top), top);
        await frames(at, 1);
      }
      await collector.event({ event_type: "impression", item_id: "tall" });
    }));

  test("a decision that two elements show was seen once one of them was", () =>
    withPage(browser, {}, async (at) => {
      collector.pages["/"] = page(
        '<p data-attune-slot="offer">Top</p><svg width="5" height="5000"></svg><p data-attune-slot="offer">Bottom</p>',
        `${GRANTED} data-slots`,
      );
      collector.answers["POST /v1/decide"] = ({ slot }: { slot: string }) => ({
        decision_id: `d-${slot}`, slot, variant: "a", propensity: 1, payload: null,
      });
      await at.goto(collector.origin);
      await collector.event((event) => event.event_type === "impression" && event.context?.["decision_id"] === "d-offer");
    }));
});
