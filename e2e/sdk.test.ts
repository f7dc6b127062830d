// The site developer's guide, as it stands, on a site of another origin, against a real node in real Chromium.
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { buildRoom } from "../scripts/build.ts";
import type { Attune, Profile } from "../sdk/types.ts";
import { browserMissing, launchBrowser, newContext, withPage, type Browser, type Page } from "./browser.ts";

declare const attune: Attune;
declare function bought(item: string, price: number): void;

const ROOT = resolve(import.meta.dirname, "..");
const START_TIMEOUT_MS = 60_000;
const GUIDE = readFileSync(join(ROOT, "docs/guides/site-developer.md"), "utf8");
const DOCUMENTED_NODE = "http://127.0.0.1:8080";

/** The guide's snippets of one language, in order. */
function snippets(language: "html" | "js"): string[] {
  return [...GUIDE.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "gm"))].map(([, code]) => code!);
}

function startNode(data: string): Promise<{ node: ChildProcess; base: string }> {
  const node = spawn(process.execPath, [join(ROOT, "server/cli/main.ts"), "start"], {
    env: { ...process.env, ATTUNE_PORT: "0", ATTUNE_HOST: "127.0.0.1", ATTUNE_DATA: data, ATTUNE_DEMO: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  return new Promise((resolveStarted, reject) => {
    const timer = setTimeout(() => reject(new Error("the node did not start")), START_TIMEOUT_MS);
    let heard = "";
    node.stdout.on("data", (chunk: Buffer) => {
      heard += chunk.toString();
      const found = /attune listening on (http:\/\/\S+)/.exec(heard);
      if (!found) return;
      clearTimeout(timer);
      resolveStarted({ node, base: found[1]! });
    });
    node.once("exit", (code) => reject(new Error(`the node ended with ${code}`)));
  });
}

describe("a site with the SDK", { skip: browserMissing() ?? false }, () => {
  let node: ChildProcess;
  let base: string;
  let data: string;
  let browser: Browser;
  let site: Server;
  let origin: string;

  before(async () => {
    await buildRoom("sdk");
    data = await mkdtemp(join(tmpdir(), "attune-sdk-"));
    [{ node, base }, browser] = await Promise.all([startNode(data), launchBrowser()]);
    const [tag, ...markup] = snippets("html");
    const page = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A site</title>${tag!.replaceAll(DOCUMENTED_NODE, base)}
      </head><body>${markup.join("\n")}<script src="/site.js"></script></body></html>`;
    site = createServer((request, response) => {
      const isScript = request.url === "/site.js";
      response.writeHead(200, {
        "content-type": isScript ? "text/javascript" : "text/html",
        "content-security-policy": `default-src 'none'; img-src data:; script-src 'self' ${base}; connect-src ${base} ${base.replace("http", "ws")}`,
      });
      response.end(isScript ? snippets("js").join("\n") : page);
    });
    await new Promise<void>((listening) => site.listen(0, "127.0.0.1", listening));
    origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
    await put("/v1/items", {
      items: ["lamp", "chair", "mug", "boot"].flatMap((kind) =>
        [1, 2, 3].map((n) => ({ item_id: `${kind}-${n}`, title: `${kind} ${n}`, categories: [kind], tags: [], price: 10 * n })),
      ),
    });
  });
  after(async () => {
    await browser?.close();
    site?.close();
    node?.kill("SIGTERM");
    if (node && node.exitCode === null) await new Promise((done) => node.once("exit", done));
    await rm(data, { recursive: true, force: true });
  });

  async function put(path: string, body: object): Promise<void> {
    const response = await fetch(base + path, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    assert.equal(response.status, 200, await response.text());
  }
  const profileOf = async (path: string): Promise<Profile> => (await (await fetch(`${base}/v1/${path}/profile`)).json()) as Profile;
  const listed = (page: Page): Promise<string[]> => page.locator("#for-you li").allTextContents();
  const consented = async (page: Page): Promise<string> => {
    await page.goto(origin);
    await page.click("#yes");
    await page.locator("#for-you li").first().waitFor();
    return (await page.evaluate(() => attune.anonymousId))!;
  };

  test("the guide's page: nothing before consent, then a list that the visitor's own click changes", () =>
    withPage(browser, {}, async (page) => {
      const requests: string[] = [];
      page.on("request", (request) => requests.push(request.url()));
      await page.goto(origin);
      await page.click("h3 >> text=Chair");
      assert.deepEqual(requests.filter((url) => url.includes("/v1/")), []);
      assert.equal(await page.evaluate(() => localStorage.length), 0);

      const anonymousId = await consented(page);
      const before = await listed(page);
      assert.equal(before.length, 6);
      await page.click("h3 >> text=Desk lamp");
      await page.waitForFunction(
        (before) => [...document.querySelectorAll("#for-you li")].map((each) => each.textContent).join() !== before,
        before.join(),
      );
      await page.click("text=Add to cart");
      await page.waitForFunction(() => attune.status.queued === 0);
      const profile = await profileOf(`visitors/${anonymousId}`);
      assert.deepEqual(profile.recent.slice(0, 2).map(({ item_id, event_type }) => [item_id, event_type]), [
        ["lamp-1", "add_to_cart"],
        ["lamp-1", "click"],
      ]);
      assert.ok(profile.interests["lamp"]! > 0);
      await page.waitForFunction(() => document.querySelector("header")!.hasAttribute("data-attune-variant-hero"));
      assert.notEqual(await page.locator("h1").textContent(), "");
    }));

  test("what the visitor did is in the very next list and decision", () =>
    withPage(browser, {}, async (page) => {
      const anonymousId = await consented(page);
      for (const item of ["mug-1", "mug-2", "boot-1"]) {
        const list = await page.evaluate((item) => (bought(item, 20), attune.recommend({ limit: 4 })), item);
        const profile = await profileOf(`visitors/${anonymousId}`);
        assert.deepEqual([profile.recent[0]!.item_id, profile.recent[0]!.event_type], [item, "purchase"]);
        assert.ok(list.profile_version > 0 && list.profile_version <= profile.version);
        assert.ok(!list.items.some(({ item_id }) => item_id === item), "what was just bought is offered again");
      }
      assert.equal((await page.evaluate(() => attune.decide("hero"))).slot, "hero");
    }));

  test("a visitor who signs in is one person with his past", () =>
    withPage(browser, {}, async (page) => {
      const anonymousId = await consented(page);
      await page.evaluate(() => attune.track("like", { item_id: "chair-1" }));
      await page.evaluate(() => {
        attune.identify("user-1");
        return attune.flush();
      });
      const profile = await profileOf("users/user-1");
      assert.ok(profile.recent.some(({ item_id, event_type }) => item_id === "chair-1" && event_type === "like"));
      assert.deepEqual((await profileOf(`visitors/${anonymousId}`)).recent, profile.recent);
    }));

  test("attributes that a page of another origin may not set are told at once, and keep nothing in the queue", () =>
    withPage(browser, {}, async (page) => {
      const requests: string[] = [];
      page.on("request", (request) => requests.push(request.method()));
      await consented(page);
      const codes = await page.evaluate(async () => {
        const codes: string[] = [];
        attune.on("error", ({ code }) => codes.push(code));
        attune.identify("user-2", { age: 31 });
        await attune.flush();
        return codes;
      });
      assert.deepEqual(codes, ["cross_origin"]);
      await page.waitForFunction(() => attune.status.queued === 0);
      assert.ok(!requests.includes("PATCH"));
    }));

  test("offline and back, with the tab closed in between: nothing lost, nothing twice", async () => {
    const context = await newContext(browser);
    try {
      const page = await context.newPage();
      const anonymousId = await consented(page);
      await context.setOffline(true);
      await page.evaluate(async () => {
        for (let n = 0; n < 25; n++) attune.track("like", { item_id: `offline-${n}` });
        await attune.flush();
      });
      await page.close();
      await context.setOffline(false);
      const later = await context.newPage();
      await later.goto(origin);
      await later.waitForFunction(() => attune.status.queued === 0);
      const likes = (await profileOf(`visitors/${anonymousId}`)).recent.filter(({ event_type }) => event_type === "like");
      assert.deepEqual(
        likes.map(({ item_id }) => item_id).sort(),
        Array.from({ length: 25 }, (_, i) => `offline-${i}`).sort(),
      );
    } finally {
      await context.close();
    }
  });
});
