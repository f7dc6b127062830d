// Segment's own SDKs, as npm carries them, against a real node: only the host they are given is changed.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Analytics } from "@segment/analytics-node";
import type { AnalyticsSnippet } from "@segment/analytics-next";
import { shopProgram } from "../core/program/shop.ts";
import { startNode, type TestNode } from "../server/http/testing.ts";
import { browserMissing, launchBrowser, withPage, type Browser, type Page } from "./browser.ts";

declare const analytics: AnalyticsSnippet;

const sdkFolder = join(
  dirname(createRequire(import.meta.url).resolve("@segment/analytics-next/package.json")),
  "dist/umd",
);
/** Segment's own snippet, spread over lines, which loads the site's own copy of analytics.js instead of the CDN's. */
const SNIPPET = `
!(function () {
  var i = "analytics",
    analytics = (window[i] = window[i] || []);
  if (!analytics.initialize)
    if (analytics.invoked)
      window.console && console.error && console.error("Segment snippet included twice.");
    else {
      analytics.invoked = !0;
      analytics.methods = [
        "trackSubmit",
        "trackClick",
        "trackLink",
        "trackForm",
        "pageview",
        "identify",
        "reset",
        "group",
        "track",
        "ready",
        "alias",
        "debug",
        "page",
        "screen",
        "once",
        "off",
        "on",
        "addSourceMiddleware",
        "addIntegrationMiddleware",
        "setAnonymousId",
        "addDestinationMiddleware",
        "register",
      ];
      analytics.factory = function (e) {
        return function () {
          if (window[i].initialized) return window[i][e].apply(window[i], arguments);
          var n = Array.prototype.slice.call(arguments);
          if (["track", "screen", "alias", "group", "page", "identify"].indexOf(e) > -1) {
            var c = document.querySelector("link[rel='canonical']");
            n.push({
              __t: "bpc",
              c: (c && c.getAttribute("href")) || void 0,
              p: location.pathname,
              u: location.href,
              s: location.search,
              t: document.title,
              r: document.referrer,
            });
          }
          n.unshift(e);
          analytics.push(n);
          return analytics;
        };
      };
      for (var n = 0; n < analytics.methods.length; n++) {
        var key = analytics.methods[n];
        analytics[key] = analytics.factory(key);
      }
      analytics.load = function (key, n) {
        var t = document.createElement("script");
        t.type = "text/javascript";
        t.async = !0;
        t.setAttribute("data-global-segment-analytics-key", i);
        t.src = "/analytics.js/v1/" + key + "/analytics.min.js";
        var r = document.getElementsByTagName("script")[0];
        r.parentNode.insertBefore(t, r);
        analytics._loadOptions = n;
      };
      analytics._writeKey = "WRITE_KEY";
      analytics._cdn = "NODE";
      analytics.SNIPPET_VERSION = "5.2.0";
      analytics.load("WRITE_KEY");
      analytics.page();
    }
})();
`;

async function profileOf(node: TestNode, person: string): Promise<any> {
  const response = await fetch(`${node.url}/v1/${person}/profile`);
  assert.equal(response.status, 200);
  return response.json();
}

/** Asks again until it holds: the SDKs send in their own time. */
async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 200; tries++) {
    const found = await ask();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("it did not come about within 10 s");
}

describe("analytics-node", () => {
  let node: TestNode;
  before(async () => void (node = await startNode()));
  after(() => node.close());

  test("every call, in batches; what the SDK sends again counts once", async () => {
    const { events } = shopProgram as unknown as { events: object };
    await node.project.putProgram({ ...shopProgram, events: { ...events, article_read: { weight: 1 } } });
    const failures: unknown[] = [];
    let answers = 0;
    const analytics = new Analytics({
      writeKey: "wk_1",
      host: node.url,
      flushAt: 5,
      flushInterval: 50,
      httpClient: async (url, init) => {
        const response = await fetch(url, init as RequestInit);
        // The first answer is lost on the way: the SDK must send the batch again.
        if (answers++ === 0) throw new Error("the connection broke");
        return response;
      },
    });
    analytics.on("error", (failure) => failures.push(failure));
    const anonymousId = "anon-1";
    analytics.track({ anonymousId, event: "Product Viewed", properties: { product_id: "lamp" } });
    analytics.identify({ userId: "ada", anonymousId, traits: { plan: "gold", address: { city: "Oslo" } } });
    analytics.page({ userId: "ada", name: "Home", properties: { url: "https://shop.example/" } });
    analytics.screen({ userId: "ada", name: "Cart" });
    analytics.group({ userId: "ada", groupId: "acme", traits: { seats: 3 } });
    analytics.alias({ userId: "ada", previousId: "anon-0" });
    analytics.track({ userId: "ada", event: "Article Read", properties: { item_id: "a1" } });
    analytics.track({
      userId: "ada",
      event: "Order Completed",
      properties: {
        products: [
          { product_id: "lamp", price: 40 },
          { product_id: "mug", price: 5, quantity: 2 },
        ],
      },
    });
    await analytics.closeAndFlush();
    assert.deepEqual(failures, []);
    assert.ok(answers > 2);
    const profile = await profileOf(node, "users/ada");
    assert.deepEqual(profile.recent.map(({ event_type, item_id, value }: any) => [event_type, item_id, value]).sort(), [
      ["article_read", "a1", undefined],
      ["purchase", "lamp", 40],
      ["purchase", "mug", 10],
      ["view", "lamp", undefined],
    ]);
    assert.deepEqual(profile.attributes, { plan: "gold", address_city: "Oslo", group_id: "acme", group_seats: 3 });
    assert.deepEqual(profile.anonymous_ids.sort(), ["anon-0", "anon-1"]);
    assert.equal(profile.features.interactions, 6);
    assert.equal((await node.project.deadLetters({ limit: 10 })).total, 0);
  });
});

