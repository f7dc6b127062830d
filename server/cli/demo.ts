// Fills an empty project with the demo's catalogue and its seeded visitors, so that the first page is a warm one.
import type { Logger } from "pino";
import { DEMO_SEED, DEMO_VISITORS, demoCatalogue, demoVisits } from "../../demo/warm.ts";
import { normaliseEvent } from "../../core/event/validate.ts";
import type { LoggedEvent } from "../../core/event/event.ts";
import { rngFrom } from "../../core/math/rng.ts";
import { normaliseItem } from "../../core/item/validate.ts";
import type { Item } from "../../core/item/item.ts";
import type { Project } from "../ports.ts";
import { DEFAULT_PROJECT, NEWS_PROJECT } from "./node.ts";

const SITES = { [DEFAULT_PROJECT]: "shop", [NEWS_PROJECT]: "news" } as const;
const EVENTS_A_SUBMISSION = 1_000;

export async function warmDemo(projects: ReadonlyMap<string, Project>, logger: Logger): Promise<void> {
  for (const [name, site] of Object.entries(SITES)) {
    const project = projects.get(name);
    if (project === undefined || project.stats().itemsTotal > 0) continue;
    await project.putItems(
      demoCatalogue(site).map((raw): Item => {
        const result = normaliseItem(raw);
        if ("item" in result) return result.item;
        throw new Error(`demo item: ${result.rejected.path} ${result.rejected.message}`);
      }),
    );
    const events = demoVisits(site, { seed: DEMO_SEED, nowMs: Date.now(), visitors: DEMO_VISITORS }).map(
      (raw): LoggedEvent => {
        const options = { receivedAtMs: Date.now(), eventTypes: project.eventTypes, anyAge: true };
        const result = normaliseEvent(raw, { ...options, newEventId: () => "" });
        if ("rejected" in result) throw new Error(`demo event: ${result.rejected.path} ${result.rejected.message}`);
        return { ...result.event, received_at: options.receivedAtMs };
      },
    );
    for (let start = 0; start < events.length; start += EVENTS_A_SUBMISSION) {
      await project.submit({ events: events.slice(start, start + EVENTS_A_SUBMISSION), deadLetters: [] });
    }
    const shown = site === "shop" ? await showDecisions(project, Date.now()) : 0;
    logger.info({ project: name, events: events.length, shown }, "the demo's visitors have been here");
  }
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/**
 * How many of a hundred visitors click each hero, and put something into the cart beside each kind of list: made up.
 */
const HERO_CLICKS: Readonly<Record<string, number>> = { welcome: 6, audio: 9, outdoor: 8, home: 16, books: 10 };
const CARTS: Readonly<Record<string, number>> = { as_is: 14, varied: 22 };
const VISITS_SHOWN = 800;
/** What came of these is learnt before the next ones are asked for. */
const VISITS_A_ROUND = 40;

/**
 * Visitors of the last two days who were shown the hero and a product's list, so that slots have learnt something and
 * the experiment has something to say. Returns how many.
 */
async function showDecisions(project: Project, nowMs: number): Promise<number> {
  const rng = rngFrom(DEMO_SEED);
  let events: LoggedEvent[] = [];
  const learn = async (): Promise<void> => {
    await project.submit({ events, deadLetters: [] });
    events = [];
  };
  const times = Array.from({ length: VISITS_SHOWN }, () => nowMs - rng.between(30 * MINUTE_MS, 2 * DAY_MS));
  times.sort((a, b) => a - b);
  for (let visit = 0; visit < VISITS_SHOWN; visit++) {
    if (visit % VISITS_A_ROUND === 0) await learn();
    const ref = { anonymous_id: `shop-guest-${String(visit).padStart(4, "0")}` };
    const put = (event_type: string, afterS: number, fields: Partial<LoggedEvent> = {}): void => {
      const timestamp = times[visit]! + afterS * 1_000;
      const event_id = `demo-shown-${visit}-${event_type}-${afterS}`;
      events.push({ event_id, ...ref, event_type, timestamp, received_at: nowMs, ...fields });
    };
    const hero = await project.decide(ref, "hero");
    if (hero?.variant == null) continue;
    const inHero = { context: { decision_id: hero.decision_id } };
    put("impression", 1, inHero);
    if (rng.between(1, 100) <= (HERO_CLICKS[hero.variant] ?? 0)) put("click", 5, inHero);
    const list = await project.recommend({ ref, placement: "product", limit: 6 });
    const [first] = list?.items ?? [];
    if (list === undefined || first === undefined) continue;
    const inList = { context: { decision_id: list.decision_id }, item_id: first.item_id };
    put("impression", 20, inList);
    const variant = list.experiments?.["varied_products"] ?? "as_is";
    if (rng.between(1, 100) <= 40) put("click", 30, inList);
    if (rng.between(1, 100) <= CARTS[variant]!) {
      put("add_to_cart", 60, { ...inList, value: first.item?.price ?? 20 });
      if (rng.between(1, 100) <= 40) put("purchase", 150, { ...inList, value: first.item?.price ?? 20 });
    }
  }
  await learn();
  return VISITS_SHOWN;
}
