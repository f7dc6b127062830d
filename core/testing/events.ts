// Seeded events of one visitor, as a log would hold them.
import type { LoggedEvent } from "../event/event.ts";
import type { Rng } from "../math/rng.ts";

export const EPOCH_MS = 1_767_225_600_000; // 2026-01-01T00:00:00Z

const TYPES = [
  "view",
  "view",
  "view",
  "view",
  "click",
  "click",
  "page_view",
  "page_view",
  "scroll",
  "dwell",
  "dwell",
  "impression",
  "add_to_cart",
  "remove_from_cart",
  "purchase",
  "like",
  "dislike",
  "dismiss",
  "search",
  "rating",
  "hover",
  "mouse_move",
] as const;
const DEVICES = ["mobile", "desktop", "tablet"] as const;

/** `count` events in order of time; gaps are mostly seconds, sometimes hours or days.. */
export function visitorEvents(
  rng: Rng,
  count: number,
  options: { startMs?: number; prefix?: string } = {},
): LoggedEvent[] {
  let timeMs = options.startMs ?? EPOCH_MS + rng.between(0, 86_400_000);
  return Array.from({ length: count }, (_, i) => {
    timeMs += gapMs(rng);
    return event(rng, `${options.prefix ?? "e"}${i}`, timeMs);
  });
}

function gapMs(rng: Rng): number {
  const kind = rng.between(0, 99);
  if (kind < 5) return 0;
  if (kind < 15) return rng.between(1, 600);
  if (kind < 80) return rng.between(1, 60_000);
  if (kind < 97) return rng.between(60_000, 3_600_000);
  return rng.between(3_600_000, 3 * 86_400_000);
}

function event(rng: Rng, event_id: string, timestamp: number): LoggedEvent {
  const event_type = TYPES[rng.between(0, TYPES.length - 1)]!;
  const item = rng.between(0, 39);
  const out: LoggedEvent = { event_id, user_id: "u1", event_type, timestamp, received_at: timestamp };
  if (rng.between(0, 3) > 0) out.session_id = `s${Math.floor(timestamp / 7_200_000)}`;
  if (event_type !== "page_view" && event_type !== "scroll" && event_type !== "search") {
    out.item_id = `item-${item}`;
    out.item = {
      categories: [`cat-${item % 7}`],
      tags: [`tag-${item % 11}`, `tag-${item % 5}`],
      price: (item + 1) * 1.25,
    };
  }
  if (event_type === "dwell") out.value = rng.between(1, 120);
  if (event_type === "scroll") out.value = rng.between(0, 100) / 100;
  if (event_type === "purchase") out.value = rng.between(100, 9_999) / 100;
  if (event_type === "rating") out.value = rng.between(1, 5);
  if (rng.between(0, 4) === 0) out.context = { device: DEVICES[rng.between(0, 2)]!, country: "DE", timezone: "+01:00" };
  return out;
}
