// Fills an empty project with the demo's catalogue and its seeded visitors, so that the first page is a warm one.
import type { Logger } from "pino";
import { DEMO_SEED, DEMO_VISITORS, demoCatalogue, demoVisits } from "../../demo/warm.ts";
import { normaliseEvent } from "../../core/event/validate.ts";
import type { LoggedEvent } from "../../core/event/event.ts";
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
    logger.info({ project: name, events: events.length }, "the demo's visitors have been here");
  }
}
