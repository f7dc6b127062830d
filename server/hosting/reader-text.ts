// Why an item is in a list, in one short sentence for whoever reads the list. English; a site's own language comes later.
import type { EventContext } from "../../core/event/event.ts";
import type { Item } from "../../core/item/item.ts";
import { isDemographic } from "../../core/model/facets.ts";
import { localTime } from "../../core/profile/local-time.ts";
import { interestShares } from "../../core/profile/reading.ts";
import type { PersonState, RecentItem } from "../../core/profile/state.ts";
import type { Reason } from "../../core/rank/query.ts";
import type { Recommender } from "../../core/rank/recommender.ts";

export interface ReaderSituation {
  /** Newest first. */
  readonly recent: readonly Pick<RecentItem, "item_id" | "event_type">[];
  readonly interests: readonly (readonly [name: string, share: number])[];
  readonly context: EventContext;
  readonly nowMs: number;
  readonly itemOf: (itemId: string) => Item | undefined;
}

export type ReaderTexts = (itemId: string, reasons: readonly Reason[]) => string;

/** Texts for the lists of one visitor as he is now. */
export function textsFor(
  person: PersonState | undefined,
  context: EventContext,
  { recommender, nowMs }: { recommender: Recommender; nowMs: number },
): ReaderTexts {
  const situation: ReaderSituation = {
    recent: person?.recent ?? [],
    interests: person === undefined ? [] : interestShares(person),
    context,
    nowMs,
    itemOf: (itemId) => recommender.item(itemId),
  };
  return (itemId, reasons) => readerText(itemId, reasons, situation);
}

const TITLE_CHARS_MAX = 60;
const GRAPHEMES = new Intl.Segmenter("und", { granularity: "grapheme" });

const ALONE: Readonly<Record<string, string>> = {
  popularity: "Popular now",
  popular: "Popular now",
  steady: "A lasting favourite",
  rules: "Often opened next",
  next: "Often opened next",
  recent: "Often opened next",
  cosine: "Goes well with what you looked at",
  knn: "Visitors like you opened it",
  background: "Fits what you like",
  factors: "Fits what you like",
  walk: "Visitors like you opened it",
  content: "Fits your interests",
  newest: "Just in",
  other: "More to discover",
  exploration: "New here",
  pinned: "Featured",
};

/** Never empty, and true: an own item that is named is the visitor's own. */
export function readerText(itemId: string, reasons: readonly Reason[], situation: ReaderSituation): string {
  const heaviest = reasons[0];
  if (heaviest === undefined) return ALONE["popular"]!;
  if (heaviest.source === "repeats") return "You looked at this before";
  for (const { because } of reasons) {
    const own = because.find((id) => id !== itemId && titleOf(situation.itemOf(id)) !== undefined);
    if (own !== undefined) return becauseOf(own, situation);
  }
  if (heaviest.source === "trend") return `Rising ${timeOfDay(situation)}`;
  if (heaviest.crowds !== undefined) return crowdText(reasons.flatMap(({ crowds = [] }) => crowds), situation);
  if (heaviest.source === "content") {
    const shared = sharedInterest(situation.itemOf(itemId), situation);
    if (shared !== undefined) return `Fits your interest in ${shared.replaceAll("_", " ")}`;
  }
  return ALONE[heaviest.source] ?? "Picked for you";
}

function becauseOf(itemId: string, { recent, itemOf }: ReaderSituation): string {
  const item = itemOf(itemId);
  const title = titleOf(item)!;
  // What he did with it that says most, as long as it holds: of what can be taken back the newest word counts.
  const done = recent.filter((entry) => entry.item_id === itemId).map(({ event_type }) => event_type);
  const newestOf = (...types: string[]): string | undefined => done.find((type) => types.includes(type));
  if (done.includes("purchase")) return `Because you bought ${title}`;
  if (newestOf("like", "dislike", "dismiss") === "like") return `Because you liked ${title}`;
  if (newestOf("add_to_cart", "remove_from_cart") === "add_to_cart") return `Because ${title} is in your cart`;
  // What has a date of publication and no price is read.
  return `Because you ${item?.published_at !== undefined && item.price === undefined ? "read" : "looked at"} ${title}`;
}

