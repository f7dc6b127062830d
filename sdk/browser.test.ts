// The SDK in a real page of a real browser, against a small collector.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { browserMissing, launchBrowser, newContext, withPage, type Browser, type BrowserContext, type Page } from "../e2e/browser.ts";
import { buildRoom } from "../scripts/build.ts";
import { startCollector, type Collector } from "./testing/collector.ts";
import type { Attune } from "./types.ts";

declare const attune: Attune;

const shop = (attributes: string, body = ""): string => `<!doctype html><html lang="en"><head><title>Shop</title>
<script src="/sdk/attune.js" ${attributes}></script></head><body>
<form role="search"><input name="q" aria-label="Search"></form>
<main data-attune-decision="d-1">
  <article data-attune-item="lamp-1"><h2 id="lamp">Lamp</h2>
    <button data-attune-event="add_to_cart" data-attune-value="49.5">Add</button></article>
  <article data-attune-item="chair-1" data-attune-ignore><h2 id="chair">Chair</h2></article>
</main>
<a id="next" href="/next">Next</a>
${body}</body></html>`;

/** Something to scroll. */
const TALL = `<svg width="10" height="12000"></svg>`;
const GRANTED = 'data-consent="granted" data-auto';

describe("the SDK in Chromium", { skip: browserMissing() ?? false }, () => {
  let browser: Browser;
  let collector: Collector;
  before(async () => {
    await buildRoom("sdk");
    browser = await launchBrowser();
  });
  after(() => browser?.close());
  beforeEach(async () => {
    collector = await startCollector({ "/": shop(GRANTED), "/next": shop(GRANTED) });
  });
  afterEach(() => collector.close());

  const stored = (page: Page): Promise<string[]> => page.evaluate(() => Object.keys(localStorage).sort());
  const inContext = async (body: (context: BrowserContext) => Promise<void>): Promise<void> => {
    const context = await newContext(browser);
    try {
      await body(context);
    } finally {
      await context.close();
    }
  };

  test("captures what the visitor does, each with its item, and nothing of what is marked to be ignored", () =>
    withPage(browser, {}, async (page) => {
      collector.pages["/"] = shop(GRANTED, TALL);
      await page.goto(`${collector.origin}/?utm_source=mail&reset_token=secret#part`);
      const view = await collector.event({ event_type: "page_view" });
      assert.match(view.anonymous_id, /^[0-9a-f]{32}$/);
      assert.match(view.session_id, /^[0-9a-f]{32}$/);
      assert.equal(view.page_url, `${collector.origin}/?utm_source=mail`);
      assert.equal(view.context?.["locale"], "en-US");
      assert.match(view.context?.["timezone"] ?? "", /^[+-]\d{4}$/);
      assert.ok(Math.abs(view.timestamp - Date.now()) < 60_000 && view.sent_at >= view.timestamp);

      await page.evaluate(() => scrollTo(0, 4_000));
      assert.equal((await collector.event({ event_type: "scroll" })).value, 0.25);
      await page.evaluate(() => scrollTo(0, 0));

      await page.click("#chair");
      await page.click("#lamp");
      const click = await collector.event({ event_type: "click" });
      assert.deepEqual([click.item_id, click.context], ["lamp-1", { decision_id: "d-1" }]);
      await page.click("text=Add");
      const cart = await collector.event({ event_type: "add_to_cart" });
      assert.deepEqual([cart.item_id, cart.value], ["lamp-1", 49.5]);

      await page.fill("[name=q]", "  desk   lamp ");
      await page.press("[name=q]", "Tab");
      assert.deepEqual((await collector.event({ event_type: "search" })).additional_data, { query: "desk lamp" });

      const seen = await collector.event({ event_type: "impression" });
      assert.deepEqual([seen.item_id, seen.context], ["lamp-1", { decision_id: "d-1" }]);

      await page.hover("#lamp");
      await page.waitForFunction(() => new Promise((resolve) => setTimeout(() => resolve(true), 350)));
      await page.hover("#next");
      const hover = await collector.event({ event_type: "hover" });
      assert.ok(hover.item_id === "lamp-1" && hover.value! >= 0.3);
      for (let i = 0; i < 25; i++) {
        await page.mouse.move(100 + i * 20, 300);
        await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 100)));
      }
      const moves = await collector.event({ event_type: "mouse_move" });
      assert.equal(String(moves.additional_data?.["path"]).split(";").length, 20);

      const dwell = await collector.event({ event_type: "dwell" });
      assert.ok(dwell.value! >= 5 && dwell.value! < 7);
      assert.deepEqual(collector.received.filter(({ item_id }) => item_id === "chair-1"), []);
      assert.equal(collector.received.filter(({ event_type, item_id }) => event_type === "impression" && item_id === "lamp-1").length, 1);
    }));

  test("a page of a single-page application is a page view; leaving it tells how long it was looked at", () =>
    withPage(browser, {}, async (page) => {
      await page.goto(collector.origin);
      await collector.event({ event_type: "page_view" });
      await page.evaluate(() => {
        history.replaceState(null, "", "#top");
        history.pushState(null, "", "/item?ref=list");
        document.body.dataset["attunePageItem"] = "lamp-1";
      });
      await collector.event({ event_type: "page_view", page_url: `${collector.origin}/item?ref=list` });
      await collector.event({ event_type: "view", item_id: "lamp-1" });
      const dwell = await collector.event({ event_type: "dwell" });
      assert.deepEqual([dwell.page_url, dwell.item_id], [`${collector.origin}/`, undefined]);
      await page.evaluate(() => attune.view("lamp-2"));
      const onItem = await collector.event({ event_type: "dwell", item_id: "lamp-1" });
      assert.equal(onItem.page_url, `${collector.origin}/item?ref=list`);
      assert.equal(collector.received.filter(({ event_type }) => event_type === "page_view").length, 2);
    }));

  test("a router brings the content after the address: what is viewed is what the page comes to be about", () =>
    withPage(browser, {}, async (page) => {
      await page.goto(collector.origin);
      await collector.event({ event_type: "page_view" });
      /** A step of the router, and the frame in which the page is looked at. */
      const shows = (item: string | null): Promise<void> =>
        page.evaluate(async (item) => {
          if (item === null) delete document.body.dataset["attunePageItem"];
          else document.body.dataset["attunePageItem"] = item;
          for (let frames = 0; frames < 2; frames++) await new Promise(requestAnimationFrame);
        }, item);
      const goes = (path: string): Promise<void> =>
        page.evaluate(async (path) => {
          history.pushState(null, "", path);
          for (let frames = 0; frames < 2; frames++) await new Promise(requestAnimationFrame);
        }, path);
      const views = async (): Promise<string[]> => {
        await page.evaluate(() => attune.flush());
        return collector.received
          .filter(({ event_type }) => event_type === "page_view" || event_type === "view")
          .map(({ page_url, item_id }) => `${new URL(page_url!).pathname} ${item_id ?? "-"}`);
      };
      await goes("/lamp-1");
      await shows("lamp-1");
      await goes("/"); // its content is still the lamp's
      await shows(null);
      await goes("/lamp-2");
      await shows("lamp-2");
      await shows(null); // drawn anew
      await shows("lamp-2");
      await goes("/lamp-2/reviews");
      await goes("/lamp-1"); // one item's content gives way to another's
      await shows("lamp-1");
      await page.evaluate(() => attune.view("lamp-3")); // opened in place
      await shows(null);
      await page.evaluate(() => attune.page({ item_id: "lamp-4" }));
      await shows("lamp-4");
      assert.deepEqual(await views(), [
        "/ -", "/lamp-1 -", "/lamp-1 lamp-1", "/ -", "/lamp-2 -", "/lamp-2 lamp-2", "/lamp-2/reviews -", "/lamp-1 -",
        "/lamp-1 lamp-1", "/lamp-1 lamp-3", "/lamp-1 -", "/lamp-1 lamp-4",
      ]);
    }));

  test("a page that the back-forward cache brings again is seen again, with its item", () =>
    withPage(browser, {}, async (page) => {
      collector.pages["/"] = shop(GRANTED, '<p data-attune-page-item="lamp-1"></p>');
      await page.goto(collector.origin);
      await collector.event({ event_type: "view", item_id: "lamp-1" });
      await page.evaluate(() => {
        dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }));
        dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
      });
      const types = (): string[] => collector.received.map(({ event_type }) => event_type);
      await collector.until(() => types().filter((type) => type === "view").length === 2, "the second view");
      assert.deepEqual(types().filter((type) => type.endsWith("view")), ["page_view", "view", "page_view", "view"]);
    }));

  test("a page that goes in a browser without beacons sends what waits", () =>
    withPage(browser, {}, async (page) => {
      collector.pages["/"] = shop(GRANTED);
      await page.goto(collector.origin);
      await collector.event({ event_type: "page_view" });
      await page.evaluate(() => {
        Object.defineProperty(navigator, "sendBeacon", { value: undefined });
        Object.defineProperty(document, "hidden", { value: true });
        attune.track("hover", { item_id: "lamp-1", value: 1 });
        dispatchEvent(new PageTransitionEvent("pagehide", { persisted: false }));
        document.dispatchEvent(new Event("visibilitychange"));
      });
      await collector.event({ event_type: "hover", item_id: "lamp-1" });
    }));

  test("without consent nothing is stored and nothing is sent; a denial removes everything", () =>
    withPage(browser, {}, async (page, context) => {
      collector.pages["/"] = shop('data-consent="required" data-auto data-slots data-placements="home"');
      collector.answers["PATCH /v1/users/u-1/profile"] = () => ({});
      await page.goto(collector.origin);
      const interact = async (): Promise<void> => {
        await page.click("#lamp");
        await page.evaluate(async () => {
          attune.track("purchase", { item_id: "lamp-1", value: 10 });
          attune.identify("u-1", { age: 31 });
          attune.page();
          await attune.flush();
        });
      };
      const traces = async (): Promise<unknown[]> => [
        collector.requests.slice(),
        await stored(page),
        await context.cookies(),
        await page.evaluate(async () => [document.cookie, sessionStorage.length, (await indexedDB.databases()).length, (await caches.keys()).length]),
      ];
      await interact();
      assert.deepEqual(await traces(), [[], [], [], ["", 0, 0, 0]]);
      const state = await page.evaluate(async () => [
        attune.consent.state,
        attune.anonymousId,
        attune.status.live,
        await attune.recommend().catch((error: { code: string }) => error.code),
      ]);
      assert.deepEqual(state, ["pending", undefined, "off", "consent_required"]);

      await page.evaluate(() => attune.consent.grant());
      await collector.event({ event_type: "page_view" });
      await collector.event({ event_type: "dwell", user_id: "u-1" }); // whom the page named before is known now
      await collector.until(() => collector.subscriptions.length === 1, "the live subscription");
      assert.ok((await stored(page)).includes("attune:default:anonymous"));

      await page.evaluate(() => attune.consent.deny());
      assert.deepEqual(await stored(page), ["attune:default:consent"]);
      const before = collector.requests.length;
      await interact();
      await page.reload();
      await interact();
      assert.equal(collector.requests.length, before);
      assert.equal(await page.evaluate(() => attune.consent.state), "denied");
      assert.deepEqual(await stored(page), ["attune:default:consent"]);
    }));

  test("Global Privacy Control counts as a denial unless the site answers for it", async () => {
    const initScript = (): void => void Object.defineProperty(navigator, "globalPrivacyControl", { value: true });
    await withPage(browser, { initScript }, async (page) => {
      await page.goto(collector.origin);
      await page.click("#lamp");
      const [state, codes] = await page.evaluate(async () => {
        const codes: string[] = [];
        attune.on("error", ({ code }) => codes.push(code));
        attune.consent.grant();
        await attune.flush();
        return [attune.consent.state, codes];
      });
      assert.deepEqual([state, codes, collector.requests, await stored(page)], ["denied", ["gpc"], [], []]);
    });
    collector.pages["/"] = shop(`${GRANTED} data-gpc="ignore"`);
    await withPage(browser, { initScript }, async (page) => {
      await page.goto(collector.origin);
      await collector.event({ event_type: "page_view" });
    });
  });

  test("events of an offline tab that was closed arrive later, each once", () =>
    inContext(async (context) => {
      const offline = await context.newPage();
      await offline.goto(collector.origin);
      const first = await collector.event({ event_type: "page_view" });
      await context.setOffline(true);
      const ids = await offline.evaluate(async () => {
        const ids = Array.from({ length: 30 }, (_, i) => attune.track("click", { item_id: `item-${i}` }));
        await attune.flush();
        return ids;
      });
      assert.equal(collector.received.some(({ event_id }) => ids.includes(event_id)), false);
      await offline.close({ runBeforeUnload: false });

      await context.setOffline(false);
      const later = await context.newPage();
      await later.goto(collector.origin);
      await collector.until(() => ids.every((id) => collector.received.some(({ event_id }) => event_id === id)), "the clicks");
      const clicks = collector.received.filter(({ event_id }) => ids.includes(event_id));
      // The closing tab's beacon may arrive as well: the same ids, in the same order.
      assert.deepEqual([...new Set(clicks.map(({ event_id }) => event_id))], ids);
      assert.ok(clicks.every(({ anonymous_id, session_id }) => anonymous_id === first.anonymous_id && session_id === first.session_id));
      await later.waitForFunction(() => attune.status.queued === 0);
    }));

  test("where the browser has no room left, one visitor stays one, nothing is lost, and his decision holds", () =>
    withPage(browser, {}, async (page) => {
      collector.pages["/full"] = "<!doctype html><title>Full</title>";
      await page.goto(`${collector.origin}/full`);
      await page.evaluate(() => {
        for (let size = 1 << 22; size >= 1; size >>= 1) {
          for (let tries = 0; tries < 3; tries++) {
            try {
              localStorage.setItem(`site:${size}:${tries}`, "x".repeat(size));
            } catch {
              break; // no room for so much: half of it
            }
          }
        }
      });
      collector.pages["/"] = shop('data-consent="required" data-auto');
      await page.goto(collector.origin);
      await page.evaluate(() => {
        attune.consent.grant();
        for (let n = 1; n <= 5; n++) attune.track("like", { item_id: `mug-${n}` });
      });
      const last = await collector.event({ event_type: "like", item_id: "mug-5" });
      const likes = collector.received.filter(({ event_type }) => event_type === "like");
      assert.deepEqual(likes.map(({ item_id }) => item_id), ["mug-1", "mug-2", "mug-3", "mug-4", "mug-5"]);
      for (const name of ["anonymous_id", "session_id"] as const) {
        assert.deepEqual([...new Set(likes.map((each) => each[name]))], [last[name]]);
      }
      await page.evaluate(() => attune.consent.deny());
      assert.deepEqual(await page.evaluate(() => [attune.consent.state, attune.anonymousId]), ["denied", undefined]);
    }));

  test("a user token goes where persons are read, never with events: one that has expired loses none", () =>
    withPage(browser, {}, async (page) => {
      collector.pages["/"] = "<!doctype html><title>Module</title>";
      collector.answers["POST /v1/recommendations"] = () => ({ items: [] });
      await page.goto(collector.origin);
      const asked = new Map<string, string | null>();
      page.on("request", (request) => {
        const { pathname, searchParams } = new URL(request.url());
        asked.set(pathname, request.headers()["attune-user-token"] ?? searchParams.get("user_token"));
      });
      await page.evaluate(async () => {
        const { createAttune } = (await import("/sdk/index.js" as string)) as { createAttune: (options: object) => Attune };
        const visitor = createAttune({ consent: "granted", userToken: () => "a.b.c" });
        visitor.track("like", { item_id: "lamp-1" });
        await visitor.recommend();
      });
      assert.deepEqual([asked.get("/v1/events"), asked.get("/v1/recommendations")], [null, "a.b.c"]);
    }));

  test("lost requests, lost answers and an overloaded server cost nothing and double nothing", () =>
    inContext(async (context) => {
      const page = await context.newPage();
      await page.goto(collector.origin);
      await collector.event({ event_type: "page_view" });
      const ids: string[] = [];
      for (const mode of ["lose_request", "lose_answer", "unavailable"] as const) {
        collector.mode = mode;
        ids.push(await page.evaluate(async (mode) => {
          const id = attune.track("like", { item_id: mode })!;
          await attune.flush();
          return id;
        }, mode));
      }
      collector.mode = "ok";
      await page.waitForFunction(() => attune.status.queued === 0);
      const likes = collector.received.filter(({ event_type }) => event_type === "like").map(({ event_id }) => event_id);
      assert.deepEqual([likes.length > 3, [...new Set(likes)].sort()], [true, ids.sort()]); // stored, unheard, and sent again
    }));

  test("a refused event is dropped and reported, and holds nothing up", () =>
    withPage(browser, {}, async (page) => {
      await page.goto(collector.origin);
      const errors = await page.evaluate(async () => {
        const errors: [string, string | undefined][] = [];
        attune.on("error", ({ code, event }) => errors.push([code, event?.event_type]));
        attune.track("refused");
        attune.track("like");
        await attune.flush();
        return errors;
      });
      assert.deepEqual(errors, [["unknown_event_type", "refused"]]);
      await collector.event({ event_type: "like" });
      assert.equal(await page.evaluate(() => attune.status.queued), 0);
    }));

  test("leaving the page sends what waits", () =>
    withPage(browser, {}, async (page) => {
      collector.pages["/away"] = "<!doctype html><title>Away</title>";
      await page.goto(collector.origin);
      await collector.event({ event_type: "page_view" });
      await page.evaluate(() => {
        attune.track("hover", { item_id: "lamp-1", value: 1 });
        // After the answer to this very call; to a page without the script, which could send what was left behind.
        setTimeout(() => (location.href = "/away"), 0);
      });
      await page.waitForURL("**/away");
      const hover = await collector.event({ event_type: "hover" });
      assert.equal(hover.project, undefined);
    }));

  test("tabs are one visitor in one session; a denial in one ends the other", () =>
    inContext(async (context) => {
      const [one, two] = [await context.newPage(), await context.newPage()];
      await one.goto(collector.origin);
      await two.goto(`${collector.origin}/next`);
      const first = await collector.event({ event_type: "page_view", page_url: `${collector.origin}/` });
      const second = await collector.event({ event_type: "page_view", page_url: `${collector.origin}/next` });
      assert.deepEqual([second.anonymous_id, second.session_id], [first.anonymous_id, first.session_id]);
      await one.evaluate(() => attune.consent.deny());
      await two.waitForFunction(() => attune.consent.state === "denied" && attune.anonymousId === undefined);
      assert.deepEqual(await stored(two), ["attune:default:consent"]);
    }));

  test("identify links both ids at once and sets attributes; reset makes another visitor", () =>
    withPage(browser, {}, async (page) => {
      collector.pages["/"] = shop(`${GRANTED} data-project="news"`);
      const patches: unknown[] = [];
      collector.answers["PATCH /v1/users/u-1/profile"] = (body: object) => (patches.push(body), {});
      await page.goto(collector.origin);
      const anonymous = await collector.event({ event_type: "page_view" });
      assert.equal(anonymous.project, "news");
      await page.evaluate(() => attune.identify("u-1", { age: 31 }));
      const linked = await collector.event({ event_type: "dwell", user_id: "u-1" });
      assert.equal(linked.anonymous_id, anonymous.anonymous_id);
      await collector.until(() => patches.length === 1, "the attributes");
      assert.deepEqual(patches, [{ attributes: { age: 31 } }]);
      await page.evaluate(() => {
        attune.reset();
        attune.track("like", { item_id: "lamp-1" });
      });
      const other = await collector.event({ event_type: "like" });
      assert.ok(other.user_id === undefined && other.anonymous_id !== anonymous.anonymous_id);
      assert.notEqual(other.session_id, anonymous.session_id);
    }));

  test("what is no id names nobody: the visitor stays who he was", () =>
    withPage(browser, {}, async (page) => {
      await page.goto(collector.origin);
      await collector.event({ event_type: "page_view" });
      const seen = await page.evaluate(() => {
        const codes: string[] = [];
        attune.on("error", ({ code }) => codes.push(code));
        attune.identify("u-1");
        for (const id of [null, undefined, ""]) attune.identify(id as string);
        return { codes, userId: attune.userId };
      });
      assert.deepEqual(seen, { codes: Array(3).fill("user_id_invalid"), userId: "u-1" });
      await page.evaluate(() => {
        attune.identify(17 as unknown as string);
        attune.track("like", { item_id: "lamp-1" });
      });
      assert.equal((await collector.event({ event_type: "like" })).user_id, "17");
    }));

  test("a list's decision id travels with later events on its items", () =>
    withPage(browser, {}, async (page) => {
      const list = { decision_id: "d-7", placement: "home", strategy: "blend", profile_version: 1, items: [{ item_id: "x-1", score: 1, rank: 1 }] };
      const questions: object[] = [];
      collector.answers["POST /v1/recommendations"] = (body: object) => (questions.push(body), list);
      await page.goto(collector.origin);
      const answer = await page.evaluate(() => {
        attune.track("like", { item_id: "before" });
        return attune.recommend({ limit: 5, explain: true });
      });
      assert.deepEqual(answer, list);
      // The answer knows what the visitor did before he asked.
      assert.deepEqual(collector.requests.filter((request) => request.startsWith("POST")).at(-1), "POST /v1/recommendations");
      assert.ok(collector.received.some(({ item_id }) => item_id === "before"));
      const { anonymous_id } = await collector.event({ event_type: "like" });
      assert.deepEqual(questions, [{ anonymous_id, placement: "home", limit: 5, explain: true }]);
      await page.evaluate(() => attune.track("add_to_cart", { item_id: "x-1" }));
      assert.deepEqual((await collector.event({ event_type: "add_to_cart" })).context, { decision_id: "d-7" });
    }));

  test("live changes arrive over a WebSocket, and over server-sent events where sockets are refused", async () => {
    for (const sockets of [true, false]) {
      collector.sockets = sockets;
      collector.subscriptions.length = collector.received.length = 0;
      await withPage(browser, { expectedErrors: /WebSocket/ }, async (page) => {
        await page.goto(collector.origin);
        await page.evaluate(() => {
          const heard: unknown[] = ((window as unknown as { heard: unknown[] }).heard = []);
          attune.on("recommendations", ({ placement, decision_id }) => heard.push([placement, decision_id]));
          attune.on("trigger", ({ name }) => heard.push(name));
          attune.subscribe({ placements: ["home", "detail"], explain: true });
        });
        await page.waitForFunction(() => attune.status.live === "open");
        await collector.until(() => collector.subscriptions.length > 0, "a subscription");
        const { anonymous_id } = await collector.event({ event_type: "page_view" });
        const wanted = collector.subscriptions.at(-1)!;
        assert.equal(wanted["anonymous_id"], anonymous_id);
        assert.deepEqual(String(wanted["placements"]), "home,detail");
        collector.push({ type: "recommendations", at: "now", placement: "home", decision_id: "d-9", items: [] });
        collector.push({ type: "trigger", at: "now", name: "long_look", item_id: "lamp-1" });
        await page.waitForFunction(() => (window as unknown as { heard: unknown[] }).heard.length === 2);
        assert.deepEqual(await page.evaluate(() => (window as unknown as { heard: unknown[] }).heard), [["home", "d-9"], "long_look"]);
        assert.equal(await page.evaluate(() => attune.status.transport), sockets ? "websocket" : "sse");
      });
    }
  });

  test("who listens first, long after the connection is open, is told how things are", () =>
    withPage(browser, {}, async (page) => {
      collector.pages["/"] = shop('data-consent="granted" data-placements="home"');
      await page.goto(collector.origin);
      await page.waitForFunction(() => attune.status.live === "open");
      await collector.until(() => collector.subscriptions.length === 1, "the page's subscription");
      await page.evaluate(() => void attune.on("recommendations", () => {}));
      await collector.until(() => collector.subscriptions.length === 2, "the listener's");
      assert.deepEqual(collector.subscriptions[1], collector.subscriptions[0]);
      // A component that listens anew whenever a list has come would be told for ever.
      await page.evaluate(() => {
        attune.on("recommendations", () => {})();
        attune.on("recommendations", () => {});
        attune.subscribe({ placements: ["detail"] });
      });
      await collector.until(() => collector.subscriptions.length > 2, "another subscription");
      assert.deepEqual(collector.subscriptions.slice(2).map(({ placements }) => placements), [["detail"]]);
    }));

  test("behind a proxy that has the node under a path, everything is asked for there", async () => {
    for (const [sockets, endpoint] of [[true, "/attune"], [false, `${collector.origin}/attune/`]] as const) {
      collector.under = "/attune";
      collector.sockets = sockets;
      collector.subscriptions.length = collector.received.length = collector.requests.length = 0;
      collector.answers["PATCH /v1/users/ada/profile"] = collector.answers["GET /v1/users/ada/profile"] = () => ({ user_id: "ada" });
      collector.pages["/"] = shop(`${GRANTED} data-endpoint="${endpoint}" data-placements="home"`);
      await withPage(browser, sockets ? {} : { expectedErrors: /WebSocket/ }, async (page) => {
        await page.goto(collector.origin);
        await collector.event({ event_type: "page_view" });
        await collector.until(() => collector.subscriptions.length > 0, "a subscription");
        await page.evaluate(() => attune.identify("ada", { plan: "gold" }));
        await collector.until(() => collector.requests.includes("PATCH /v1/users/ada/profile"), "attributes");
        assert.equal(await page.evaluate(async () => (await attune.profile())?.user_id), "ada");
      });
    }
  });

  test("where the page's policy forbids the socket, changes arrive over server-sent events", () =>
    withPage(browser, { expectedErrors: /Content Security Policy/ }, async (page) => {
      const policy = `<meta http-equiv="Content-Security-Policy" content="connect-src ${collector.origin}">`;
      collector.pages["/"] = shop(`${GRANTED} data-placements="home"`).replace("<title>", `${policy}<title>`);
      await page.goto(collector.origin);
      await page.waitForFunction(() => attune.status.live === "open");
      assert.equal(await page.evaluate(() => attune.status.transport), "sse");
    }));

  test("slots take on what was decided: text, marked attributes and variables, nothing else", () =>
    withPage(browser, {}, async (page) => {
      collector.pages["/"] = `<!doctype html><html data-attune-slot="theme" lang="en"><head>
        <script src="/sdk/attune.js" ${GRANTED} data-slots></script></head><body>
        <section data-attune-slot="hero"><h1 data-attune-text="title">Hello</h1><p data-attune-text="body"></p></section></body></html>`;
      let variant = "welcome";
      collector.answers["POST /v1/decide"] = ({ slot }: { slot: string }) => ({
        decision_id: "d", slot, variant, propensity: 1,
        payload: slot === "theme"
          ? { attributes: { [variant === "welcome" ? "theme" : "mood"]: variant, onclick: "alert(1)", "x onload": "1", item: "forged" }, variables: { "--accent": "teal", color: "red" } }
          : { text: { title: "<b>Welcome</b>", body: variant } },
      });
      await page.goto(collector.origin);
      await page.waitForFunction(() => document.querySelector("h1")!.textContent === "<b>Welcome</b>");
      await page.waitForFunction(() => document.documentElement.dataset["attuneTheme"] === "welcome");
      const root = (): Promise<unknown> => page.evaluate(() => [
        document.documentElement.getAttributeNames().sort(),
        document.documentElement.style.cssText,
      ]);
      assert.deepEqual(await root(), [
        ["data-attune-onclick", "data-attune-shown", "data-attune-slot", "data-attune-theme", "data-attune-variant-theme", "lang", "style"],
        "--accent: teal;",
      ]);
      variant = "ember";
      await collector.until(() => collector.subscriptions.length > 0, "the live subscription");
      collector.push({ type: "segments", segments: ["buyer"], entered: ["buyer"], left: [] });
      await page.waitForFunction(() => document.documentElement.dataset["attuneMood"] === "ember");
      assert.equal(await page.evaluate(() => document.documentElement.dataset["attuneTheme"]), undefined);
      await page.waitForFunction(() => document.querySelector("p")!.textContent === "ember");
    }));

  test("what a variant leaves as it is, is the page's own again: its texts, attributes and variables", () =>
    withPage(browser, {}, async (page) => {
      collector.pages["/"] = `<!doctype html><html lang="en"><head><script src="/sdk/attune.js" ${GRANTED} data-slots></script></head><body>
        <section data-attune-slot="hero" data-attune-theme="light"><h1 data-attune-text="title">Hello <b>you</b></h1><p data-attune-text="body">News</p></section>
        <script src="/style.js"></script></body></html>`;
      collector.pages["/style.js"] = "document.querySelector('section').style.setProperty('--hue', '1')";
      let payload: object | null = {};
      let variant = 0;
      collector.answers["POST /v1/decide"] = ({ slot }: { slot: string }) => ({
        decision_id: "d", slot, variant: String(variant), payload, propensity: 1,
      });
      const next = async (to: object | null): Promise<string> => {
        payload = to;
        variant++;
        collector.push({ type: "segments", segments: [], entered: ["a"], left: [] });
        await page.locator(`[data-attune-variant-hero="${variant}"]`).waitFor();
        return page.evaluate(() => {
          const { dataset, style, innerHTML } = document.querySelector("section")!;
          return [dataset["attuneTheme"], style.getPropertyValue("--hue"), innerHTML].join(" ");
        });
      };
      await page.goto(collector.origin);
      await page.locator('[data-attune-variant-hero="0"]').waitFor();
      await collector.until(() => collector.subscriptions.length > 0, "the live subscription");
      const own = 'light 1 <h1 data-attune-text="title">Hello <b>you</b></h1><p data-attune-text="body">News</p>';
      const sale = { text: { title: "Sale", body: "Half" }, attributes: { theme: "dark" }, variables: { "--hue": "2" } };
      const sold = 'dark 2 <h1 data-attune-text="title">Sale</h1><p data-attune-text="body">Half</p>';
      assert.equal(await next(sale), sold);
      assert.equal(await next({ text: { title: "Soon" } }), own.replace("Hello <b>you</b>", "Soon"));
      assert.equal(await next(null), own);
      assert.equal(await next({ text: "All gone" }), "light 1 All gone");
      assert.equal(await next(sale), sold);
      await page.evaluate(() => (document.querySelector("p")!.textContent = "The page's own word"));
      assert.equal(await next({}), own.replace("News", "The page's own word"));
    }));

  test("a slot that a router brings later is filled at once, and one that is not there is asked for once", () =>
    withPage(browser, {}, async (page) => {
      collector.pages["/"] = shop('data-consent="granted" data-slots', '<p data-attune-slot="hero">Welcome</p>');
      let asked: string[] = [];
      collector.answers["POST /v1/decide"] = ({ slot }: { slot: string }) => {
        asked.push(slot);
        return slot === "gone" ? undefined : { decision_id: `d-${slot}`, slot, variant: "v", propensity: 1, payload: { text: `${slot} of ${asked.length}` } };
      };
      await page.goto(collector.origin);
      await page.locator("text=hero of 1").waitFor();
      // The router comes back to the first page: its slot shows at once what was decided, then what is by now.
      await page.evaluate(() => {
        document.querySelector("p")!.remove();
        const slot = document.createElement("p");
        const texts: (string | null)[] = ((window as unknown as { texts: (string | null)[] }).texts = []);
        new MutationObserver(() => texts.push(slot.textContent)).observe(slot, { childList: true });
        slot.dataset["attuneSlot"] = "hero";
        document.body.append(slot);
      });
      await page.locator("text=hero of 2").waitFor();
      assert.deepEqual(await page.evaluate(() => (window as unknown as { texts: string[] }).texts), ["hero of 1", "hero of 2"]);
      asked = [];
      await page.evaluate(() => {
        for (const name of ["banner", "gone"]) {
          const slot = document.createElement("aside");
          slot.dataset["attuneSlot"] = name;
          document.body.append(slot);
        }
      });
      await page.locator("text=/banner of/").waitFor();
      await page.evaluate(async () => {
        for (let frames = 0; frames < 5; frames++) {
          document.body.append(document.createElement("i"));
          await new Promise(requestAnimationFrame);
        }
      });
      assert.deepEqual(asked.sort(), ["banner", "gone", "hero"]);
    }));

  test("a slot's decision is an impression once it was seen, and a click in it carries its id", () =>
    withPage(browser, {}, async (page) => {
      collector.pages["/"] = `<!doctype html><html data-attune-slot="theme layout" lang="en"><head>
        <script src="/sdk/attune.js" ${GRANTED} data-slots></script></head><body>
        <section data-attune-slot="hero"><h1 data-attune-text="title">Hello</h1><button>Go</button></section>
        <a href="#elsewhere">Elsewhere</a>${TALL}<section data-attune-slot="footer"><p>Far below</p></section></body></html>`;
      let decisions = 0;
      collector.answers["POST /v1/decide"] = ({ slot }: { slot: string }) => ({
        decision_id: `${slot}-${++decisions}`, slot, variant: "a", propensity: 0.5, payload: { text: { title: "Welcome" } },
      });
      const seen = (): string[] => collector.received
        .filter(({ event_type }) => event_type === "impression")
        .map(({ context }) => context!["decision_id"]!.replace(/-\d+$/, ""))
        .sort();
      await page.goto(collector.origin);
      await collector.until(() => seen().length === 3, "three impressions");
      assert.deepEqual(seen(), ["hero", "layout", "theme"]);
      await page.getByRole("button", { name: "Go" }).click();
      const click = await collector.event({ event_type: "click" });
      assert.match(click.context!["decision_id"]!, /^hero-/);
      await page.getByRole("link", { name: "Elsewhere" }).click();
      await collector.until(() => collector.received.filter(({ event_type }) => event_type === "click").length === 2, "two clicks");
      assert.equal(collector.received.filter(({ event_type }) => event_type === "click")[1]!.context, undefined);

      // Decided anew with the same outcome: nothing new was shown.
      const before = decisions;
      await collector.until(() => collector.subscriptions.length > 0, "the live subscription");
      collector.push({ type: "segments", segments: ["buyer"], entered: ["buyer"], left: [] });
      await collector.until(() => decisions >= before + 4, "four more decisions");
      await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
      await collector.until(() => seen().length > 3, "the footer's impression");
      assert.deepEqual(seen(), ["footer", "hero", "layout", "theme"]);

      // Who denies and allows again begins anew: the same outcome is shown to somebody who is new.
      const told = page.evaluate(() => new Promise<string>((done) => attune.on("decision", ({ slot }) => done(slot))));
      await page.evaluate(() => {
        attune.consent.deny();
        attune.consent.grant();
      });
      assert.ok(["footer", "hero", "layout", "theme"].includes(await told));
    }));
});
