// The program of a shop, the one a new project starts with. Half-lives are the measured ones for retail logs
// (research on yoochoose and otto: popularity 3 d, rules 30 d, neighbours 60 d); thresholds are guesses, to be tuned.
import type { ProgramDocument, SlotDocument } from "./program.ts";

const LOOKS = ["view", "click"];
const theme = (name: string, accent: string, surface: string): object => ({
  attributes: { theme: name },
  variables: { "--attune-accent": accent, "--attune-surface": surface },
});
const hero = (title: string, body: string, action: string, category = ""): object => ({
  text: { title, body, action, category },
});

const heroSlot: SlotDocument = {
  description: "Whoever has shown what they want gets it; for everybody else the page learns which welcome is clicked most.",
  policy: "thompson",
  among: ["welcome", "audio", "outdoor", "home", "books"],
  reward: { events: { click: 1 }, window: "30m" },
  variants: {
    welcome: hero(
      "Things for long evenings and short trips",
      "Look around. The page learns what you like as you go.",
      "See everything",
    ),
    bargain: hero(
      "Good things, smaller prices",
      "You have an eye for a bargain. These are reduced today.",
      "See the offers",
    ),
    audio: hero(
      "Hear the room again",
      "Speakers, turntables and headphones for quiet listeners.",
      "Go to audio",
      "audio",
    ),
    outdoor: hero(
      "Weather is an invitation",
      "Bikes, tents and jackets for days that begin early.",
      "Go to camping",
      "camping",
    ),
    home: hero(
      "A room that answers back",
      "Chairs, lamps and pots for a home you like to come back to.",
      "Go to lamps",
      "lamps",
    ),
    books: hero(
      "One more chapter",
      "New fiction, essays and cookbooks on the table by the window.",
      "Go to books",
      "books",
    ),
    returning: hero(
      "Good to see you again",
      "We kept the shelf as you left it, and put what is new in front.",
      "See what is new",
    ),
    buyer: hero("Your cart is still here", "Delivery is free today if you finish what you started.", "Keep going"),
  },
  rules: [
    { when: 'in_segment("interested_buyer") || in_segment("cart_waiting")', variant: "buyer" },
    { when: 'in_segment("bargain_hunter")', variant: "bargain" },
    { when: 'in_segment("audiophile")', variant: "audio" },
    { when: 'in_segment("outdoor")', variant: "outdoor" },
    { when: 'in_segment("bookworm")', variant: "books" },
    { when: 'in_segment("home_maker")', variant: "home" },
    { when: 'in_segment("returning_visitor")', variant: "returning" },
  ],
  default: "welcome",
};

const themeSlot: SlotDocument = {
  policy: "rules",
  variants: {
    aurora: theme("aurora", "#2f6f73", "#f6f8f7"),
    ember: theme("ember", "#b3401f", "#fdf6f2"),
    midnight: theme("midnight", "#5b4bb5", "#f5f4fb"),
    forest: theme("forest", "#2f6b3c", "#f4f8f3"),
    clay: theme("clay", "#96502f", "#fbf6f1"),
    ink: theme("ink", "#27446e", "#f4f6fa"),
    gold: theme("gold", "#84620f", "#fbf8ef"),
  },
  rules: [
    { when: 'in_segment("returning_buyer")', variant: "gold" },
    { when: 'in_segment("bargain_hunter")', variant: "ember" },
    { when: 'in_segment("audiophile")', variant: "midnight" },
    { when: 'in_segment("outdoor")', variant: "forest" },
    { when: 'in_segment("bookworm")', variant: "ink" },
    { when: 'in_segment("home_maker")', variant: "clay" },
  ],
  default: "aurora",
};

const layoutSlot: SlotDocument = {
  policy: "rules",
  variants: {
    comfortable: { attributes: { layout: "comfortable" } },
    compact: { attributes: { layout: "compact" } },
    gallery: { attributes: { layout: "gallery" } },
  },
  rules: [
    { when: 'in_segment("bargain_hunter") || features.frequency >= 30', variant: "compact" },
    { when: 'in_segment("premium_taste") || in_segment("audiophile")', variant: "gallery" },
  ],
  default: "comfortable",
};