function crowdText(crowds: readonly string[], situation: ReaderSituation): string {
  const values = new Map<string, string>();
  for (const crowd of crowds) values.set(crowd.slice(0, crowd.indexOf(":")), crowd.slice(crowd.indexOf(":") + 1));
  const country = nameOf("region", values.get("country")?.toUpperCase());
  const language = nameOf("language", values.get("language"));
  const device = values.get("device");
  const when = values.has("daypart") ? ` ${timeOfDay(situation)}` : "";
  if (country !== undefined) return `Popular in ${country}${when}`;
  if (crowds.some(isDemographic)) return "Popular with people like you";
  if (language !== undefined) return `Popular with speakers of ${language}${when}`;
  if (when !== "") return `Popular${when}`;
  if (device !== undefined) return device === "mobile" ? "Popular on phones" : `Popular on ${device}s`;
  return ALONE["popular"]!;
}

function timeOfDay({ context, nowMs }: ReaderSituation): string {
  const hour = hourInZone(context.timezone, nowMs) ?? localTime(context.timezone, nowMs).hour;
  return hour >= 4 && hour < 12 ? "this morning" : hour >= 12 && hour < 17 ? "today" : "tonight";
}

/** Of the zone that was asked for last: to make one takes 70 µs, and a list asks for the same one at each item. */
let zoneClock: { readonly zone: string; readonly format: Intl.DateTimeFormat | undefined } | undefined;

/** The hour in a named zone, which the core takes for UTC; undefined for an offset, and for what is no zone. */
function hourInZone(timezone: string | undefined, nowMs: number): number | undefined {
  if (timezone === undefined || !timezone.includes("/")) return undefined;
  if (zoneClock?.zone !== timezone) zoneClock = { zone: timezone, format: hoursOf(timezone) };
  return zoneClock.format === undefined ? undefined : Number(zoneClock.format.format(nowMs));
}

function hoursOf(timeZone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat("en", { hour: "2-digit", hourCycle: "h23", timeZone });
  } catch {
    return undefined; // A RangeError: no such zone.
  }
}

function sharedInterest(item: Item | undefined, { interests }: ReaderSituation): string | undefined {
  if (item === undefined) return undefined;
  const own = new Set([...item.categories, ...item.tags]);
  let best: readonly [name: string, share: number] | undefined;
  for (const entry of interests) if (own.has(entry[0]) && (best === undefined || entry[1] > best[1])) best = entry;
  return best?.[0];
}

function titleOf(item: Item | undefined): string | undefined {
  const title = item?.title?.trim();
  if (title === undefined || title === "") return undefined;
  if (title.length <= TITLE_CHARS_MAX) return title;
  // Between what readers see as characters: half an emoji is a box, and a flag without its end another one.
  let end = 0;
  for (const { index, segment } of GRAPHEMES.segment(title.slice(0, TITLE_CHARS_MAX * 2))) {
    if (index + segment.length >= TITLE_CHARS_MAX) break;
    end = index + segment.length;
  }
  return `${title.slice(0, end).trimEnd()}…`;
}

/** The English name of a country or a language; undefined for codes that are none. */
function nameOf(type: "region" | "language", code: string | undefined): string | undefined {
  if (code === undefined) return undefined;
  try {
    const name = new Intl.DisplayNames("en", { type, fallback: "none" }).of(code);
    const needsArticle = type === "region" && /^(United|Netherlands|Philippines|Bahamas|Maldives)/.test(name ?? "");
    return needsArticle ? `the ${name}` : name;
  } catch {
    return undefined;
  }
}
