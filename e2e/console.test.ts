// The console against a real node, in real Chromium: what an operator sees and does.
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { buildRoom } from "../scripts/build.ts";
import { browserMissing, launchBrowser, withPage, type Browser, type Page } from "./browser.ts";

const ROOT = resolve(import.meta.dirname, "..");
const SCRIPTS_GZIPPED_MAX = 180_000;
const START_TIMEOUT_MS = 60_000;
const SHOWN_TIMEOUT_MS = 10_000;
const RESIZED_TIMEOUT_MS = 2_000;
const NARROWEST = { width: 360, height: 740 };

const PROGRAM = {
  name: "console test",
  events: { view: { weight: 1 }, add_to_cart: { weight: 4 }, purchase: { weight: 8 } },
  interests: { by: ["categories", "tags"], half_life: "7d" },
  segments: {
    lookers: { when: 'count("view", "1d") >= 3.0', description: "Three views within a day" },
    buyers: { when: 'count("purchase", "30d") > 0.0', description: "Bought within 30 days" },
    ...Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`aisle_${index}`, { when: `features.engagement > ${900 + index}` }])),
    // As long as a name may be: it gives way, and not the figures beside it.
    [`n${"a".repeat(62)}m`]: { when: 'count("purchase", "1d") > 9.0' },
  },
  // More than one live connection follows.
  placements: {
    home: { limit: 12 },
    detail: { limit: 6 },
    ...Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`shelf_${index}`, { limit: 3 + index }])),
  },
  slots: {
    hero: { policy: "thompson", variants: { calm: {}, loud: {} }, reward: { events: { click: 1 } }, description: "Learns" },
    [`b${"a".repeat(62)}r`]: {
      ...{ policy: "thompson", reward: { events: { click: 1 } }, description: "Learns without a full stop" },
      variants: { [`v${"a".repeat(62)}t`]: {}, plain: {} },
    },
    theme: { policy: "rules", variants: { light: {}, dark: {} }, default: "light" },
  },
  experiments: {
    dark_theme: {
      variants: { as_is: {}, dark: { slots: { theme: "dark" } } },
      metrics: { bought: { kind: "conversion", event: "purchase" }, time: { kind: "time_on_site" } },
      guards: [{ metric: "bought" }],
    },
  },
};
const ITEMS = Array.from({ length: 24 }, (_, index) => ({
  item_id: `item-${index}`,
  title: `Item number ${index}`,
  categories: [["lamps", "chairs", "books"][index % 3]!],
  tags: [["oak", "wool"][index % 2]!],
  price: 10 + index,
}));
const PEOPLE = ["mara", "jonas", "liv", "emil", "sofie"];

let node: ChildProcess;
let base = "";
let data = "";
let browser: Browser;

const skip = browserMissing() ?? false;

