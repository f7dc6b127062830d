// The program of a newsroom. News ages in minutes: half-lives are the measured ones for a news log (research on
// globo: popularity 15 min, rules 12 h, neighbours 1 d); thresholds are guesses, to be tuned.
import type { ProgramDocument, SlotDocument } from "./program.ts";

const READS = ["view", "click"];
const hero = (title: string, body: string, action: string, category = ""): object => ({
  text: { title, body, action, category },
});
const theme = (name: string, accent: string, surface: string): object => ({
  attributes: { theme: name },
  variables: { "--attune-accent": accent, "--attune-surface": surface },
});

const heroSlot: SlotDocument = {
  policy: "rules",
  variants: {
    welcome: hero("The day, in your order", "Open what interests you; the front page follows.", "All sections"),
    science: hero("What we learned today", "From the deep sea to the early universe.", "Go to science", "science"),
    technology: hero(
      "Machines and those who build them",
      "Chips, models and the people behind them.",
      "Go to technology",
      "technology",
    ),
    sport: hero("Final whistles", "Results, and how they came about.", "Go to sport", "sport"),
    culture: hero("Seen, heard, read", "Films, records and books of the week.", "Go to culture", "culture"),
    climate: hero("A warming world", "What changes, and what is done about it.", "Go to climate", "climate"),
  },
  rules: [
    { when: 'in_segment("climate_reader")', variant: "climate" },
    { when: 'in_segment("science_reader")', variant: "science" },
    { when: 'in_segment("tech_reader")', variant: "technology" },
    { when: 'in_segment("sport_fan")', variant: "sport" },
    { when: 'in_segment("culture_reader")', variant: "culture" },
  ],
  default: "welcome",
};

const themeSlot: SlotDocument = {
  policy: "rules",
  variants: {
    paper: theme("paper", "#7a2e1d", "#fbf9f4"),
    lab: theme("lab", "#1f5f8b", "#f3f7fa"),
    neon: theme("neon", "#6a3fb0", "#f6f3fb"),
    pitch: theme("pitch", "#2c6a34", "#f3f8f3"),
    stage: theme("stage", "#96344f", "#fbf4f6"),
    meadow: theme("meadow", "#4b6a1c", "#f7f9f1"),
  },
  rules: [
    { when: 'in_segment("climate_reader")', variant: "meadow" },
    { when: 'in_segment("science_reader")', variant: "lab" },
    { when: 'in_segment("tech_reader")', variant: "neon" },
    { when: 'in_segment("sport_fan")', variant: "pitch" },
    { when: 'in_segment("culture_reader")', variant: "stage" },
  ],
  default: "paper",
};

const layoutSlot: SlotDocument = {
  policy: "rules",
  variants: {
    front: { attributes: { layout: "front" } },
    digest: { attributes: { layout: "digest" } },
    magazine: { attributes: { layout: "magazine" } },
  },
  rules: [
    { when: 'in_segment("deep_reader")', variant: "magazine" },
    { when: 'in_segment("headline_skimmer")', variant: "digest" },
  ],
  default: "front",
};

const typeSlot: SlotDocument = {
  policy: "rules",
  variants: { normal: { attributes: { type: "normal" } }, large: { attributes: { type: "large" } } },
  rules: [{ when: 'attributes.large_text == true || in_segment("deep_reader")', variant: "large" }],
  default: "normal",
};