describe("analytics.js in Chromium", { skip: browserMissing() ?? false }, () => {
  let node: TestNode;
  let browser: Browser;
  let site: Server;
  let origin: string;

  before(async () => {
    [node, browser] = await Promise.all([startNode(), launchBrowser()]);
    site = createServer((request, response) => {
      const path = (request.url ?? "/").split("?", 1)[0]!;
      const [, file] = /^\/analytics\.js\/v1\/[^/]+\/(.+)$/.exec(path) ?? [];
      if (file === undefined) {
        response.writeHead(200, { "content-type": "text/html" });
        const script = path === "/snippet" ? SNIPPET.replaceAll("WRITE_KEY", "wk_1").replace("NODE", node.url) : "";
        return response.end(`<!doctype html><title>Shop</title><link rel="icon" href="data:,"><script>${script}</script>
          ${path === "/module" ? '<script src="/analytics.js/v1/wk_1/index.js"></script>' : ""}`);
      }
      const name = join(sdkFolder, file === "analytics.min.js" ? "standalone.js" : file);
      if (!existsSync(name)) return response.writeHead(404).end();
      response.writeHead(200, { "content-type": "text/javascript" }).end(readFileSync(name));
    });
    await new Promise<void>((listening) => site.listen(0, "127.0.0.1", listening));
    origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
  });
  after(async () => {
    await browser?.close();
    site?.close();
    site?.closeAllConnections();
    await node?.close();
  });

  /** Every host that the page asks; the SDK must speak to the site and the node alone. */
  function hostsOf(page: Page): Set<string> {
    const hosts = new Set<string>();
    page.on("request", (request) => {
      if (/^https?:/.test(request.url())) hosts.add(new URL(request.url()).origin);
    });
    return hosts;
  }

  test("the snippet with the node as its CDN: calls before and after loading arrive, nobody else is asked", () =>
    withPage(browser, {}, async (page) => {
      const hosts = hostsOf(page);
      await page.goto(`${origin}/snippet`);
      await page.evaluate(() => {
        analytics.track("Product Viewed", { product_id: "lamp" });
        analytics.identify("eve", { plan: "free" });
        analytics.track("Order Completed", { order_id: "o1", products: [{ product_id: "lamp", price: 40 }] });
      });
      const profile = await until(async () => {
        const response = await fetch(`${node.url}/v1/users/eve/profile`);
        const found = response.status === 200 ? ((await response.json()) as any) : undefined;
        // Four calls, each a request of its own: they arrive in any order.
        const isWhole = found?.recent.length === 2 && found.attributes.plan !== undefined && found.session.page_views > 0;
        return isWhole ? found : undefined;
      });
      assert.deepEqual(profile.recent.map(({ event_type }: any) => event_type).sort(), ["purchase", "view"]);
      assert.deepEqual(
        [profile.attributes, profile.context.device, profile.session.page_views],
        [{ plan: "free" }, "desktop", 1],
      );
      assert.deepEqual([...hosts].sort(), [origin, node.url].sort());
    }));

  test("AnalyticsBrowser.load with writeKey and cdnURL, in batches", () =>
    withPage(browser, {}, async (page) => {
      const hosts = hostsOf(page);
      await page.goto(`${origin}/module`);
      await page.evaluate(async (cdnURL) => {
        const { AnalyticsBrowser } = (window as any).AnalyticsNext;
        const options = {
          integrations: {
            "Segment.io": { deliveryStrategy: { strategy: "batching", config: { size: 3, timeout: 200 } } },
          },
        };
        const client = AnalyticsBrowser.load({ writeKey: "wk_1", cdnURL }, options);
        await client.identify("joe", { age: 31 });
        await client.group("acme", { seats: 5 });
        await client.track("Products Searched", { query: "lamps" });
        await client.track("Product Added", { product_id: "mug", price: 5, quantity: 2 });
      }, node.url);
      const profile = await until(async () => {
        const response = await fetch(`${node.url}/v1/users/joe/profile`);
        const found = response.status === 200 ? ((await response.json()) as any) : undefined;
        return found?.recent.length === 1 ? found : undefined;
      });
      assert.deepEqual([profile.recent[0].event_type, profile.recent[0].value], ["add_to_cart", 10]);
      assert.deepEqual(profile.attributes, { age: 31, group_id: "acme", group_seats: 5 });
      assert.deepEqual([...hosts].sort(), [origin, node.url].sort());
    }));
});
