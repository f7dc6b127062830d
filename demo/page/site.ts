// The two sites: their words, shelves and the visitors that one can become.
import type { CatalogueItem } from "../../sdk/index.ts";

export type SiteName = "shop" | "news";

/** One step of a shortcut: what is done to which item. */
export interface Step {
  event: "click" | "view" | "like" | "add_to_cart" | "purchase" | "dwell" | "search";
  /** Which item; the first unused one in the order of the page. */
  of?: (item: CatalogueItem) => boolean;
  /** Seconds for `dwell`. */
  value?: number;
  query?: string;
}

export interface Shortcut {
  name: string;
  label: string;
  hint: string;
  steps: readonly Step[];
}

export interface SiteWords {
  name: SiteName;
  brand: string;
  project: string;
  /** What a click on a card says about it. */
  acted: string;
  save: { on: string; off: string };
  heading: string;
  sub: string;
  /** The same in few words, for a phone. */
  invite: string;
  all: string;
  /** How many a search has found. */
  found: (hits: number) => string;
  categories: Readonly<Record<string, string>>;
  shortcuts: readonly Shortcut[];
  /** Hero picture where no variant names a category. */
  heroItems: readonly string[];
  /** And the numbers of the items where one does. */
  heroNumbers: readonly string[];
}

const inCategory =
  (...names: string[]) =>
  (item: CatalogueItem): boolean =>
    names.includes(item.categories[0] ?? "");
const tagged =
  (tag: string) =>
  (item: CatalogueItem): boolean =>
    item.tags.includes(tag);
/** Three looks at reduced things make a bargain hunter, whose look comes before any other taste's. */
const inCategoryAtFullPrice =
  (name: string) =>
  (item: CatalogueItem): boolean =>
    item.categories[0] === name && !item.tags.includes("sale");
const clicks = (count: number, of: (item: CatalogueItem) => boolean): Step[] =>
  Array.from({ length: count }, () => ({ event: "click", of }));

export const SITES: Readonly<Record<SiteName, SiteWords>> = {
  shop: {
    name: "shop",
    brand: "Nordlys",
    project: "default",
    acted: "Looked at",
    save: { on: "Liked", off: "Like" },
    heading: "Picked for you",
    sub: "Click anything: the shelf follows",
    invite: "Tap a card to begin",
    all: "Everything",
    found: (hits) => (hits === 1 ? "1 product" : `${hits} products`),
    categories: {
      chairs: "Chairs",
      lamps: "Lamps",
      kitchen: "Kitchen",
      plants: "Plants",
      books: "Books",
      audio: "Audio",
      shoes: "Shoes",
      jackets: "Jackets",
      bags: "Bags",
      watches: "Watches",
      bikes: "Bikes",
      camping: "Camping",
    },
    heroItems: ["chairs-02", "lamps-05", "plants-03"],
    heroNumbers: ["01", "13", "20"],
    shortcuts: [
      {
        name: "bargain_hunter",
        label: "Bargain hunter",
        hint: "Looks at five reduced things and takes one",
        steps: [
          { event: "search", query: "sale" },
          ...clicks(5, tagged("sale")),
          { event: "add_to_cart", of: tagged("sale") },
        ],
      },
      {
        name: "audiophile",
        label: "Audiophile",
        hint: "Listens around: five looks and a like in Audio",
        steps: [...clicks(5, inCategoryAtFullPrice("audio")), { event: "like", of: inCategoryAtFullPrice("audio") }],
      },
      {
        name: "outdoor",
        label: "Outdoor type",
        hint: "Bikes, tents and jackets",
        steps: [
          ...clicks(2, inCategoryAtFullPrice("camping")),
          ...clicks(2, inCategoryAtFullPrice("bikes")),
          ...clicks(2, inCategoryAtFullPrice("jackets")),
          { event: "like", of: inCategoryAtFullPrice("camping") },
        ],
      },
      {
        name: "returning_buyer",
        label: "Returning buyer",
        hint: "Buys twice",
        steps: [
          ...clicks(1, inCategory("lamps")),
          { event: "add_to_cart", of: inCategory("lamps") },
          { event: "purchase", of: inCategory("lamps") },
          ...clicks(1, inCategory("chairs")),
          { event: "add_to_cart", of: inCategory("chairs") },
          { event: "purchase", of: inCategory("chairs") },
        ],
      },
    ],
  },
  news: {
    name: "news",
    brand: "The Lantern",
    project: "news",
    acted: "Opened",
    save: { on: "Saved", off: "Save" },
    heading: "Your front page",
    sub: "Click any story: the page follows. “Read on” opens it",
    invite: "Tap a story to begin",
    all: "All sections",
    found: (hits) => (hits === 1 ? "1 story" : `${hits} stories`),
    categories: {
      science: "Science",
      technology: "Technology",
      climate: "Climate",
      business: "Business",
      culture: "Culture",
      sport: "Sport",
      health: "Health",
      travel: "Travel",
      food: "Food",
      cities: "Cities",
    },
    heroItems: ["science-01", "travel-01", "climate-01"],
    heroNumbers: ["01", "05", "09"],
    shortcuts: [
      {
        name: "science_reader",
        label: "Science reader",
        hint: "Opens five science stories",
        steps: [...clicks(4, inCategory("science")), { event: "like", of: inCategory("science") }],
      },
      {
        name: "sport_fan",
        label: "Sport fan",
        hint: "Follows the matches",
        steps: [...clicks(4, inCategory("sport")), { event: "like", of: inCategory("sport") }],
      },
      {
        name: "deep_reader",
        label: "Deep reader",
        hint: "Stays with three long stories",
        steps: Array.from({ length: 3 }, (): Step[] => [
          { event: "view", of: tagged("longread") },
          { event: "dwell", of: tagged("longread"), value: 45 },
        ]).flat(),
      },
      {
        name: "headline_skimmer",
        label: "Headline skimmer",
        hint: "Eight headlines in a row",
        steps: clicks(8, () => true),
      },
    ],
  },
};

/** `cart_waiting` → `Cart waiting`. */
export const wordsOf = (name: string): string => {
  const words = name.replaceAll(/[_-]/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
};

/** Whole euros without a fraction; a price with cents keeps both of them. */
export const money = (amount: number): string => {
  const digits = Number.isInteger(amount) ? 0 : 2;
  return `€${amount.toLocaleString("en-IE", { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
};

/** `★ 4.3`; undefined where nobody has rated the item. */
export const starsOf = ({ attributes }: CatalogueItem): string | undefined => {
  const rating = attributes?.["rating"];
  return typeof rating === "number" ? `★ ${rating.toFixed(1)}` : undefined;
};

/** What a reduced item cost before. */
export const wasPrice = ({ attributes }: CatalogueItem): number | undefined => {
  const was = attributes?.["was_price"];
  return typeof was === "number" ? was : undefined;
};

/** `−19%` */
export const cutWords = ({ price = 0 }: CatalogueItem, was: number): string =>
  `−${Math.round(100 - (100 * price) / was)}%`;