export const newsProgram: ProgramDocument = {
  name: "news",
  description: "A newsroom: fresh stories first, in the order of what a reader cares about.",
  events: {
    page_view: { weight: 0.2 },
    view: { weight: 1 },
    click: { weight: 1 },
    scroll: { weight: 0.2 },
    hover: { weight: 0.1 },
    mouse_move: { weight: 0 },
    dwell: { weight: 0.6 },
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
  interests: { by: ["categories", "tags"], half_life: "3d" },
  features: {
    reads: { kind: "count", event: READS, window: "7d" },
    longreads: { kind: "count", event: READS, window: "7d", where: '"longread" in event.item.tags' },
    long_dwells: { kind: "count", event: "dwell", window: "7d", where: "event.value >= 20" },
    short_dwells: { kind: "count", event: "dwell", window: "1d", where: "event.value < 8" },
    morning_reads: { kind: "count", event: READS, window: "14d", where: "event.hour >= 5 && event.hour < 11" },
    sections: { kind: "distinct", event: READS, of: "item.category", window: "7d" },
    reading_time: { kind: "decayed", event: "dwell", of: "value", half_life: "1d" },
  },
  segments: {
    new_reader: { when: "features.reads < 3", description: "Has opened two stories at most this week" },
    regular: { when: "features.reads >= 8", description: "Eight stories or more this week" },
    news_junkie: {
      when: 'count("view", "1d") + count("click", "1d") >= 25 || features.frequency >= 12',
      description: "Reads more than there is time for",
    },
    morning_reader: {
      when: "features.morning_reads >= 3",
      description: "Three stories or more before eleven, by the reader's own clock",
    },
    returning_reader: { when: "!session.is_new" },
    lapsed_reader: {
      when: "features.interactions > 0 && features.recency_s >= 7 * 86400",
      description: "No story for a week",
    },
    deep_reader: {
      when: "features.long_dwells >= 2 || features.longreads >= 2",
      description: "Stays with long stories",
    },
    headline_skimmer: {
      when: 'count("view", "10m") + count("click", "10m") >= 6 && features.long_dwells == 0',
      description: "Opens a lot in ten minutes and stays with none",
    },
    wide_reader: { when: "features.sections >= 5", description: "Reads across five sections or more" },
    science_reader: { when: 'interest("science") > 0.4 && features.reads >= 3' },
    tech_reader: { when: 'interest("technology") > 0.4 && features.reads >= 3' },
    climate_reader: { when: 'interest("climate") > 0.4 && features.reads >= 3' },
    sport_fan: { when: 'interest("sport") > 0.4 && features.reads >= 3' },
    culture_reader: { when: 'interest("culture") > 0.4 && features.reads >= 3' },
    business_reader: { when: 'interest("business") > 0.4 && features.reads >= 3' },
    gourmet: { when: 'interest("food") + interest("travel") > 0.5 && features.reads >= 3' },
    on_the_phone: { when: 'context.device == "mobile"' },
  },
  triggers: {
    long_read: { when: 'event.event_type == "dwell" && event.value > 30 && has(event.item_id)', push: true },
    hot_topic: {
      when: 'event.event_type in ["view", "click", "like"] && features.reads >= 4 && event.item.categories.exists(c, interest(c) > 0.5)',
      once_per: "session",
      push: true,
    },
    subscribe_offer: {
      when: 'event.event_type in ["view", "click"] && features.reads >= 15',
      once_per: "7d",
      push: true,
    },
  },
  placements: {
    home: {
      limit: 20,
      diversity: 0.05,
      exclude: ["seen", "dismissed"],
      boost: [
        { when: "interest(item.categories[0]) > 0.25", by: 1.6 },
        { when: '"breaking" in item.tags', by: 1.3 },
        { when: "item.age_s > 3 * 86400", by: 0.7 },
        { when: 'in_segment("deep_reader") && "longread" in item.tags', by: 1.25 },
      ],
    },
    article: {
      limit: 8,
      diversity: 0.15,
      exclude: ["seen", "dismissed"],
      boost: [{ when: "item.age_s > 3 * 86400", by: 0.8 }],
    },
    section: { limit: 24, exclude: ["dismissed"] },
    search: { limit: 24 },
    hero: { limit: 1, exclude: ["seen", "dismissed"] },
  },
  slots: { hero: heroSlot, theme: themeSlot, layout: layoutSlot, type: typeSlot },
  models: {
    popularity: { half_life: "15m" },
    rules: { half_life: "12h", enabled: false },
    cosine: { half_life: "1d", row_max: 40 },
    knn: { half_life: "1d", neighbours: 100, sessions_per_item: 100 },
    repeats: { enabled: false },
    content: { enabled: true },
  },
  learning: { share: 1, max_per_second: 100 },
};
