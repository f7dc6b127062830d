// What warms the demo: the catalogues and a few days of seeded, believable visitors, in the contract's forms.
import type { DemoItem, Site } from "./catalogue/item.ts";
import { newsCatalogue } from "./catalogue/news.ts";
import { shopCatalogue } from "./catalogue/shop.ts";
import { chanceFrom, type Chance } from "./seeded.ts";

export type { DemoItem, Site } from "./catalogue/item.ts";

export interface DemoEvent {
  event_id: string;
  user_id?: string;
  anonymous_id: string;
  session_id: string;
  event_type: string;
  /** Unix ms. */
  timestamp: number;
  item_id?: string;
  value?: number;
  context: Record<string, string>;
  additional_data?: Record<string, unknown>;
}

/** 336 products or 120 articles; only `published_at` depends on `nowMs`. */
export function demoCatalogue(site: Site, nowMs: number = Date.now()): DemoItem[] {
  return site === "shop" ? shopCatalogue(nowMs) : newsCatalogue(nowMs);
}

/** What the embedded host warms its demo with; the page's "another visitor" knows these persons by name. */
export const DEMO_SEED = 7;
export const DEMO_VISITORS = 400;

export interface VisitOptions {
  seed: number;
  nowMs: number;
  visitors: number;
}

/** Events of `visitors` persons over the last six days, oldest first, about 20 each (news: 15); equal for equal options. */
export function demoVisits(site: Site, options: VisitOptions): DemoEvent[] {
  const world = worldOf(site, options.nowMs);
  const events: DemoEvent[] = [];
  for (let visitor = 0; visitor < options.visitors; visitor++) {
    const chance = chanceFrom(`${site} ${options.seed} ${visitor}`);
    for (const event of visitsOf(world, chance, { ...options, visitor })) events.push(event);
  }
  events.sort((a, b) => a.timestamp - b.timestamp || (a.event_id < b.event_id ? -1 : 1));
  return events;
}

const DAYS = 6;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** What draws a person: category → how strongly. */
type Taste = Readonly<Record<string, number>>;

const PERSONAS: Readonly<Record<Site, readonly { share: number; taste: Taste }[]>> = {
  shop: [
    { share: 5, taste: { chairs: 5, lamps: 5, kitchen: 3, plants: 3, books: 1 } },
    { share: 4, taste: { audio: 8, lamps: 1, books: 2, watches: 1 } },
    { share: 4, taste: { bikes: 5, jackets: 3, camping: 2, bags: 2, shoes: 1 } },
    { share: 4, taste: { camping: 6, jackets: 4, shoes: 3, bags: 3 } },
    { share: 3, taste: { books: 7, lamps: 2, kitchen: 2, plants: 1 } },
    { share: 4, taste: { shoes: 5, jackets: 4, bags: 4, watches: 3 } },
    { share: 3, taste: { kitchen: 6, plants: 4, books: 2, chairs: 1 } },
    { share: 2, taste: { plants: 7, kitchen: 2, lamps: 1 } },
    { share: 2, taste: { watches: 6, bags: 2, audio: 2, shoes: 2 } },
  ],
  news: [
    { share: 4, taste: { science: 6, technology: 3, climate: 2, health: 1 } },
    { share: 4, taste: { technology: 6, business: 4, science: 2 } },
    { share: 4, taste: { sport: 8, health: 2, cities: 1 } },
    { share: 3, taste: { culture: 6, travel: 3, food: 3, cities: 1 } },
    { share: 3, taste: { climate: 6, science: 2, cities: 3, travel: 1 } },
    { share: 3, taste: { food: 6, health: 4, travel: 3 } },
    { share: 3, taste: { business: 6, cities: 2, technology: 2 } },
  ],
};

interface World {
  site: Site;
  items: readonly DemoItem[];
  /** Per category, most wanted first. */
  byCategory: ReadonlyMap<string, readonly DemoItem[]>;
}

function worldOf(site: Site, nowMs: number): World {
  const items = demoCatalogue(site, nowMs);
  const byCategory = new Map<string, DemoItem[]>();
  for (const item of items) {
    const category = item.categories[0]!;
    const shelf = byCategory.get(category);
    if (shelf) shelf.push(item);
    else byCategory.set(category, [item]);
  }
  for (const [category, shelf] of byCategory) {
    const order = chanceFrom(`${category} shelf`);
    const rank = new Map(
      shelf.map((item) => [
        item,
        order.share() + (item.tags.includes("new") || item.tags.includes("breaking") ? 0.3 : 0),
      ]),
    );
    shelf.sort((a, b) => rank.get(b)! - rank.get(a)!);
  }
  return { site, items, byCategory };
}

const DEVICES = [
  { device: "desktop", os: "macOS", browser: "Safari" },
  { device: "desktop", os: "Windows", browser: "Chrome" },
  { device: "mobile", os: "iOS", browser: "Safari" },
  { device: "mobile", os: "Android", browser: "Chrome" },
  { device: "desktop", os: "Linux", browser: "Firefox" },
] as const;
const PLACES = [
  ["nb-NO", "NO"],
  ["sv-SE", "SE"],
  ["da-DK", "DK"],
  ["de-DE", "DE"],
  ["en-GB", "GB"],
  ["fr-FR", "FR"],
  ["nl-NL", "NL"],
  ["en-US", "US"],
] as const;
const FIRST_NAMES = [
  "astrid",
  "bjorn",
  "clara",
  "david",
  "elin",
  "filip",
  "greta",
  "hugo",
  "ines",
  "jonas",
  "karla",
  "leo",
  "maja",
  "nils",
  "olga",
  "pavel",
  "rosa",
  "sami",
  "tuva",
  "viktor",
] as const;
/** How busy each hour of the day is. */
const HOURS = [1, 1, 1, 1, 1, 2, 4, 7, 8, 7, 6, 6, 8, 7, 6, 6, 7, 8, 10, 13, 14, 12, 7, 3] as const;

