// What a list would be, and why it is what it is: for those who make the rules, not for visitors.
import { isObject } from "../http/body.ts";
import { readObject } from "../http/json-body.ts";
import {
  contextOf, excluded, filterText, fromJson, ID_CHARS_MAX, listLimit, optionalText, personRef, texts,
  type Source,
} from "../http/parameters.ts";
import { ok, type Answer, type Call, type Route } from "../http/route.ts";
import { round } from "../http/timings.ts";
import { itemView } from "../../core/item/validate.ts";
import type { PreviewAnswer, PreviewChange, PreviewList, PreviewRequest, SupposedEvent } from "../ports.ts";
import { readAttributes } from "./attributes.ts";
import { unknownName } from "./unknown-name.ts";

export const WHY_NOT_MAX = 20;
const EVENTS_MAX = 20;
const WITHOUT_MAX = 50;
const CHANGES = ["placement", "rules", "context", "attributes", "events", "without"];
const EVENT_TYPE = /^[a-z][a-z0-9_]{0,63}$/;

export function previewRoutes(): Route[] {
  return [{ method: "POST", path: "/v1/recommendations/preview", access: "read", handle: preview }];
}

async function preview(call: Call): Promise<Answer> {
  const startMs = performance.now();
  const request = await readPreview(fromJson(await readObject(call)), call);
  const answer = await call.project.preview(request);
  if (answer === undefined) throw await unknownName(call.project, "unknown_placement", request.placement, { parameter: "placement" });
  return ok({ ...wireOf(answer), took_ms: round(performance.now() - startMs) });
}

async function readPreview(source: Source, call: Call): Promise<PreviewRequest> {
  const isKnown = source.get("user_id") !== undefined || source.get("anonymous_id") !== undefined;
  const itemId = optionalText(source, "item_id", ID_CHARS_MAX);
  const filter = filterText(source);
  const exclude = excluded(source);
  const context = contextOf(source);
  const limit = listLimit(source);
  return {
    placement: optionalText(source, "placement", ID_CHARS_MAX) ?? "home",
    whyNot: texts(source, "why_not", { countMax: WHY_NOT_MAX, charsMax: ID_CHARS_MAX }),
    change: readChange(source),
    ...(isKnown && { ref: await personRef(source, call) }),
    ...(limit !== undefined && { limit }),
    ...(itemId !== undefined && { itemId }),
    ...(filter !== undefined && { filter }),
    ...(exclude.length > 0 && { exclude }),
    ...(context !== undefined && { context }),
  };
}

function readChange(source: Source): PreviewChange {
  const value = source.get("change");
  if (value === undefined) return {};
  if (!isObject(value)) throw source.fault("change", "`change` must be an object.");
  const unknown = Object.keys(value).find((key) => !CHANGES.includes(key));
  if (unknown !== undefined) {
    throw source.fault("change", `\`change\` knows ${CHANGES.join(", ")}, not \`${unknown.slice(0, 40)}\`.`);
  }
  const change = fromJson(value);
  const context = contextOf(change);
  const attributes = change.get("attributes");
  const events = readEvents(change);
  const without = texts(change, "without", { countMax: WITHOUT_MAX, charsMax: ID_CHARS_MAX });
  return {
    ...(value["placement"] !== undefined && { placement: value["placement"] }),
    ...(value["rules"] !== undefined && { rules: value["rules"] }),
    ...(context !== undefined && { context }),
    ...(attributes !== undefined && { attributes: readAttributes(attributes) }),
    ...(events.length > 0 && { events }),
    ...(without.length > 0 && { without }),
  };
}

function readEvents(change: Source): SupposedEvent[] {
  const events = change.get("events") ?? [];
  if (!Array.isArray(events) || events.length > EVENTS_MAX) {
    throw change.fault("events", `\`events\` must be a list of at most ${EVENTS_MAX}.`);
  }
  return events.map((event: unknown) => {
    if (!isObject(event)) throw change.fault("events", "An event must be `{event_type, item_id?, value?}`.");
    const { event_type: type, item_id: itemId, value } = event;
    if (typeof type !== "string" || !EVENT_TYPE.test(type)) {
      throw change.fault("events", "`event_type` must have small letters, digits and _, a letter first.");
    }
    if (itemId !== undefined && (typeof itemId !== "string" || itemId === "" || itemId.length > ID_CHARS_MAX)) {
      throw change.fault("events", `\`item_id\` must have 1 to ${ID_CHARS_MAX} characters.`);
    }
    if (value !== undefined && (typeof value !== "number" || !Number.isFinite(value))) {
      throw change.fault("events", "`value` must be a finite number.");
    }
    return { event_type: type, ...(itemId !== undefined && { item_id: itemId }), ...(value !== undefined && { value }) };
  });
}

type Wire<T> = Omit<T, "item"> & { item?: object };
type WirePreview = Omit<PreviewAnswer, "before" | "after" | "why_not"> & {
  before: object;
  after: object;
  why_not: Wire<PreviewAnswer["why_not"][number]>[];
};

function wireOf(answer: PreviewAnswer): WirePreview {
  const listOf = (list: PreviewList): object => ({
    ...list,
    items: list.items.map((entry) => (entry.item === undefined ? entry : { ...entry, item: itemView(entry.item) })),
  });
  return {
    ...answer,
    before: listOf(answer.before),
    after: listOf(answer.after),
    why_not: answer.why_not.map((one) => (one.item === undefined ? one : { ...one, item: itemView(one.item) })),
  };
}
