// What a condition over an event reads: the event, its item as the log has it, and the context that it came with.
import { equal } from "node:assert/strict";
import { test } from "node:test";
import { compiled, eventAt, MONDAY_MS } from "../testing/programs.ts";

const LAMP = { item_id: "lamp", item: { categories: ["lamps"], tags: ["sale"], price: 20 } };
const PHONE = { context: { device: "mobile", timezone: "+01:00" } };

/** Whether an event is counted where `where` is asked. */
function counts(where: string, event: Parameters<typeof eventAt>[2]): boolean {
  const { plan } = compiled({ features: { f: { kind: "count", where } } });
  return plan.features[0]!.where!(eventAt(MONDAY_MS, "view", event));
}

test("`item` is the event's item, however it is written", () => {
  for (const item of ["item", "event.item"]) {
    equal(counts(`${item}.price > 19 && ${item}.price < 21`, LAMP), true, item);
    equal(counts(`"lamps" in ${item}.categories && "sale" in ${item}.tags`, LAMP), true, item);
    equal(counts(`${item}.item_id == "lamp"`, LAMP), true, item);
    equal(counts(`${item}.item_id == "lamp" && !has(${item}.price)`, { item_id: "lamp" }), true, item);
    equal(counts(`has(${item}.item_id)`, {}), false, item);
  }
});

test("`context` is the event's, and nobody else's", () => {
  for (const context of ["context", "event.context"]) {
    equal(counts(`${context}.device == "mobile" && !has(${context}.country)`, PHONE), true, context);
    equal(counts(`${context}.device == "mobile"`, {}), false, context);
  }
  equal(counts("context.hour == 1 && context.weekday == 1 && event.hour == 1", PHONE), true);
  const { where } = compiled({ features: { f: { kind: "count", where: "has(context.device)" } } }).plan.features[0]!;
  equal(where!(eventAt(MONDAY_MS, "view", PHONE)), true);
  equal(where!(eventAt(MONDAY_MS, "view")), false, "the event before leaves nothing behind");
});
