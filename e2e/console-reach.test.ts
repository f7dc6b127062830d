// The console without a mouse, read by ear, on a small screen and beside a wrong clock: where the focus is, and what is said.
import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { buildRoom } from "../scripts/build.ts";
import { ask, startNode, type TestNode } from "../server/http/testing.ts";
import type { Locator } from "playwright-core";
import { browserMissing, launchBrowser, withPage, type Browser, type Page } from "./browser.ts";

const ROOT = resolve(import.meta.dirname, "..");
const HOUR_MS = 3_600_000;
/** What 1,280 pixels are at 400 %. */
const MAGNIFIED = { width: 320, height: 256 };
const LONG_WORD = "Z".repeat(100);

const PROGRAM = {
  name: "reach test",
  events: { view: { weight: 1 } },
  interests: { by: ["categories", "tags"], half_life: "7d" },
  segments: { lookers: { when: 'count("view", "1d") >= 1.0', description: "Has looked" } },
  placements: { home: { limit: 4 }, detail: { limit: 3 }, cart: { limit: 2 } },
};

describe("the console within reach of everybody", { skip: browserMissing() ?? false }, () => {
  let node: TestNode;
  let browser: Browser;
  before(async () => {
    await buildRoom("console");
    node = await startNode({ folders: { console: join(ROOT, "dist/console") } });
    assert.equal((await ask(node, "PUT /v1/program", PROGRAM)).status, 200);
    const items = [{ item_id: "lamp", title: "Lamp", categories: [LONG_WORD], tags: ["oak"] }];
    assert.equal((await ask(node, "PUT /v1/items", { items })).status, 200);
    const look = { event_type: "view", item_id: "lamp", timestamp: Date.now() };
    assert.equal((await ask(node, "POST /v1/events", [{ user_id: "mara", ...look }])).status, 202);
    browser = await launchBrowser();
  });
  after(async () => {
    await browser?.close();
    await node?.close();
  });

  const open = async (page: Page, path: string): Promise<void> => {
    await page.goto(`${node.url}/console/#/default/${path}`);
    await page.getByRole("heading", { level: 1 }).waitFor();
  };

  const canTakeFocus = (place: Locator): Promise<boolean> =>
    place.evaluate((element) => {
      element.focus();
      return document.activeElement === element;
    });

  test("whoever follows a link by keyboard goes on at the view that it leads to, which says its name", async () => {
    await withPage(browser, {}, async (page) => {
      await open(page, "people");
      await page.getByRole("link", { name: "mara" }).press("Enter");
      await page.getByRole("main", { name: "mara · People" }).and(page.locator(":focus")).waitFor();
      await page.getByRole("link", { name: "Segments", exact: true }).press("Enter");
      await page.getByRole("main", { name: "Segments" }).and(page.locator(":focus")).waitFor();
      await page.keyboard.press("Control+k");
      await page.getByRole("combobox", { name: "Search persons" }).fill("lookers");
      await page.getByRole("option", { name: "lookers" }).waitFor();
      await page.keyboard.press("Enter");
      await page.getByRole("main", { name: "lookers · Segments" }).and(page.locator(":focus")).waitFor();
    });
  });

  test("arrow keys walk through a bench's placements without losing the focus", async () => {
    await withPage(browser, {}, async (page) => {
      await open(page, "merchandising/home");
      await page.getByRole("tab", { name: "home" }).press("ArrowRight");
      for (const name of ["detail", "cart"]) {
        await page.getByText(`placements.${name}`, { exact: true }).waitFor();
        await page.getByRole("tab", { name, selected: true }).and(page.locator(":focus")).waitFor();
        if (name === "detail") await page.keyboard.press("ArrowRight");
      }
      // A draft is its placement's own.
      await page.getByRole("slider", { name: "Diversity" }).fill("0.5");
      await page.getByText("not saved", { exact: true }).waitFor();
      await page.getByRole("tab", { name: "cart" }).press("Home");
      await page.getByText("placements.home", { exact: true }).waitFor();
      assert.equal(await page.getByText("not saved", { exact: true }).count(), 0);
      await page.getByRole("tab", { name: "home" }).press("End");
      await page.getByText("not saved", { exact: true }).waitFor();
      await page.getByRole("button", { name: "Discard" }).click();
    });
  });

  test("who adds a knob by keyboard goes on in it, who takes it away does not lose the focus; an item is found by its title", async () => {
    await withPage(browser, { expectedErrors: /400/ }, async (page) => {
      await open(page, "merchandising/home");
      const has = async (place: Locator): Promise<void> => {
        await page.waitForFunction((element) => element === document.activeElement, await place.elementHandle());
      };
      const add = page.getByRole("button", { name: "Add a pin" });
      await add.press("Enter");
      await has(page.getByLabel("Kind of pin 1"));
      await page.getByLabel("Kind of pin 1").selectOption("item");
      await page.getByLabel("What pin 1 shows").fill("Lam");
      await page.locator('.knob-row datalist option[value="lamp"]', { hasText: "Lamp" }).waitFor({ state: "attached" });
      await page.getByRole("button", { name: "Take away pin 1" }).press("Enter");
      await has(add);
    });
  });

  test("a message stays under the pointer and with the focus, and can be put away; a settled letter leaves the focus to the next one", async () => {
    await withPage(browser, { expectedErrors: /400/ }, async (page) => {
      const bad = ["one", "two"].map((event_id) => ({ event_id, user_id: "mara", event_type: "view", item_id: "lamp", timestamp: Date.now(), value: "x" }));
      assert.equal((await ask(node, "POST /v1/events", bad)).status, 400);
      await page.clock.install();
      await open(page, "dead-letters");
      const first = page.locator(".letter").first();
      await first.locator(".letter-open").click();
      assert.equal(await first.getByRole("link", { name: "mara" }).getAttribute("href"), "#/default/people/users/mara");
      await first.getByRole("button", { name: "Retry" }).click();
      const message = page.getByText("Still refused");
      const dismiss = page.getByRole("button", { name: "Dismiss" });
      await message.hover();
      await page.clock.runFor(30_000);
      assert.equal(await message.count(), 1);
      await dismiss.focus();
      await page.mouse.move(0, 0);
      await page.clock.runFor(30_000);
      assert.equal(await message.count(), 1, "its button has the focus");
      await page.emulateMedia({ forcedColors: "active" });
      const edge = await page.locator(".toast").evaluate((toast) => getComputedStyle(toast).borderTopWidth);
      assert.equal(edge, "1px", "it has no edge where its ground is the page's");
      await dismiss.click();
      await message.waitFor({ state: "detached" });
      await first.getByRole("button", { name: "Edit" }).click();
      const editor = page.getByLabel("Corrected event, JSON");
      await editor.fill((await editor.inputValue()).replace('"x"', "1"));
      await page.getByRole("button", { name: "Send corrected event" }).press("Enter");
      await page.waitForFunction(() => document.querySelectorAll(".letter").length === 1 && document.activeElement?.className === "letter-open");
    });
  });

  test("on a phone the menu takes the focus and nothing beneath it does; Escape gives it back", async () => {
    await withPage(browser, { viewport: "phone" }, async (page) => {
      await open(page, "people");
      const menu = page.getByRole("button", { name: "Menu", exact: true });
      await menu.press("Enter");
      await page.getByRole("link", { name: "People" }).and(page.locator(":focus")).waitFor();
      assert.equal(await canTakeFocus(page.locator("main")), false, "what lies under the menu can be reached");
      await page.keyboard.press("Escape");
      await menu.and(page.locator(":focus")).waitFor();
      await menu.press("Enter");
      await page.getByRole("link", { name: "Items" }).press("Enter");
      await page.getByRole("main", { name: "Items" }).and(page.locator(":focus")).waitFor();
      await menu.press("Enter");
      await page.getByRole("button", { name: "Close the menu" }).waitFor();
      await page.setViewportSize({ width: 1280, height: 800 });
      await page.getByRole("button", { name: "Close the menu" }).waitFor({ state: "detached" });
      assert.equal(await canTakeFocus(page.locator("main")), true);
    });
  });

  test("that the node went away is said by a region that was there before", async () => {
    await withPage(browser, { expectedErrors: /ERR_FAILED/ }, async (page) => {
      await open(page, "segments");
      await page.getByRole("table", { name: "Segments" }).or(page.getByRole("link", { name: "lookers" })).first().waitFor();
      const region = await page.locator("main > [role=status]").first().elementHandle();
      assert.equal(await region!.textContent(), "");
      await page.route("**/v1/stats*", (route) => route.abort());
      await page.getByText("The node has stopped answering.").waitFor();
      assert.match((await region!.textContent())!, /The node has stopped answering/);
    });
  });

  for (const aheadMs of [HOUR_MS, -HOUR_MS]) {
    test(`ages are the node's, in a browser whose clock is ${aheadMs > 0 ? "an hour ahead" : "an hour behind"}`, async () => {
      await withPage(browser, {}, async (page) => {
        await page.clock.install({ time: Date.now() + aheadMs });
        await open(page, "people/users/mara");
        await page.getByRole("region", { name: "Timeline" }).locator("time").first().waitFor();
        const ages = await page.locator("main time").allTextContents();
        assert.ok(ages.length > 1);
        for (const age of ages) assert.match(age, /^(now|\d+ s ago|[1-9] min ago)$/);
      });
    });
  }

  test("on paper the view stands alone, dark on white whatever the theme; who asks for more contrast sees each field's edge", async () => {
    await withPage(browser, { colorScheme: "dark" }, async (page) => {
      await open(page, "people");
      const field = page.getByPlaceholder("The start of a user id or visitor id");
      const lightness = (property: "color" | "borderTopColor"): Promise<number> =>
        field.evaluate((element, name) => Number(/\d+/.exec(getComputedStyle(element)[name])![0]), property);
      await page.emulateMedia({ contrast: "more" });
      assert.ok((await lightness("borderTopColor")) > 0x80);
      const frame = page.getByRole("navigation", { name: "Views" }).or(page.getByRole("banner"));
      assert.equal(await frame.count(), 2);
      await page.emulateMedia({ contrast: null, media: "print" });
      assert.ok((await lightness("color")) < 0x40, "light text on white paper");
      assert.equal(await frame.count(), 0);
    });
  });

  test("what stands below one another is level: reasons, values and their heads, the columns that a phone leaves", async () => {
    const bad = (event_type: unknown, timestamp: unknown) => ({ user_id: "mara", event_type, timestamp });
    await ask(node, "POST /v1/events", [bad(7, Date.now()), bad("view", Date.now() + HOUR_MS)]);
    const bought = { user_id: "mara", event_type: "purchase", item_id: "lamp", value: 49, timestamp: Date.now() };
    assert.equal((await ask(node, "POST /v1/events", [bought])).status, 202);
    await withPage(browser, {}, async (page) => {
      await open(page, "dead-letters");
      await page.getByRole("button", { name: "event_type_invalid" }).waitFor();
      const lefts = await page
        .locator(".letter-text")
        .evaluateAll((texts) => texts.map((text) => text.getBoundingClientRect().left));
      assert.equal(new Set(lefts).size, 1, lefts.join());
      await open(page, "people/users/mara");
      const [value, head] = [page.locator(".table .unit-slot").first(), page.getByRole("columnheader", { name: "Value" })];
      const place = await value.evaluate((slot) => slot.getBoundingClientRect().left);
      assert.equal(
        place - 2,
        await head.evaluate((one) => one.getBoundingClientRect().right - parseFloat(getComputedStyle(one).paddingRight)),
      );
    });
    await withPage(browser, { viewport: "phone" }, async (page) => {
      await open(page, "audit");
      const title = page.getByRole("heading", { name: "Newest entries" });
      const left = await title.evaluate((one) => one.getBoundingClientRect().left);
      const cell = page.getByRole("columnheader", { name: "When" });
      assert.equal(left, await cell.evaluate((one) => one.getBoundingClientRect().left + parseFloat(getComputedStyle(one).paddingLeft)));
    });
  });

  test("a long word, address or sum keeps to its column of the stream, and a price in a cart its cents", async () => {
    await withPage(browser, {}, async (page) => {
      await open(page, "events");
      await page.getByText("live", { exact: true }).waitFor();
      const acts = [
        { event_type: "search", additional_data: { query: LONG_WORD } },
        { event_type: "scroll", value: 0.5, page_url: `https://shop.example/${LONG_WORD}` },
        { event_type: "add_to_cart", item_id: "lamp", value: 1234567.5 },
      ];
      for (const act of acts)
        assert.equal((await ask(node, "POST /v1/events", [{ user_id: "mara", timestamp: Date.now(), ...act }])).status, 202);
      await page.getByRole("cell", { name: "1,234,567.50" }).waitFor();
      await page.getByRole("cell", { name: "50 %" }).waitFor();
      await page.getByRole("cell", { name: LONG_WORD }).first().waitFor();
      const wide = await page.locator(".table td").evaluateAll((cells) =>
        cells.filter((cell) => cell.scrollWidth > cell.clientWidth).map((cell) => cell.textContent),
      );
      assert.deepEqual(wide, []);
    });
  });

  test("a button that tries again has its sign in its own colour and line", async () => {
    await withPage(browser, { expectedErrors: /500/ }, async (page) => {
      await page.route("**/v1/segments*", (route) => route.fulfill({ status: 500, body: "{}" }));
      await open(page, "segments");
      const [button, sign] = await page
        .getByRole("button", { name: "Try again" })
        .evaluate((one) => [one, one.querySelector("svg")!].map((part) => {
          const { top, height } = part.getBoundingClientRect();
          return [getComputedStyle(part).color, top + height / 2];
        }));
      assert.deepEqual(sign, button);
    });
  });

  test("what is like nothing stands in no list of similar items", async () => {
    const chair = { item_id: "chair", title: "Chair", categories: ["seats"], tags: ["steel"] };
    assert.equal((await ask(node, "PUT /v1/items", { items: [chair] })).status, 200);
    await withPage(browser, {}, async (page) => {
      await open(page, "items/chair");
      await page.getByText("Nothing is like it yet").waitFor();
    });
  });

  test("the course that a plot draws is there in words", async () => {
    await withPage(browser, {}, async (page) => {
      await open(page, "people/users/mara");
      await page.getByRole("tab", { name: "Tags" }).click();
      const course = page.getByRole("figure", { name: "Strength of interests over time" }).getByRole("listitem");
      await course.filter({ hasText: /^oak: 0.* at .+, [\d.]+ at .+; least 0.* at .+, most [\d.]+ at .+$/ }).waitFor();
    });
  });

  test("magnified four times, the editor still says how a keyboard leaves it, and does so to the ear", async () => {
    await withPage(browser, {}, async (page) => {
      await page.setViewportSize(MAGNIFIED);
      await open(page, "program");
      const area = page.locator("textarea").first();
      const hint = page.locator(`[id="${await area.getAttribute("aria-describedby")}"]`);
      await hint.getByText("leaves").waitFor();
      assert.equal((await hint.textContent())!.trim(), "Tab indents, Esc Tab leaves");
    });
  });

  test("magnified four times, an interest with a long name breaks, and nothing scrolls sideways", async () => {
    await withPage(browser, {}, async (page) => {
      await page.setViewportSize(MAGNIFIED);
      await open(page, "people/users/mara");
      const legend = page.getByRole("figure", { name: "Strength of interests over time" }).getByText(LONG_WORD, { exact: true });
      await legend.waitFor();
      assert.ok((await legend.boundingBox())!.width < MAGNIFIED.width);
      await page.waitForFunction((width) => document.documentElement.scrollWidth <= width, MAGNIFIED.width);
    });
  });

  test("on a phone, what scrolls sideways in a page of the docs takes the focus, and the page itself does not", async () => {
    await withPage(browser, { viewport: "phone" }, async (page) => {
      for (const path of ["/docs/", "/docs/benchmarks"]) {
        await page.goto(node.url + path);
        const wide = await page.locator("main *").evaluateAll((all) =>
          all
            .filter((one) => one.scrollWidth > one.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(one).overflowX))
            .map((one) => ({ tag: one.tagName, takesFocus: (one as HTMLElement).tabIndex === 0 })),
        );
        if (path !== "/docs/") assert.ok(wide.length > 0, path);
        assert.deepEqual(wide.filter(({ takesFocus }) => !takesFocus), [], path);
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390, path);
      }
    });
  });
});