describe("console", { skip }, () => {
  before(async () => {
    await buildRoom("console");
    data = await mkdtemp(join(tmpdir(), "attune-console-"));
    [base, browser] = await Promise.all([startNode(), launchBrowser()]);
    assert.equal((await send("PUT", "/v1/program", PROGRAM)).status, 200);
    assert.equal((await send("PUT", "/v1/items", { items: ITEMS })).status, 200);
    assert.equal((await send("POST", "/v1/events", { events: PEOPLE.flatMap(visitsOf) })).status, 202);
    await showDecisions();
    await send("POST", "/v1/events", [
      {
        event_id: "bad-1",
        user_id: "liv",
        event_type: "dwell",
        item_id: "item-1",
        timestamp: Date.now(),
        value: "long",
      },
    ]);
  });
  after(async () => {
    await browser?.close();
    node?.kill("SIGTERM");
    if (node) await new Promise((done) => node.once("exit", done));
    await rm(data, { recursive: true, force: true });
  });

  /** View → its address, and what must be seen of the data above. */
  const VIEWS: Readonly<Record<string, readonly [path: string, seen: RegExp]>> = {
    overview: ["overview", /Requests.*POST \/v1\/events/s],
    events: ["events", /Live events/],
    people: ["people", /165 persons.*Active now.*Everybody.*the first 60 by id.*emil.*mara/s],
    person: ["people/users/mara", /Recommendations.*Item number.*lookers/s],
    models: ["models", /Models.*Hit rate at 20.*Calibration.*Watched for drift/s],
    slots: ["slots", /hero.*thompson.*160 shown.*calm.*loud.*By rules.*theme/s],
    merchandising: ["merchandising/home?person=mara", /Knobs.*As it is.*Item number.*With the knobs.*the same list.*Item number/s],
    experiments: ["experiments", /dark_theme.*160/s],
    experiment: ["experiments/dark_theme", /as promised.*as_is.*control.*dark.*Lift over time.*Guards.*nothing stopped/s],
    segments: ["segments", /lookers.*Three views within a day.*count\("view", "1d"\)/s],
    segment: ["segments/lookers", /Members.*mara/s],
    items: ["items", /24 items.*Item number/s],
    item: ["items/item-3", /Item number 3.*Similar items.*Item number/s],
    program: ["program", /console test, version \d/],
    "dead letters": ["dead-letters", /\/value/],
    keys: ["keys", /New key.*There is no key/s],
    privacy: ["privacy", /How long.*events.*Inventory.*event_id/s],
    audit: ["audit", /Newest entries.*PUT \/v1\/program/s],
  };

  for (const [viewport, colorScheme] of [
    ["desktop", "light"],
    ["phone", "dark"],
  ] as const) {
    test(`every view shows real data, passes axe and fits: ${viewport}, ${colorScheme}`, async () => {
      const axe = await readFile(join(ROOT, "node_modules/axe-core/axe.min.js"), "utf8");
      await withPage(browser, { viewport, colorScheme, reducedMotion: "reduce" }, async (page) => {
        const hosts = new Set<string>();
        page.on("request", (request) => hosts.add(new URL(request.url()).host));
        for (const [name, [path, seen]] of Object.entries(VIEWS)) {
          await open(page, path);
          await shows(page, seen);
          assert.deepEqual(await violations(page, axe), [], name);
          if (viewport === "phone") await page.setViewportSize(NARROWEST);
          assert.ok(await fits(page), `${name} scrolls sideways`);
          const hidden = await page.locator(".table-wrap").evaluateAll((wraps) => wraps.filter((wrap) => wrap.scrollWidth > wrap.clientWidth).length);
          assert.equal(hidden, 0, `${name} has columns out of sight`);
        }
        assert.deepEqual([...hosts], [new URL(base).host], "a request went to another host");
      });
    });
  }

  for (const [viewport, colorScheme] of [
    ["desktop", "dark"],
    ["phone", "light"],
  ] as const) {
    test(`the API reference passes axe and fits: ${viewport}, ${colorScheme}`, async () => {
      const axe = await readFile(join(ROOT, "node_modules/axe-core/axe.min.js"), "utf8");
      await withPage(browser, { viewport, colorScheme }, async (page) => {
        await page.goto(`${base}/docs/`);
        await page.keyboard.press("Tab");
        await page.getByRole("link", { name: "Skip to the content" }).press("Enter");
        await page.keyboard.press("Tab");
        assert.equal(await page.evaluate(() => document.activeElement?.closest("main") !== null), true);
        await page.getByRole("navigation").getByRole("link", { name: "Recommendations" }).click();
        assert.deepEqual(await violations(page, axe), []);
        if (viewport === "phone") await page.setViewportSize(NARROWEST);
        assert.ok(await fits(page), "it scrolls sideways");
      });
    });
  }

  test("where the system forces its colours, the view, the chosen tab, bars and colour keys are still told apart", async () => {
    await withPage(browser, {}, async (page) => {
      await page.emulateMedia({ forcedColors: "active" });
      const colourOf = (selector: string): Promise<string> =>
        page.locator(selector).first().evaluate((element) => getComputedStyle(element).backgroundColor);
      const differ = async (one: string, other: string): Promise<boolean> => (await colourOf(one)) !== (await colourOf(other));
      await open(page, "slots");
      await shows(page, /hero/);
      assert.ok(await differ(".nav a[aria-current]", ".nav a:not([aria-current])"), "the view");
      assert.ok(await differ(".share .fill", ".share .track"), "a share");
      await open(page, "people/users/mara");
      assert.ok(await differ('[role="tab"][aria-selected="true"]', '[role="tab"][aria-selected="false"]'), "the chosen tab");
      assert.ok(await differ('.key[data-series="0"]', '.key[data-series="1"]'), "two lines of a plot");
      assert.ok(await differ('.toggle[aria-checked="true"] i', "main"), "a switch that is on");
    });
  });

  test("the toggle turns the other theme on, and the choice is kept", async () => {
    await withPage(browser, {}, async (page) => {
      await open(page, "overview");
      await page.getByRole("button", { name: "Use the dark theme" }).click();
      await page.reload();
      await page.getByRole("button", { name: "Use the light theme" }).waitFor();
      assert.equal(await page.evaluate(() => document.documentElement.dataset["theme"]), "dark");
    });
  });

  test("search finds a person from anywhere, by keyboard alone", async () => {
    await withPage(browser, {}, async (page) => {
      await open(page, "program");
      await shows(page, /version/);
      await page.keyboard.press("Control+k");
      await page.getByRole("combobox", { name: /Search persons/ }).fill("mar");
      await page.getByRole("option", { name: "mara user" }).waitFor();
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { level: 1, name: "mara" }).waitFor();
      assert.match(page.url(), /#\/default\/people\/users\/mara$/);
      await shows(page, /Known user/);
      await page.keyboard.press("/");
      await page.getByRole("combobox", { name: /Search persons/ }).waitFor();
      await page.keyboard.press("Escape");
      assert.equal(await page.getByRole("combobox", { name: /Search persons/ }).count(), 0);
    });
  });

  test("a segment and an experiment are found by any part of their names", async () => {
    await withPage(browser, {}, async (page) => {
      await open(page, "overview");
      const { segments } = (await (await fetch(`${base}/v1/segments`)).json()) as { segments: { name: string }[] };
      const { name } = segments.find((segment) => segment.name.includes("_"))!;
      for (const [part, found, level] of [
        ["k_THEME", "dark_theme experiment", "dark_theme"],
        [name.slice(1), `${name} segment`, name],
      ] as const) {
        await page.keyboard.press("Control+k");
        await page.getByRole("combobox", { name: /Search persons/ }).fill(part);
        await page.getByRole("option", { name: found, exact: true }).click();
        await page.getByRole("heading", { level: 1, name: level }).waitFor();
      }
    });
  });

  test("an item is found by a word of its title, from anywhere and on its own page", async () => {
    await withPage(browser, {}, async (page) => {
      await open(page, "overview");
      await page.keyboard.press("Control+k");
      await page.getByRole("combobox", { name: /Search persons/ }).fill("NUMBER 7");
      await page.getByRole("option", { name: "Item number 7 item" }).waitFor();
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { level: 1, name: "Item number 7" }).waitFor();
      await open(page, "items");
      await page.getByRole("searchbox", { name: /Find an item/ }).fill("number 1");
      const found = page.getByRole("region", { name: "Found" });
      await found.getByRole("link", { name: "Item number 13" }).waitFor();
      assert.equal(await found.getByRole("listitem").count(), 11);
      await found.getByRole("link", { name: "Item number 13" }).click();
      await page.getByRole("link", { name: "Why not in a list" }).click();
      const why = page.getByRole("region", { name: "Why not", exact: true });
      await why.getByRole("link", { name: "Item number 13" }).waitFor();
      assert.equal(await page.getByRole("combobox", { name: "Why not" }).inputValue(), "item-13");
    });
  });

  test("titles from the right keep their beginning, long words their column; an address that is none is no picture, and breaks no page", async () => {
    const title = "كرسي خشبي مريح للقراءة في المساء مع وسادة من الصوف الطبيعي";
    const odd = Array.from({ length: 3 }, (_, index) => ({
      ...{ item_id: `odd-${index}`, title: `${title} ${index}`, categories: ["odd"], tags: ["odd"] },
      ...{ image_url: "http://[none", price: 1234.5, url: `https://shop.example/${"chairs/".repeat(40)}` },
    }));
    const word = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft";
    odd.push({ ...odd[0]!, item_id: "odd-word", title: word });
    assert.equal((await send("PUT", "/v1/items", { items: odd })).status, 200);
    assert.equal((await send("POST", "/v1/events", [{ ...event("ida", "view", 0), item_id: "odd-word" }])).status, 202);
    await withPage(browser, { viewport: "phone" }, async (page) => {
      await open(page, "people/users/ida");
      const cell = page.getByRole("table", { name: "Timeline" }).getByRole("cell", { name: word });
      await cell.waitFor();
      assert.ok(await cell.evaluate((one) => one.scrollWidth <= one.clientWidth), "a long word leaves its column");
      const whatIf = page.getByRole("region", { name: "Why not, what if" });
      await whatIf.getByRole("button", { name: "Open" }).click();
      const met = whatIf.getByRole("button", { name: word, exact: true });
      await met.waitFor();
      const room = await met.evaluate(
        (one) => one.closest(".card")!.getBoundingClientRect().right - one.getBoundingClientRect().right,
      );
      assert.ok(room > 0, `a long title leaves its card by ${-room} px`);

      await open(page, "items/odd-0");
      await shows(page, /price 1,234\.50/);
      const site = page.getByRole("link", { name: odd[0]!.url });
      assert.equal(await site.getAttribute("href"), odd[0]!.url);
      assert.ok((await site.evaluate((one) => one.parentElement!.clientHeight)) < 48, "an address takes many lines");
      const other = page.getByRole("listitem").getByRole("link", { name: `${title} 1` });
      await other.waitFor();
      await page.getByRole("listitem").getByText("ك", { exact: true }).first().waitFor();
      const hidden = await other.evaluate((link) => {
        const first = document.createRange();
        first.setStart(link.firstChild!, 0);
        first.setEnd(link.firstChild!, 1);
        const [letter, box] = [first.getBoundingClientRect(), link.parentElement!.getBoundingClientRect()];
        return Math.max(box.left - letter.left, letter.right - box.right);
      });
      assert.ok(hidden < 1, `the title's first letter is ${hidden} px out of sight`);
    });
    for (const { item_id } of odd) await fetch(`${base}/v1/items/${item_id}`, { method: "DELETE" });
  });

  test("a person moves while you watch: segment, timeline and lists follow an event", async () => {
    await withPage(browser, {}, async (page) => {
      await open(page, "people/users/emil");
      await shows(page, /Recommendations.*Item number/s);
      assert.equal(await page.getByRole("link", { name: "buyers", exact: true }).count(), 0);
      await send("POST", "/v1/events", [
        { user_id: "emil", event_type: "purchase", item_id: "item-20", timestamp: Date.now(), value: 30 },
      ]);
      await page.getByRole("region", { name: "Segments" }).getByRole("link", { name: "buyers" }).waitFor();
      const timeline = page.getByRole("table", { name: "Timeline" });
      await timeline.getByText("entered segment").waitFor();
      await timeline.getByText("purchase", { exact: true }).waitFor();
    });
  });

  test("among many segments one is found by a word of its name, description or rule, and the address keeps it", async () => {
    await withPage(browser, {}, async (page) => {
      await open(page, "segments");
      await shows(page, /15 segments/);
      const rows = page.getByRole("table", { name: "Segments" }).locator("tbody tr");
      const search = page.getByRole("searchbox", { name: "Find a segment" });
      await search.pressSequentially("VIEWS three");
      await shows(page, /1 of 15 segments.*lookers/s);
      assert.equal(await rows.count(), 1);
      await page.reload();
      await shows(page, /1 of 15 segments.*lookers/s);
      await search.fill("> 905");
      await shows(page, /1 of 15 segments.*aisle_5/s);
      await search.fill("nowhere");
      await shows(page, /0 of 15 segments.*No segment has these words/s);
    });
  });

  test("what is looked for is in the address, and Back leads to the place on the page that was left", async () => {
    await withPage(browser, { viewport: "phone" }, async (page) => {
      await open(page, "people");
      await page.getByRole("searchbox", { name: /Find a person/ }).fill("mar");
      await page.getByRole("link", { name: "mara" }).click();
      await shows(page, /Known user/);
      await page.goBack();
      await shows(page, /Found.*mara/s);
      assert.equal(await page.getByRole("searchbox", { name: /Find a person/ }).inputValue(), "mar");
      await open(page, "items?find=number");
      await shows(page, /Found.*Item number/s);
      await open(page, "segments");
      const last = page.getByRole("link", { name: "aisle_11" });
      await last.scrollIntoViewIfNeeded();
      const height = await page.evaluate(() => window.scrollY);
      assert.ok(height > 100, `the list ends at ${height}`);
      // A click would scroll by itself where Chromium finds it better.
      await last.evaluate((link: HTMLElement) => link.click());
      await shows(page, /Members/);
      await page.waitForFunction(() => window.scrollY === 0);
      await page.goBack();
      await page.waitForFunction((left) => Math.abs(window.scrollY - left) < 2, height);
    });
  });

  test("from a segment and an experiment one comes to where the program defines them; all shown is all there is", async () => {
    await withPage(browser, {}, async (page) => {
      const selected = (): Promise<unknown> =>
        page.waitForFunction(() => {
          const area = document.querySelector<HTMLTextAreaElement>(".editor textarea");
          return area !== null && area.selectionEnd > area.selectionStart;
        });
      const text = (): Promise<string> =>
        page.locator(".editor textarea").evaluate((area) => {
          const { value, selectionStart, selectionEnd } = area as HTMLTextAreaElement;
          return value.slice(selectionStart, selectionEnd);
        });
      await open(page, "segments/buyers");
      await page.getByRole("link", { name: "Edit in the program" }).click();
      await selected();
      assert.match(await text(), /Bought within 30 days/);
      await open(page, "experiments/dark_theme");
      await page.getByRole("link", { name: "Edit in the program" }).click();
      await selected();
      assert.match(await text(), /time_on_site/);
      // A page that is just full says that there is a next one.
      await page.route("**/v1/segments/lookers/users*", (route) =>
        route.fulfill({ json: { segment: "lookers", users: [{ user_id: "mara" }], total: 1, next: "u:mara" } }),
      );
      await open(page, "segments/lookers");
      await shows(page, /1 of 1.*mara/s);
      assert.equal(await page.getByRole("button", { name: "Show more" }).count(), 0);
    });
  });

  test("an experiment says first what it says so far; it ends by a button, and goes on when the version before comes back", async () => {
    await withPage(browser, { expectedErrors: /404/ }, async (page) => {
      const { version } = (await (await fetch(`${base}/v1/program`)).json()) as { version: number };
      await open(page, "experiments/dark_theme");
      await shows(page, /^dark_theme.*So far\s+(better|worse|undecided|too early).*Persons\s+160/s);
      const end = page.getByRole("button", { name: "End …" });
      await end.click();
      await page.getByRole("button", { name: "Cancel" }).click();
      assert.ok(await end.evaluate((button) => button === document.activeElement), "the focus is back where it was");
      await end.click();
      await page.getByRole("button", { name: "End it" }).click();
      await page.getByText(`dark_theme has ended. Version ${version} of the program brings it back.`).waitFor();
      await shows(page, /The program runs no experiment/);
      await page.goBack();
      await shows(page, /The current program has no such experiment/);
      assert.equal((await send("POST", "/v1/program/rollback", { version })).status, 200);
      await shows(page, /Persons\s+160/);
    });
  });

  test("a person of whom much is known stays readable: long names, long texts, many of each, the last of many placements", async () => {
    const name = `a_name_${"n".repeat(50)}`;
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`trait_${index}`, index]));
    const attributes = { [name]: "a text that goes on ".repeat(12), ...many };
    assert.equal((await send("PATCH", "/v1/users/jonas/profile", { attributes })).status, 200);
    for (const viewport of ["desktop", "phone"] as const)
      await withPage(browser, { viewport }, async (page) => {
        await open(page, "people/users/jonas");
        const card = page.getByRole("region", { name: "Attributes" });
        const value = card.getByText(/a text that goes on/);
        await value.waitFor();
        const { width } = (await value.boundingBox())!;
        const whole = (await card.boundingBox())!.width;
        assert.ok(width > whole / 3, `a value has ${width} px of ${whole}`);
        assert.equal(await card.getByText("trait_19").count(), 0);
        await card.getByRole("button", { name: "Show 9 more" }).click();
        await card.getByText("trait_19").waitFor();
        const lists = page.getByRole("region", { name: "Recommendations" });
        await lists.getByLabel("Placement").selectOption("shelf_9");
        await lists.getByRole("listitem").nth(11).waitFor();
        await send("POST", "/v1/events", [event("jonas", "view", viewport === "phone" ? 7 : 8)]);
        const version = await (await fetch(`${base}/v1/users/jonas/profile`)).json();
        await lists.getByText(`profile version ${(version as { version: number }).version}`).waitFor();
        assert.ok(await fits(page), "the page scrolls sideways");
      });
  });

  test("an attribute is set, corrected and removed where it stands, and what it cannot be is said", async () => {
    await withPage(browser, { expectedErrors: /400/ }, async (page) => {
      await open(page, "people/users/sofie");
      const card = page.getByRole("region", { name: "Attributes" });
      const set = async (name: string, value: string, button: "Save" | "Remove"): Promise<void> => {
        await card.getByLabel("Name").fill(name);
        if (button === "Save") await card.getByLabel("Value").fill(value);
        await card.getByRole("button", { name: button }).click();
      };
      const known = async (): Promise<unknown> => ((await (await fetch(`${base}/v1/users/sofie/profile`)).json()) as { attributes: unknown }).attributes;
      await card.getByRole("button", { name: "Change" }).click();
      assert.equal(await card.getByRole("button", { name: "Remove" }).isDisabled(), true);
      await set("loyalty_tier", "gold", "Save");
      await card.getByRole("term").filter({ hasText: "loyalty_tier" }).waitFor();
      await set("age", "42", "Save");
      await card.getByText("42", { exact: true }).waitFor();
      assert.deepEqual(await known(), { loyalty_tier: "gold", age: 42 });
      // What is there stands in the field, to be corrected.
      await card.getByLabel("Name").fill("loyalty_tier");
      assert.equal(await card.getByLabel("Value").inputValue(), "gold");
      await set("loyalty_tier", "silver", "Save");
      await card.getByText("silver", { exact: true }).waitFor();
      await set("two words", "x", "Save");
      await page.getByText(/letters, digits and underscores/).waitFor();
      await set("age", "", "Remove");
      await card.getByRole("term").filter({ hasText: "age" }).waitFor({ state: "detached" });
      assert.deepEqual(await known(), { loyalty_tier: "silver" });
    });
  });

  test("what was paid is the same number in the stream and on the person's page, to the cent", async () => {
    await withPage(browser, {}, async (page) => {
      await open(page, "events?type=purchase");
      await page.getByText("live", { exact: true }).waitFor();
      const bought = { ...event("sofie", "purchase", 7), value: 1234.9 };
      assert.equal((await send("POST", "/v1/events", bought)).status, 202);
      await page.getByRole("table", { name: "Events" }).getByText("1,234.90").waitFor();
      await open(page, "people/users/sofie");
      const timeline = page.getByRole("table", { name: "Timeline" });
      await timeline.getByText("1,234.90").waitFor();
      const spills = await timeline.locator("td").evaluateAll((cells) => cells.filter((cell) => cell.scrollWidth > cell.clientWidth).length);
      assert.equal(spills, 0);
    });
  });

  test("live events appear, filter by type and hold still when paused", async () => {
    await withPage(browser, {}, async (page) => {
      await open(page, "events?type=add_to_cart");
      await page.getByText("live", { exact: true }).waitFor();
      const rows = page.getByRole("table", { name: "Events" }).locator("tbody tr");
      await page.getByLabel("Event type").waitFor();
      await send("POST", "/v1/events", [event("sofie", "view", 5), event("sofie", "add_to_cart", 5)]);
      // Its title is asked for when the row is there.
      await rows.first().getByText("Item number 5").waitFor();
      assert.equal(await rows.count(), 1);
      assert.match(await rows.first().innerText(), /add_to_cart\s+sofie\s+Item number 5/);
      await page.getByRole("button", { name: "Pause" }).click();
      await send("POST", "/v1/events", [event("sofie", "add_to_cart", 6)]);
      await page.getByText("1 new since the pause").waitFor();
      assert.equal(await rows.count(), 1);
      await page.getByRole("button", { name: "Resume" }).click();
      await rows.nth(1).waitFor();
      await page.getByRole("button", { name: "Pause" }).click();
      await send("POST", "/v1/events", [event("sofie", "add_to_cart", 7)]);
      await page.getByText("1 new since the pause").waitFor();
      await page.getByLabel("Event type").selectOption("purchase");
      await page.getByText("0 new since the pause").waitFor();
    });
  });

  test("merchandising: knobs move the list before it is saved, faults hold it back, saving puts it in force", async () => {
    await withPage(browser, { expectedErrors: /400/ }, async (page) => {
      await open(page, "merchandising/detail?person=mara&why_not=nothing");
      await shows(page, /Neither the catalogue nor any event knows this item.*the same list/s);
      const after = page.getByRole("region", { name: "With the knobs" }).locator(".ranked li");
      const pins = page.getByRole("group", { name: "Pins" });
      await pins.getByRole("button", { name: "Add" }).press("Enter");
      await pins.getByLabel("Kind of pin 1").selectOption("item");
      await pins.getByLabel("What pin 1 shows").fill("item-23");
      await after.first().getByText("Item number 23").waitFor();
      await shows(page, /Pinned at 1\./);
      await pins.getByLabel("Position of pin 1").fill("0");
      await shows(page, /\/placements\/detail\/pin\/0\/at/);
      assert.ok(await page.getByRole("button", { name: "Save" }).isDisabled());
      await pins.getByLabel("Position of pin 1").fill("2");
      await after.nth(1).getByText("Item number 23").waitFor();
      await after.nth(1).getByRole("button", { name: "Why Item number 23 is at 2" }).click();
      await after.nth(1).getByText(/pinned\./).waitFor();
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText(/is saved: detail ranks by the new rules/).waitFor();
      const { items } = (await (await fetch(`${base}/v1/recommendations?user_id=mara&placement=detail`)).json()) as {
        items: { item_id: string }[];
      };
      assert.equal(items[1]!.item_id, "item-23");
    });
  });

  test("merchandising: a slip in an id and a knob that does nothing are said where they are, rules by their numbers", async () => {
    await withPage(browser, { expectedErrors: /400|404/ }, async (page) => {
      await open(page, "merchandising/shelf_0?person=marra");
      await shows(page, /Nobody is known as marra: this is what a new visitor gets\./);
      await page.getByLabel("Visitor").fill("mara");
      await page.getByRole("button", { name: "Show" }).click();
      await page.getByText("Nobody is known").waitFor({ state: "detached" });
      const rows = (legend: string) => page.getByRole("group", { name: legend }).locator(".knob-row");
      const add = (legend: string) => page.getByRole("group", { name: legend }).getByRole("button", { name: "Add" }).click();
      await add("Pins");
      await page.getByLabel("Kind of pin 1").selectOption("item");
      await page.getByLabel("What pin 1 shows").fill("item-2000");
      await rows("Pins").first().getByText("Not in this list. Neither the catalogue nor any event knows this item.").waitFor();
      assert.equal(await page.getByRole("region", { name: "Why not" }).count(), 0);
      await page.getByLabel("What pin 1 shows").fill("item-20");
      await page.getByRole("region", { name: "With the knobs" }).getByText("Pinned at 1.").waitFor();
      assert.equal(await rows("Pins").locator(".knob-note").count(), 0);
      await add("Caps");
      await page.getByLabel("What cap 1 counts by").fill("attributes.brand");
      await rows("Caps").first().getByText("Counts nothing: no item of this list has attributes.brand.").waitFor();
      await add("Boosts");
      await page.getByLabel("Condition of boost 1").fill('"wool" in item.tags');
      await add("Boosts");
      await page.getByLabel("Condition of boost 2").fill('"lamps" in');
      await rows("Boosts").nth(1).getByText(/unexpected end/).waitFor();
      await page.getByLabel("Condition of boost 2").fill('"lamps" in item.categories');
      await page.getByLabel("Factor of boost 2").fill("50");
      await shows(page, /Score × \d+ by boost 2\./);
      await page.getByRole("button", { name: "Discard" }).click();
    });
  });

  test("a segment's size is one number wherever its page says it", async () => {
    await withPage(browser, {}, async (page) => {
      await page.route("**/v1/stats*", async (route) => {
        const answer = await route.fetch();
        const stats = (await answer.json()) as { series: { segments: Record<string, number[]> } };
        stats.series.segments["lookers"] = stats.series.segments["lookers"]!.map(() => 11_286);
        await route.fulfill({ response: answer, json: stats });
      });
      await open(page, "segments/lookers");
      await shows(page, /persons\s+11,286/);
    });
  });

  test("what the knobs move is in sight beside them on a laptop, and before what stays where there is room for one list", async () => {
    await withPage(browser, {}, async (page) => {
      await open(page, "merchandising/home");
      await shows(page, /As it is.*Item number.*With the knobs.*Item number/s);
      const placed = async (width: number): Promise<{ x: number; y: number }[]> => {
        await page.setViewportSize({ width, height: 800 });
        assert.ok(await fits(page), `it scrolls sideways at ${width}`);
        const cards = page.locator(".side-by-side > .card");
        const gap = await page.locator(".side-by-side").evaluate((lists) => getComputedStyle(lists).rowGap);
        assert.equal(gap, "normal", "Firefox adds it to each row of the lists");
        return cards.evaluateAll((all) => all.map((card) => card.getBoundingClientRect()).map(({ x, y }) => ({ x, y })));
      };
      for (const width of [1440, 1280, 1180]) {
        const [before, after] = await placed(width);
        assert.ok(after!.y === before!.y && after!.x > before!.x, `not side by side at ${width}`);
      }
      for (const width of [1100, 390]) {
        const [before, after] = await placed(width);
        assert.ok(after!.y < before!.y && after!.x === before!.x, `what stays comes first at ${width}`);
      }
    });
  });

  test("what if: a person's list without what he did, and with what he did not; why an item is missing", async () => {
    await withPage(browser, {}, async (page) => {
      await open(page, "people/users/jonas");
      const card = page.getByRole("region", { name: "Why not, what if" });
      await card.getByRole("button", { name: "Open" }).click();
      await card.getByText("the same list").waitFor();
      await card.getByLabel("Item", { exact: true }).fill("item-22");
      await card.getByRole("button", { name: "Add" }).click();
      await card.getByRole("button", { name: "view Item number 22" }).waitFor();
      await card.getByRole("region", { name: "What if" }).getByText(/came, .* left/).waitFor();
      await card.getByLabel("Why not").fill("nowhere");
      await card.getByText("Neither the catalogue nor any event knows this item.").waitFor();
    });
  });

  test("what is written and not saved is there after a look elsewhere; the browser asks before the page goes", async () => {
    await withPage(browser, {}, async (page) => {
      await open(page, "program");
      const editor = page.getByRole("textbox", { name: "Program document, JSON" });
      const document = await editor.inputValue();
      await editor.fill(document.replace('"half_life": "7d"', '"half_life": "8d"'));
      await page.getByText("no fault, not saved").waitFor();
      await page.getByRole("link", { name: "Merchandising" }).click();
      await page.getByLabel("Filter").fill("item.price > 11.0");
      await page.getByText("not saved").waitFor();
      await page.getByLabel("Placement").selectOption("detail");
      await page.getByText("placements.detail").waitFor();
      await page.getByLabel("Placement").selectOption("home");
      await page.getByText("not saved").waitFor();
      assert.equal(await page.getByLabel("Filter").inputValue(), "item.price > 11.0");

      const asked: string[] = [];
      page.on("dialog", (dialog) => {
        asked.push(dialog.type());
        void dialog.dismiss();
      });
      const reload = page.evaluate(() => location.reload());
      await page.waitForEvent("dialog");
      await reload;
      await page.getByRole("button", { name: "Discard" }).click();
      await page.goBack();
      await editor.waitFor();
      assert.match(await editor.inputValue(), /"half_life": "8d"/);
      await page.getByRole("button", { name: "Discard" }).click();
      await page.getByText("saved", { exact: true }).waitFor();
      assert.deepEqual(asked, ["beforeunload"]);
      await page.reload();
      await editor.waitFor();
      assert.equal(await editor.inputValue(), document);
      assert.deepEqual(asked, ["beforeunload"]);
    });
  });

  test("a program that a colleague changed meanwhile is not overwritten unseen", async () => {
    await withPage(browser, { expectedErrors: /412|ERR_FAILED/ }, async (page) => {
      // The colleague's save is seen when this one is refused, not before.
      await page.route("**/v1/program/versions*", (route) => route.abort());
      await open(page, "program");
      const editor = page.getByRole("textbox", { name: "Program document, JSON" });
      const document = await editor.inputValue();
      // A node that was away for a moment is asked again.
      await page.route("**/v1/program/check*", (route) => route.abort());
      await editor.fill(document.replace('"half_life": "7d"', '"half_life": "9d"'));
      await page.getByText("not checked: no answer").waitFor();
      await page.unroute("**/v1/program/check*");
      await page.getByText("no fault, not saved").waitFor();
      const theirs = { ...JSON.parse(document), description: "A colleague's" };
      assert.equal((await send("PUT", "/v1/program", theirs)).status, 200);
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText(/Nothing was changed. Version \d+ came into force since/).waitFor();
      const notice = page.getByRole("alert").filter({ hasText: "came into force while you were writing" });
      await notice.getByRole("button", { name: "See what saving would change" }).click();
      await page.getByRole("region", { name: "Changes since the saved version" }).getByText("A colleague's").waitFor();
      // Whoever looks something up elsewhere is told again.
      await page.getByRole("link", { name: "Segments", exact: true }).click();
      await page.getByRole("heading", { level: 1, name: "Segments" }).waitFor();
      await page.getByRole("link", { name: "Program", exact: true }).click();
      await notice.waitFor();
      const inForce = async () => (await (await fetch(`${base}/v1/program`)).json()) as { description?: string };
      assert.equal((await inForce()).description, "A colleague's");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText(/is saved and in effect/).waitFor();
      await notice.waitFor({ state: "hidden" });
      assert.equal((await inForce()).description, undefined);
      // The next draft takes nothing of anybody's back.
      await editor.fill(document.replace('"half_life": "7d"', '"half_life": "8d"'));
      await page.getByText("no fault, not saved").waitFor();
      assert.equal(await notice.count(), 0);
      await page.getByRole("button", { name: "Discard" }).click();
      assert.equal((await send("PUT", "/v1/program", JSON.parse(document))).status, 200);
    });
  });

  test("a knob's number is typed as it is written: emptied, with a point or a comma, with zeros", async () => {
    await withPage(browser, { expectedErrors: /400/ }, async (page) => {
      await open(page, "merchandising/shelf_3");
      await page.getByRole("group", { name: "Boosts" }).getByRole("button", { name: "Add" }).click();
      const factor = page.getByLabel("Factor of boost 1");
      for (const text of ["2.75", "0.05", "10", "2,75"]) {
        await factor.press("Control+a");
        await factor.press("Backspace");
        assert.equal(await factor.inputValue(), "");
        await factor.pressSequentially(text);
        assert.equal(await factor.inputValue(), text);
      }
      await factor.pressSequentially(" of");
      await factor.blur();
      assert.equal(await factor.inputValue(), "2.75");
      await factor.press("Control+a");
      await factor.press("Backspace");
      await factor.blur();
      assert.equal(await factor.inputValue(), "0");
      await page.getByRole("button", { name: "Discard" }).click();
    });
  });

  test("rules of a placement that a colleague changed meanwhile are not overwritten unseen; those of others stay", async () => {
    await withPage(browser, {}, async (page) => {
      type Document = Record<string, unknown> & { placements: Record<string, object> };
      const inForce = async (): Promise<Document> => {
        const { version: _version, created_at: _at, ...document } = (await (await fetch(`${base}/v1/program`)).json()) as Document;
        return document;
      };
      const before = await inForce();
      const put = async (placements: Record<string, object>): Promise<void> => {
        const program = await inForce();
        assert.equal((await send("PUT", "/v1/program", { ...program, placements: { ...program.placements, ...placements } })).status, 200);
      };
      await open(page, "merchandising/shelf_1");
      const filter = page.getByLabel("Filter");
      const save = page.getByRole("button", { name: "Save" });
      await filter.fill("item.price > 11.0");
      await put({ shelf_1: { limit: 5 }, shelf_2: { limit: 6 } });
      await save.click();
      await page.getByText(/Nothing was changed: somebody saved other rules for shelf_1 since/).waitFor();
      assert.deepEqual((await inForce()).placements["shelf_1"], { limit: 5 });
      await save.click();
      await page.getByText(/is saved: shelf_1 ranks by the new rules/).waitFor();
      await put({ shelf_2: { limit: 7 } });
      await filter.fill("item.price > 12.0");
      await save.click();
      await page.getByText(/is saved: shelf_1 ranks by the new rules/).nth(1).waitFor();
      const { shelf_1, shelf_2 } = (await inForce()).placements;
      assert.deepEqual([shelf_1, shelf_2], [{ limit: 4, filter: "item.price > 12.0" }, { limit: 7 }]);
      assert.equal((await send("PUT", "/v1/program", before)).status, 200);
    });
  });

  test("a fault is shown where it is and nothing changes; a good program takes effect; a version comes back", async () => {
    await withPage(browser, { expectedErrors: /412|422/ }, async (page) => {
      const current = async (): Promise<number> =>
        ((await (await fetch(`${base}/v1/program`)).json()) as { version: number }).version;
      const versionBefore = await current();
      await open(page, "program");
      const editor = page.getByRole("textbox", { name: "Program document, JSON" });
      const document = await editor.inputValue();

      await editor.fill(
        document
          .replace('count(\\"view\\", \\"1d\\") >= 3.0', "nonsense(1.0)")
          .replace('"half_life": "7d"', '"half_life": "soon"'),
      );
      const faults = page.getByRole("region", { name: /faults/ });
      await faults.getByText("/segments/lookers/when").waitFor();
      await faults.getByText("/interests/half_life").waitFor();
      await faults.getByRole("button", { name: /segments\/lookers\/when/ }).click();
      // The place is chosen when the editor is drawn next.
      await page.waitForFunction(() => {
        const area = globalThis.document.activeElement;
        return area instanceof HTMLTextAreaElement && area.value.slice(area.selectionStart, area.selectionEnd).startsWith('"when": "nonsense');
      });
      assert.ok(await page.getByRole("button", { name: "Save" }).isDisabled());
      await editor.press("Control+s");
      await page.getByText("Nothing was changed: the program has faults.").waitFor();
      assert.equal(await current(), versionBefore);

      await editor.fill(`${document.slice(0, -2)},`);
      await page.getByRole("region", { name: "1 fault" }).waitFor();
      assert.equal(await page.getByRole("region", { name: /warning/ }).count(), 0);
      assert.ok(await page.getByRole("button", { name: "Save" }).isDisabled());

      await editor.fill(document.replace('"lookers"', '"onlookers"'));
      await page.getByText("no fault, not saved").waitFor();
      await page.getByRole("tab", { name: "Changes" }).click();
      await page.getByRole("region", { name: "Changes since the saved version" }).getByText("onlookers").waitFor();
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText(/is saved and in effect/).waitFor();
      assert.equal(await current(), versionBefore + 1);
      await page.getByRole("link", { name: "Segments", exact: true }).click();
      await page.getByRole("link", { name: "onlookers" }).waitFor();

      await open(page, "program");
      await page.getByRole("button", { name: "Compare" }).first().click();
      const rollBack = page.getByRole("button", { name: "Roll back" });
      await rollBack.click();
      // A colleague saves while the question stands there: what was not looked at is not taken back.
      const theirs = (await (await fetch(`${base}/v1/program`)).json()) as object;
      assert.equal((await send("PUT", "/v1/program", { ...theirs, description: "A colleague's" })).status, 200);
      await page.getByRole("dialog").getByText(`Version ${versionBefore + 1} is kept`).waitFor();
      await page.getByRole("dialog").getByRole("button", { name: "Roll back" }).click();
      await page.getByText(/Nothing was changed. Version \d+ came into force since/).waitFor();
      assert.equal(await current(), versionBefore + 2);
      await page.getByRole("region", { name: /What going back to version/ }).getByText("A colleague's").waitFor();
      await rollBack.click();
      await page.getByRole("dialog").getByRole("button", { name: "Roll back" }).click();
      await page.getByText(/is back in effect/).waitFor();
      assert.equal(await current(), versionBefore + 3);
      assert.match(await (await fetch(`${base}/v1/segments`)).text(), /"lookers"/);
    });
  });

  test("a dead letter that is corrected is accepted and leaves the list", async () => {
    await withPage(browser, { expectedErrors: /400/ }, async (page) => {
      await open(page, "dead-letters");
      await page.getByRole("button", { name: "Retry" }).click();
      await page.getByText(/Still refused/).waitFor();
      await page.getByRole("button", { name: "Edit" }).click();
      const editor = page.getByRole("textbox", { name: "Corrected event, JSON" });
      await editor.fill((await editor.inputValue()).replace('"long"', "42"));
      await page.getByRole("button", { name: "Send corrected event" }).click();
      await page.getByText("No event was refused").waitFor();
      const profile = (await (await fetch(`${base}/v1/users/liv/profile`)).json()) as { features: { dwell_s: number } };
      assert.equal(profile.features.dwell_s, 42);
    });
  });

  test("a letter that is being corrected stays, however many come meanwhile", async () => {
    const refuse = (count: number): Promise<Response> =>
      send("POST", "/v1/events", Array.from({ length: count }, () => ({ user_id: "emil", event_type: "dwell", value: "long", timestamp: Date.now() })));
    await refuse(1);
    await withPage(browser, {}, async (page) => {
      await open(page, "dead-letters");
      const edit = page.getByRole("button", { name: "Edit" });
      await edit.click();
      const editor = page.getByRole("textbox", { name: "Corrected event, JSON" });
      await editor.fill("half of a correction");
      await refuse(60);
      await page.getByText("the newest 1 of 61").waitFor();
      assert.equal(await editor.inputValue(), "half of a correction");
      await edit.click();
      await page.getByText("the newest 50 of 61").waitFor();
    });
  });

  test("dead letters by person and reason, from the person's page on, in the address, and further back than one page looks", async () => {
    const bad = (fields: object) => ({ user_id: "gil", event_type: "view", item_id: "lamp", timestamp: Date.now(), ...fields });
    await send("POST", "/v1/events", [bad({ value: "x" }), bad({ timestamp: "never" }), bad({ user_id: "hal", value: "x" })]);
    await withPage(browser, { expectedErrors: /404/ }, async (page) => {
      await open(page, "people/users/gil");
      await page.getByRole("link", { name: "What was refused" }).click();
      await page.getByText(/^2 of \d+ match$/).waitFor();
      const reason = page.getByLabel("Reason", { exact: true });
      await reason.selectOption("value_invalid");
      await page.getByText(/^1 of \d+ match$/).waitFor();
      assert.equal(await page.evaluate(() => location.hash), "#/default/dead-letters?code=value_invalid&person=gil");
      await page.reload();
      await page.locator(".letter-open").click();
      await page.getByRole("link", { name: "all with this reason" }).click();
      await page.getByText("view of hal").waitFor();
      await open(page, "dead-letters?person=anonymous:gil");
      await page.getByText("No letter matches").waitFor();
      await page.getByRole("button", { name: "Clear the filters" }).click();
      await page.locator(".letter").first().waitFor();

      for (let i = 0; i < 6; i++) await send("POST", "/v1/events", new Array(1_000).fill(bad({ user_id: "flood", value: "x" })));
      await open(page, "dead-letters?person=gil");
      await page.getByText("None of the newest letters matches").waitFor();
      await page.getByRole("button", { name: "Look further back" }).click();
      await page.getByText(/^2 of 6,\d+ match$/).waitFor();
    });
  });

  test("what could not be read while the node was away is read when it is back", async () => {
    await withPage(browser, { expectedErrors: /ERR_FAILED|403/ }, async (page) => {
      // A node that answers is not said to be silent, whatever it answers.
      await open(page, "overview");
      await page.getByText("ready", { exact: true }).waitFor();
      const problem = { title: "Forbidden", status: 403, code: "forbidden", detail: "The key may not." };
      await page.route("**/v1/stats*", (route) => route.fulfill({ status: 403, json: problem }));
      await page.getByText("The node does not tell how it is: Your key does not allow this.").waitFor();
      await shows(page, /not known/);
      await page.unrouteAll();
      await page.route("**/v1/stats*", (route) => route.abort());
      await page.getByText("The node has stopped answering.").waitFor();
      await shows(page, /no answer/);
      await page.unrouteAll();
      await page.getByText("ready", { exact: true }).waitFor();

      await page.route("**/v1/search**", (route) => route.abort());
      await open(page, "people");
      await page.getByText("The search could not be read").waitFor();
      await page.unrouteAll();
      await page.getByRole("list", { name: "Persons found" }).getByRole("link", { name: "mara" }).waitFor();

      await page.route("**/v1/recommendations/preview", (route) => route.abort());
      await open(page, "merchandising/home?person=mara");
      await page.getByText("The preview could not be read").waitFor();
      await page.unrouteAll();
      await shows(page, /As it is.*Item number.*With the knobs.*Item number/s);
    });
  });

  test("a node that answers later than it is asked again is shown all the same", async () => {
    await withPage(browser, {}, async (page) => {
      let answer = (): void => {};
      await page.route("**/v1/stats*", async (route) => {
        answer();
        await new Promise<void>((next) => (answer = next));
        await route.continue();
      });
      await open(page, "overview");
      await page.getByText("ready", { exact: true }).waitFor();
      await page.unrouteAll({ behavior: "ignoreErrors" });
    });
  });

  test("an erased person is gone from the page, and the proof stays on it", async () => {
    assert.equal((await send("POST", "/v1/events", { events: visitsOf("vera", 1) })).status, 202);
    await withPage(browser, { viewport: "phone", expectedErrors: /404/ }, async (page) => {
      await open(page, "people/users/vera");
      const privacy = page.getByRole("region", { name: "Privacy" });
      await privacy.getByRole("switch").first().waitFor();
      await page.getByRole("button", { name: "Privacy" }).click();
      assert.ok(await privacy.getByRole("switch").first().evaluate((first) => first === document.activeElement), "not led to it");
      await privacy.getByRole("button", { name: "Erase …" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Erase for good" }).click();
      await privacy.getByText("erased, and proven").waitFor();
      // Six events, and the lists that the page was shown meanwhile.
      await shows(page, /Nobody is known by this id.*Records erased\s+([6-9]|\d\d)\s.*Keys destroyed\s+yes.*Found afterwards\s+0 of \d+/s);
      assert.equal(await privacy.getByRole("switch").count(), 0);
      assert.equal(await privacy.getByRole("button").count(), 0);
      assert.ok(await fits(page), "the proof scrolls sideways");
    });
  });

  test("a node that does not answer for a while keeps nobody from the proof of an erasure", async () => {
    assert.equal((await send("POST", "/v1/events", { events: visitsOf("wilma", 1) })).status, 202);
    await withPage(browser, { expectedErrors: /404|Failed to load/ }, async (page) => {
      let refused = 0;
      await page.route("**/v1/privacy/jobs/**", (route) => (++refused > 2 ? route.continue() : route.abort()));
      await open(page, "people/users/wilma");
      const privacy = page.getByRole("region", { name: "Privacy" });
      await privacy.getByRole("button", { name: "Erase …" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Erase for good" }).click();
      await privacy.getByText("erased, and proven").waitFor();
      assert.ok(refused > 2);
      // Nor does leaving the page: the job is in the list of erasures, in the audit trail, and in an address.
      const job = await privacy.getByRole("link").innerText();
      await open(page, "audit");
      await page.getByRole("link", { name: `job ${job}` }).first().waitFor();
      await open(page, "privacy");
      await page.getByRole("link", { name: job }).click();
      await page.getByText("erased, and proven").waitFor();
      assert.equal(await page.evaluate(() => location.hash), `#/default/privacy?job=${job}`);
    });
  });

  test("of nobody nothing is said to be known or granted, and an id that nobody can have is not asked for again", async () => {
    await withPage(browser, { expectedErrors: /40[04]/ }, async (page) => {
      const streams: string[] = [];
      page.on("request", (request) => {
        if (new URL(request.url()).pathname === "/v1/live") streams.push(request.url());
      });
      for (const [id, seen] of [
        ["nobody-at-all", /Nobody is known by this id/],
        ["x".repeat(200), /Nobody can have this id.*user_id must have 1 to 128 characters/s],
      ] as const) {
        await open(page, `people/users/${id}`);
        await shows(page, seen);
        assert.doesNotMatch(await page.locator("main").innerText(), /Known user|granted|live|connection lost|Erase/);
      }
      assert.deepEqual(streams, []);
      await open(page, "people/users/ada");
      await shows(page, /Nobody is known by this id/);
      await send("POST", "/v1/events", [event("ada", "view", 2)]);
      await shows(page, /Known user.*live/s);
    });
  });

  test("empty and unknown places say what to do", async () => {
    await withPage(browser, { expectedErrors: /404/ }, async (page) => {
      await open(page, "people/users/nobody-at-all");
      await shows(page, /Nobody is known by this id.*appears here by itself/s);
      await open(page, "nowhere");
      await shows(page, /There is no such view/);
      await page.goto(`${base}/console/segments`);
      await page.getByRole("heading", { level: 1, name: "Segments" }).waitFor();
    });
  });

  test("the guides name only what is there", async () => {
    const guide = (name: string): Promise<string> => readFile(join(ROOT, `docs/guides/${name}.md`), "utf8");
    const [, segment] = /```json\n(.+?)```/s.exec(await guide("analyst")) ?? [];
    const check = await send("POST", "/v1/program/check", JSON.parse(`{"segments": {${segment}}}`));
    const { ok, faults } = (await check.json()) as { ok: boolean; faults: unknown[] };
    assert.deepEqual({ ok, faults }, { ok: true, faults: [] });
    const [, placement] = /```json\n(.+?)```/s.exec(await guide("merchandiser")) ?? [];
    const placed = await send("POST", "/v1/program/check", JSON.parse(`{"placements": {${placement}}}`));
    assert.deepEqual(((await placed.json()) as { faults: unknown[] }).faults, []);
    const [, alerts] = /```promql\n(.+?)```/s.exec(await guide("operator")) ?? [];
    const metrics = await (await fetch(`${base}/metrics`)).text();
    const names = new Set(alerts!.match(/attune_[a-z_0-9]+/g));
    assert.ok(names.size > 4);
    for (const name of names) assert.ok(metrics.includes(`# TYPE ${name} `), `${name} is not in /metrics`);
  });

  test("scripts stay small and the page is under a strict policy", async () => {
    const files = (await readdir(join(ROOT, "dist/console"), { recursive: true })).filter((file) =>
      file.endsWith(".js"),
    );
    const sizes = await Promise.all(
      files.map(async (file) => gzipSync(await readFile(join(ROOT, "dist/console", file))).length),
    );
    const total = sizes.reduce((sum, size) => sum + size, 0);
    assert.ok(total > 0 && total < SCRIPTS_GZIPPED_MAX, `${total} bytes gzipped`);
    const policy = (await fetch(`${base}/console/`)).headers.get("content-security-policy") ?? "";
    assert.match(policy, /default-src|script-src/);
    assert.doesNotMatch(policy, /unsafe/);
  });
});

function visitsOf(user: string, person: number): Record<string, unknown>[] {
  return Array.from({ length: 6 }, (_, step) =>
    event(user, step === 5 && person % 2 === 0 ? "add_to_cart" : "view", (person * 3 + step * 2) % ITEMS.length),
  );
}

function event(user: string, type: string, item: number): Record<string, unknown> {
  return {
    user_id: user,
    event_type: type,
    item_id: `item-${item}`,
    timestamp: Date.now(),
    context: { device: "desktop", country: "DK" },
  };
}

/** 160 guests are shown both slots; some click, and more of those with the dark theme buy. */
async function showDecisions(): Promise<void> {
  const events: object[] = [];
  for (let guest = 0; guest < 160; guest++) {
    const who = { anonymous_id: `guest-${guest}` };
    for (const slot of ["hero", "theme"]) {
      const answer = await send("POST", "/v1/decide", { ...who, slot });
      const { decision_id, variant } = (await answer.json()) as { decision_id: string; variant: string };
      const put = (event_type: string, more: object = {}): void => {
        const event_id = `${slot}-${guest}-${event_type}`;
        events.push({ event_id, ...who, event_type, timestamp: Date.now(), context: { decision_id }, ...more });
      };
      put("impression");
      if (slot === "hero" && guest % (variant === "loud" ? 3 : 9) === 0) put("click");
      if (slot === "theme" && guest % (variant === "dark" ? 2 : 6) === 0) put("purchase", { value: 20 });
    }
  }
  assert.equal((await send("POST", "/v1/events", { events })).status, 202);
}

function send(method: string, path: string, body: unknown): Promise<Response> {
  return fetch(base + path, { method, body: JSON.stringify(body), headers: { "content-type": "application/json" } });
}

/** Goes to a view by its address, as a link would. */
async function open(page: Page, path: string): Promise<void> {
  await page.goto(`${base}/console/#/default/${path}`);
  await page.getByRole("heading", { level: 1 }).waitFor();
}

async function shows(page: Page, seen: RegExp): Promise<void> {
  const found = page.waitForFunction(
    ([source, flags]) => new RegExp(source!, flags).test(document.querySelector("main")!.innerText),
    [seen.source, seen.flags],
    { timeout: SHOWN_TIMEOUT_MS },
  );
  await found.catch(async (cause: unknown) => {
    throw new Error(`${page.url()} does not show ${seen}:\n${await page.locator("main").innerText()}`, { cause });
  });
}

/**
 * Against the window as it was made: a phone's `innerWidth` grows with a page that is too wide. Plots follow a new width
 * a frame later.
 */
const fits = (page: Page): Promise<boolean> =>
  page
    .waitForFunction((width) => document.documentElement.scrollWidth <= width, page.viewportSize()!.width, {
      timeout: RESIZED_TIMEOUT_MS,
    })
    .then(
      () => true,
      () => false,
    );

async function violations(page: Page, axe: string): Promise<string[]> {
  await page.evaluate(axe);
  const { violations: found } = (await page.evaluate('axe.run({ resultTypes: ["violations"] })')) as {
    violations: { id: string; nodes: { html: string }[] }[];
  };
  return found.map((violation) => `${violation.id}: ${violation.nodes.map((one) => one.html).join(" | ")}`);
}

/** A node of its own on a free port; resolves with its address once it listens. */
function startNode(): Promise<string> {
  node = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", join(ROOT, "server/cli/main.ts"), "start"], {
    cwd: ROOT,
    env: { ...process.env, ATTUNE_PORT: "0", ATTUNE_HOST: "127.0.0.1", ATTUNE_DATA: data, ATTUNE_DEMO: "0" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return new Promise((found, failed) => {
    let output = "";
    const timer = setTimeout(() => failed(new Error(`the node did not start:\n${output}`)), START_TIMEOUT_MS);
    node.stderr!.on("data", (chunk: Buffer) => (output += chunk));
    node.stdout!.on("data", (chunk: Buffer) => {
      output += chunk;
      const [, address] = /attune listening on (http:\S+)/.exec(output) ?? [];
      if (address === undefined) return;
      clearTimeout(timer);
      found(address);
    });
    node.once("exit", (code) => failed(new Error(`the node stopped with ${code}:\n${output}`)));
  });
}
