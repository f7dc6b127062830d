// A plan of the size that a shop's program has, for tests, vectors and measurements.
import type { LoggedEvent } from "../event/event.ts";
import type { FeaturePlan, FoldPlan, WindowPlan } from "../profile/plan.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const window = (measure: "count" | "sum", types: string[] | null, windowMs: number): WindowPlan => ({
  key: `${measure}|${types?.join(",") ?? "*"}|${windowMs}`, measure, types, windowMs,
});

const feature = (plan: Pick<FeaturePlan, "name" | "kind"> & Partial<FeaturePlan>): FeaturePlan => ({
  ...{ types: null, read: null, windowMs: null, halfLifeMs: null, where: null },
  ...{ key: JSON.stringify(plan), earlierKey: JSON.stringify(plan) },
  ...plan,
});

const priceOf = (event: LoggedEvent): number | undefined => event.item?.price;

export const shopLikePlan: FoldPlan = {
  key: "shop-like",
  weights: new Map([
    ["page_view", 0.2], ["view", 1], ["click", 1], ["search", 0.5], ["add_to_cart", 3], ["remove_from_cart", -2],
    ["purchase", 5], ["like", 3], ["dislike", -3], ["dismiss", -2], ["rating", 3], ["dwell", 0.5],
  ]),
  interests: { categories: true, tags: true, halfLifeMs: 3 * DAY },
  windows: [
    window("count", ["view"], 30 * MINUTE), window("count", ["view"], DAY), window("count", ["view"], 7 * DAY),
    window("count", ["click"], 5 * MINUTE), window("count", ["add_to_cart"], 30 * MINUTE),
    window("count", ["purchase"], 30 * MINUTE), window("count", ["purchase"], 30 * DAY),
    window("sum", ["purchase"], 30 * DAY), window("sum", ["dwell"], 10 * MINUTE), window("count", null, HOUR),
  ],
  features: [
    feature({ name: "views", kind: "count", types: ["view"] }),
    feature({ name: "spent_30d", kind: "sum", types: ["purchase"], windowMs: 30 * DAY, read: (event) => event.value }),
    feature({ name: "mean_price", kind: "mean", types: ["view", "add_to_cart"], read: priceOf }),
    feature({ name: "items_7d", kind: "distinct", types: ["view"], windowMs: 7 * DAY, read: (event) => event.item_id }),
    feature({ name: "heat", kind: "decayed", types: null, halfLifeMs: HOUR }),
    feature({ name: "max_price_1d", kind: "max", types: ["view"], windowMs: DAY, read: priceOf }),
    feature({
      name: "last_category", kind: "last", types: ["view", "purchase"], read: (event) => event.item?.categories[0],
      where: (event) => (event.item?.price ?? 0) >= 0,
    }),
  ],
  sequences: [{ key: "view>add_to_cart", first: "view", second: "add_to_cart", windowMs: 30 * MINUTE }],
  keeps: { shown: false, bought: false },
};

/** The same of a program whose placements cap frequency and remember purchases. */
export const keepingPlan: FoldPlan = { ...shopLikePlan, key: "keeping", keeps: { shown: true, bought: true } };

/** The same without windows, features and sequences. */
export const barePlan: FoldPlan = { ...shopLikePlan, key: "bare", windows: [], features: [], sequences: [] };