function visitsOf(world: World, chance: Chance, options: VisitOptions & { visitor: number }): DemoEvent[] {
  const { site } = world;
  const personas = PERSONAS[site];
  const { taste } = personas[chance.weighted(personas.map((persona) => persona.share))]!;
  const [locale, country] = chance.pick(PLACES);
  const context = { ...chance.pick(DEVICES), locale, country };
  const name = String(options.visitor).padStart(4, "0");
  const anonymous_id = `${site}-visitor-${name}`;
  const known = chance.happens(0.3);
  const user_id = `${chance.pick(FIRST_NAMES)}-${name}`;
  const thrifty = chance.happens(0.25);
  const liked = chance.pick(["sand", "moss", "fjord", "ink", "clay"]);
  const events: DemoEvent[] = [];
  const sessions = 1 + chance.weighted([5, 4, 2, 1]);
  for (let session = 0; session < sessions; session++) {
    let now = startOf(chance, options.nowMs);
    const session_id = `${anonymous_id}-${session + 1}`;
    const put = (event_type: string, fields: Pick<DemoEvent, "item_id" | "value" | "additional_data"> = {}): void => {
      if (now > options.nowMs) return;
      events.push({
        event_id: `demo-${options.seed}-${site}-${name}-${session}-${events.length}`,
        ...(known ? { user_id } : {}),
        anonymous_id,
        session_id,
        event_type,
        timestamp: now,
        context,
        ...fields,
      });
      now += chance.between(3, 40) * 1_000;
    };
    put("page_view");
    for (const item of chainOf(world, chance, { taste, thrifty, liked, bornBeforeMs: now })) {
      if (site === "shop") look(put, chance, item);
      else read(put, chance, item);
    }
  }
  return events;
}

type Put = (event_type: string, fields?: Pick<DemoEvent, "item_id" | "value" | "additional_data">) => void;

function look(put: Put, chance: Chance, item: DemoItem): void {
  const { item_id } = item;
  if (chance.happens(0.05)) put("search", { additional_data: { query: item.tags[0]!.replace("-", " ") } });
  put(chance.happens(0.6) ? "click" : "view", { item_id });
  if (chance.happens(0.45)) put("dwell", { item_id, value: chance.between(4, 60) });
  if (chance.happens(0.08)) put("like", { item_id });
  if (chance.happens(0.03)) put("dismiss", { item_id });
  if (chance.happens(0.14)) {
    put("add_to_cart", { item_id, value: item.price! });
    if (chance.happens(0.4)) put("purchase", { item_id, value: item.price! });
    else if (chance.happens(0.2)) put("remove_from_cart", { item_id });
  }
}

function read(put: Put, chance: Chance, item: DemoItem): void {
  const { item_id } = item;
  put(chance.happens(0.5) ? "click" : "view", { item_id });
  if (chance.happens(0.6)) put("dwell", { item_id, value: chance.between(5, 90) });
  if (chance.happens(0.25)) put("scroll", { item_id, value: chance.between(2, 10) / 10 });
  if (chance.happens(0.07)) put("like", { item_id });
}

/** A walk: it starts with what draws most, stays with the like of what was just seen, and now and then changes the shelf. */
function chainOf(
  world: World,
  chance: Chance,
  walk: { taste: Taste; thrifty: boolean; liked: string; bornBeforeMs: number },
): DemoItem[] {
  const categories = Object.keys(walk.taste);
  const weights = Object.values(walk.taste);
  const seen = new Set<DemoItem>();
  const length = 3 + chance.weighted([3, 3, 3, 2, 2, 1, 1]);
  let category = categories[chance.weighted(weights)]!;
  let last: DemoItem | undefined;
  while (seen.size < length) {
    if (chance.happens(0.1)) category = categories[chance.weighted(weights)]!;
    const shelf = world.byCategory
      .get(category)!
      .filter((item) => !seen.has(item) && Date.parse(item.published_at) <= walk.bornBeforeMs);
    if (shelf.length === 0) break;
    const next =
      shelf[
        chance.weighted(
          shelf.map((item, rank) => {
            let pull = 1 / (rank + 12);
            if (last) pull *= 1 + 4 * item.tags.filter((tag) => last!.tags.includes(tag)).length;
            if (walk.thrifty && item.tags.includes("sale")) pull *= 5;
            if (item.tags.includes(walk.liked)) pull *= 2;
            return pull;
          }),
        )
      ]!;
    seen.add(next);
    last = next;
  }
  return [...seen];
}

/** A moment of the last days, more often recent and at busy hours (UTC), at least a few minutes ago. */
function startOf(chance: Chance, nowMs: number): number {
  const midnight = Math.floor(nowMs / DAY_MS) * DAY_MS;
  const day = Math.min(DAYS - 1, Math.floor(chance.share() * chance.share() * DAYS));
  const start = midnight - day * DAY_MS + chance.weighted(HOURS) * 60 * MINUTE_MS + chance.between(0, 59) * MINUTE_MS;
  return start > nowMs - 20 * MINUTE_MS ? start - DAY_MS : start;
}
