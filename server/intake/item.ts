// A catalogue item between the wire and the catalogue: checked, bounded, with its time in Unix ms; and back.
import { formatTimestamp, parseTimestamp } from "../../core/event/time.ts";
import type { Item } from "../../core/item/item.ts";
import { isObject } from "../http/body.ts";

const ID_CHARS_MAX = 128;
const TITLE_CHARS_MAX = 512;
const LABEL_CHARS_MAX = 128;
const LABELS_MAX = 32;
const URL_CHARS_MAX = 2_048;
const ATTRIBUTES_MAX = 64;
const ATTRIBUTES_CHARS_MAX = 16 * 1024;

export interface ItemFault {
  /** JSON pointer into the item. */
  path: string;
  code: string;
  message: string;
}

/** Never throws. Members that the contract does not name are refused, so that a typing error is seen. */
export function normaliseItem(raw: unknown): { item: Item } | { fault: ItemFault } {
  if (!isObject(raw)) return fault("", "not_an_object", "An item must be a JSON object.");
  for (const name of Object.keys(raw)) {
    if (!NAMES.has(name)) return fault(`/${name}`, "unknown_member", `An item has no member "${name.slice(0, 64)}".`);
  }
  const item: { -readonly [K in keyof Item]: Item[K] } = { item_id: "", categories: [], tags: [] };
  const { item_id: itemId, title, categories, tags, price, image_url: imageUrl, url, available, attributes } = raw;
  if (!isText(itemId, ID_CHARS_MAX) || itemId.length === 0) {
    return fault("/item_id", "bad_item_id", `\`item_id\` must be a string of 1 to ${ID_CHARS_MAX} characters.`);
  }
  item.item_id = itemId;
  if (isGiven(title)) {
    if (!isText(title, TITLE_CHARS_MAX)) return fault("/title", "bad_title", `A string up to ${TITLE_CHARS_MAX} characters.`);
    item.title = title;
  }
  for (const [name, labels] of [["categories", categories], ["tags", tags]] as const) {
    if (!isGiven(labels)) continue;
    if (!Array.isArray(labels) || labels.length > LABELS_MAX || !labels.every((label) => isLabel(label))) {
      const message = `At most ${LABELS_MAX} strings of 1 to ${LABEL_CHARS_MAX} characters.`;
      return fault(`/${name}`, `bad_${name}`, message);
    }
    item[name] = [...new Set(labels as string[])];
  }
  if (isGiven(price)) {
    if (typeof price !== "number" || !Number.isFinite(price) || price < 0) {
      return fault("/price", "bad_price", "A finite number, 0 or more.");
    }
    item.price = price;
  }
  for (const [name, value] of [["image_url", imageUrl], ["url", url]] as const) {
    if (!isGiven(value)) continue;
    if (!isText(value, URL_CHARS_MAX) || /^\s*(javascript|vbscript):/i.test(value)) {
      return fault(`/${name}`, `bad_${name}`, `A URL or path up to ${URL_CHARS_MAX} characters.`);
    }
    item[name] = value;
  }
  if (isGiven(available)) {
    if (typeof available !== "boolean") return fault("/available", "bad_available", "true or false.");
    item.available = available;
  }
  if (isGiven(raw["published_at"])) {
    const publishedAt = timeOf(raw["published_at"]);
    if (publishedAt === undefined) return fault("/published_at", "bad_published_at", "ISO 8601 with a zone, or Unix ms.");
    item.published_at = publishedAt;
  }
  if (isGiven(attributes)) {
    const fits = isObject(attributes) && Object.keys(attributes).length <= ATTRIBUTES_MAX;
    if (!fits || JSON.stringify(attributes).length > ATTRIBUTES_CHARS_MAX) {
      return fault("/attributes", "bad_attributes", `An object of at most ${ATTRIBUTES_MAX} members and 16 KiB.`);
    }
    item.attributes = attributes;
  }
  return { item };
}

/** The item as the wire shows it: times in ISO 8601. */
export function wireItem(item: Item): Record<string, unknown> {
  const { published_at: publishedAt, ...rest } = item;
  return publishedAt === undefined ? rest : { ...rest, published_at: formatTimestamp(publishedAt) };
}

const NAMES: ReadonlySet<string> = new Set([
  "item_id", "title", "categories", "tags", "price", "image_url", "url", "available", "published_at", "attributes",
]);
/** Years 1970 to 9999. */
const TIME_MS_MAX = 253_402_300_799_999;

function fault(path: string, code: string, message: string): { fault: ItemFault } {
  return { fault: { path, code, message } };
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function isText(value: unknown, charsMax: number): value is string {
  return typeof value === "string" && value.length <= charsMax;
}

function isLabel(value: unknown): boolean {
  return isText(value, LABEL_CHARS_MAX) && value.length > 0;
}

function timeOf(value: unknown): number | undefined {
  const ms = parseTimestamp(value);
  return ms >= 0 && ms <= TIME_MS_MAX ? ms : undefined;
}