const typeSlot: SlotDocument = {
  policy: "rules",
  variants: { normal: { attributes: { type: "normal" } }, large: { attributes: { type: "large" } } },
  rules: [{ when: "attributes.large_text == true", variant: "large" }],
  default: "normal",
};

const offerSlot: SlotDocument = {
  policy: "rules",
  variants: {
    none: {},
    free_delivery: { text: { title: "Free delivery", body: "on what is in your cart, until tonight." } },
    ten_percent: { text: { title: "Ten percent more", body: "off everything that is reduced already." } },
    early_access: { text: { title: "Early access", body: "See the new arrivals a day before everybody else." } },
  },
  rules: [
    { when: 'in_segment("interested_buyer") || in_segment("cart_waiting")', variant: "free_delivery" },
    { when: 'in_segment("returning_buyer")', variant: "early_access" },
    { when: 'in_segment("bargain_hunter")', variant: "ten_percent" },
  ],
  default: "none",
};

export const shopProgram: ProgramDocument = {
  name: "shop",
  description: "A shop: from browsing to buying, with offers for those who hesitate.",
  events: {
    page_view: { weight: 0.2 },
    view: { weight: 1 },
    click: { weight: 1 },
    scroll: { weight: 0.1 },
    hover: { weight: 0.1 },
    mouse_move: { weight: 0 },
    dwell: { weight: 0.5 },
    search: { weight: 0.5 },
    add_to_cart: { weight: 5 },
    remove_from_cart: { weight: -2 },
    purchase: { weight: 10 },
    like: { weight: 4 },
    dislike: { weight: -3 },
    dismiss: { weight: -2 },
    impression: { weight: 0 },
    rating: { weight: 2 },
  },
  interests: { by: ["categories", "tags"], half_life: "14d" },
  features: {
    looks: { kind: "count", event: LOOKS, window: "7d" },
    sale_looks: { kind: "count", event: [...LOOKS, "add_to_cart"], window: "1d", where: '"sale" in event.item.tags' },
    premium_looks: {
      kind: "count",
      event: [...LOOKS, "add_to_cart"],
      window: "7d",
      where: '"premium" in event.item.tags',
    },
    purchases: { kind: "count", event: "purchase" },
    spent: { kind: "sum", event: "purchase", of: "value" },
    price_level: { kind: "mean", event: LOOKS, of: "item.price", window: "7d" },
    long_dwells: { kind: "count", event: "dwell", window: "1d", where: "event.value >= 20" },
    last_search: { kind: "last", event: "search", of: "additional_data.query" },
  },
  segments: {
    new_visitor: {
      when: "features.interactions < 5 && features.purchases == 0",
      description: "Has hardly begun to look around",
    },
    returning_visitor: { when: "!session.is_new", description: "Came back after an earlier visit" },
    browsing: {
      when: 'features.interactions >= 5 && count("add_to_cart", "1d") == 0',
      description: "Looks around and puts nothing into the cart",
    },
    engaged: { when: "features.engagement >= 15", description: "A lot of interest of late; fades without visits" },
    interested_buyer: {
      when: 'count("view", "30m") + count("click", "30m") >= 3 && count("add_to_cart", "30m") >= 1 && count("purchase", "30m") == 0',
      description: "Three product views and a cart without a purchase within 30 minutes",
    },
    cart_waiting: {
      when: 'since("add_to_cart") > 2 * 60 && since("add_to_cart") < 86400 && since("purchase") > since("add_to_cart")',
      description: "Something has been in the cart for two minutes",
    },
    cart_abandoner: {
      when: 'since("add_to_cart") >= 30 * 60 && since("add_to_cart") < 7 * 86400 && since("purchase") > since("add_to_cart")',
      description: "Left the cart behind half an hour ago or longer",
    },
    recent_converter: { when: 'since("purchase") < 30 * 86400', description: "Bought within the last 30 days" },
    returning_buyer: {
      when: 'features.purchases >= 2 && since("purchase") < 90 * 86400',
      description: "Bought more than once",
    },
    big_spender: { when: "features.spent > 500", description: "Has spent more than 500 in all" },
    lapsed: {
      when: 'features.purchases >= 1 && since("purchase") >= 7 * 86400',
      description: "No purchase for 7 days",
    },
    bargain_hunter: { when: "features.sale_looks >= 3", description: "Looked at three or more reduced things today" },
    premium_taste: { when: "features.premium_looks >= 3", description: "Looks at what is best in its kind" },
    audiophile: { when: 'interest("audio") > 0.45 && features.looks >= 3' },
    outdoor: { when: 'interest("bikes") + interest("camping") + interest("jackets") > 0.5 && features.looks >= 3' },
    home_maker: {
      when: 'interest("chairs") + interest("lamps") + interest("kitchen") + interest("plants") > 0.6 && features.looks >= 3',
    },
    bookworm: { when: 'interest("books") > 0.4 && features.looks >= 3' },
    careful_reader: { when: "features.long_dwells >= 2", description: "Takes time to read about things" },
    on_the_phone: { when: 'context.device == "mobile"' },
  },
  triggers: {
    long_look: { when: 'event.event_type == "dwell" && event.value > 30 && has(event.item_id)', push: true },
    strong_interest: {
      when: 'event.event_type in ["view", "click", "like", "add_to_cart"] && features.looks >= 4 && event.item.categories.exists(c, interest(c) > 0.5)',
      once_per: "session",
      push: true,
    },
    cart_reminder: {
      when: 'event.event_type in ["page_view", "view", "click", "scroll"] && in_segment("cart_waiting")',
      once_per: "session",
      push: true,
    },
    cart_hesitation: {
      when: 'event.event_type == "remove_from_cart" && count("add_to_cart", "30m") >= 1',
      once_per: "10m",
      push: true,
    },
    thank_you: { when: 'event.event_type == "purchase"', once_per: "1m", push: true },
  },
  placements: {
    home: {
      limit: 20,
      diversity: 0.04,
      filter: "item.available",
      exclude: ["purchased", "dismissed"],
      boost: [
        { when: "interest(item.categories[0]) > 0.25", by: 4 },
        { when: 'in_segment("bargain_hunter") && "sale" in item.tags', by: 1.4 },
        { when: 'in_segment("premium_taste") && "premium" in item.tags', by: 1.2 },
        { when: '"new" in item.tags', by: 1.05 },
      ],
    },
    category: { limit: 24, filter: "item.available", exclude: ["dismissed"] },
    product: { limit: 12, diversity: 0.1, filter: "item.available", exclude: ["purchased", "dismissed"] },
    cart: {
      limit: 8,
      diversity: 0.3,
      filter: "item.available",
      exclude: ["purchased", "dismissed"],
      boost: [{ when: "item.price < features.price_level", by: 1.2 }],
    },
    product_varied: { limit: 12, diversity: 0.4, filter: "item.available", exclude: ["purchased", "dismissed"] },
    search: { limit: 24, filter: "item.available" },
    hero: { limit: 3, diversity: 0.5, filter: "item.available", exclude: ["purchased", "seen", "dismissed"] },
  },
  slots: { hero: heroSlot, theme: themeSlot, layout: layoutSlot, type: typeSlot, offer: offerSlot },
  experiments: {
    varied_products: {
      description: "Do visitors put more into the cart when what is shown beside a product is more varied?",
      variants: { as_is: {}, varied: { placements: { product: "product_varied" } } },
      metrics: {
        cart: { kind: "conversion", event: "add_to_cart" },
        bought: { kind: "conversion", event: "purchase" },
        revenue: { kind: "revenue", max: 2_000 },
        time_on_site: { kind: "time_on_site", max: 7_200 },
      },
      guards: [{ metric: "cart", worse_by: 0.2 }],
      window: "7d",
    },
  },
  models: {
    popularity: { half_life: "3d" },
    cosine: { half_life: "30d" },
    knn: { half_life: "60d" },
    repeats: { enabled: true },
    content: { enabled: true },
    // What others say already, measured on shops (docs/decisions/models.md): lists are cheaper and no worse without them.
    rules: { half_life: "30d", enabled: false },
    recent: { enabled: false },
  },
  learning: { share: 1, max_per_second: 100 },
};
