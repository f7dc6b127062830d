// A catalogue item from raw JSON: what `PUT /v1/items` and `import --items` take.
import { fitsIn, isShortText } from "../event/text.ts";
import { formatTimestamp, parseTimestamp } from "../event/time.ts";
import { ID_LENGTH_MAX, isSet, URL_LENGTH_MAX } from "../event/validate.ts";
import { utf8Length } from "../wire/writer.ts";
import type { Item } from "./item.ts";

const TITLE_LENGTH_MAX = 512;
const LABELS_MAX = 64;
const LABEL_LENGTH_MAX = 128;
const ITEM_ATTRIBUTES_BYTES_MAX = 16_384;

const TEXTS = {
  not_an_object: "send the item as a JSON object",
  item_id_missing: "give the item an item_id",
  item_id_invalid: "send a string of 1-128 characters without control characters or lone surrogates",
  title_invalid: "send a string of at most 512 characters",
  categories_invalid: "send at most 64 strings of 1-128 characters",
  tags_invalid: "send at most 64 strings of 1-128 characters",
  price_invalid: "send a finite number from 0 on",
  image_url_invalid: "send a URL or path of at most 2,048 characters, no javascript: or data: one",
  url_invalid: "send a URL or path of at most 2,048 characters, no javascript: or data: one",
  available_invalid: "send true or false",
  published_at_invalid: "send a date (2026-01-31), ISO 8601 with a zone, or Unix milliseconds",
  attributes_invalid: "send an object of JSON values of at most 16 KiB, without a key named __proto__",
} as const;

export type ItemRejectionCode = keyof typeof TEXTS;

export interface ItemRejection {
  code: ItemRejectionCode;
  /** JSON pointer into the item. */
  path: string;
  message: string;
  item_id?: string;
}

export type NormalisedItem = { readonly item: Item } | { readonly rejected: ItemRejection };

/** Validates one item. null counts as a field that is not there; fields that the contract does not know become attributes. */
export function normaliseItem(raw: unknown): NormalisedItem {
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) return refused("not_an_object", "", undefined);
  const fields = withUnknownAsAttributes(raw as Record<string, unknown>);
  const { item_id } = fields;
  if (!isSet(item_id)) return refused("item_id_missing", "/item_id", undefined);
  if (!isShortText(item_id, ID_LENGTH_MAX)) return refused("item_id_invalid", "/item_id", undefined);
  const categories = labels(fields["categories"]);
  if (categories === undefined) return refused("categories_invalid", "/categories", item_id);
  const tags = labels(fields["tags"]);
  if (tags === undefined) return refused("tags_invalid", "/tags", item_id);
  const publishedMs = isSet(fields["published_at"]) ? parsePublished(fields["published_at"]) : undefined;
  for (const [name, isGood] of CHECKS) {
    if (isSet(fields[name]) && !isGood(fields[name])) return refused(`${name}_invalid`, `/${name}`, item_id);
  }

  const item: Item = { item_id, categories, tags };
  for (const [name] of CHECKS) {
    if (isSet(fields[name]) && name !== "published_at")
      (item as unknown as Record<string, unknown>)[name] = fields[name];
  }
  if (publishedMs !== undefined) item.published_at = publishedMs;
  return { item };
}

/** An item as the wire shows it: `published_at` in ISO 8601. */
export function itemView(item: Item): Omit<Item, "published_at"> & { published_at?: string } {
  const { published_at, ...rest } = item;
  return published_at === undefined ? rest : { ...rest, published_at: formatTimestamp(published_at) };
}

const CHECKS = [
  ["title", (value: unknown) => typeof value === "string" && fitsIn(value, TITLE_LENGTH_MAX)],
  ["price", (value: unknown) => typeof value === "number" && value >= 0 && value - value === 0],
  ["image_url", isUrl],
  ["url", isUrl],
  ["available", (value: unknown) => typeof value === "boolean"],
  ["published_at", (value: unknown) => parsePublished(value) >= 0],
  ["attributes", isAttributes],
] as const;

/** A day, as catalogues say it, begins at midnight UTC; else as an event's timestamp. NaN where it is neither. */
function parsePublished(value: unknown): number {
  const isDay = typeof value === "string" && /^\d{4}-\d\d-\d\d$/.test(value);
  return parseTimestamp(isDay ? `${value}T00:00:00Z` : value);
}

/** Pages put it into links and images, so nothing in it may run. */
function isUrl(value: unknown): boolean {
  return isShortText(value, URL_LENGTH_MAX) && !/[\s<>"]/.test(value) && !/^(javascript|vbscript|data):/i.test(value);
}

const FIELDS: ReadonlySet<string> = new Set([
  "item_id",
  "title",
  "categories",
  "tags",
  "price",
  "image_url",
  "url",
  "available",
  "published_at",
  "attributes",
]);

function withUnknownAsAttributes(raw: Record<string, unknown>): Record<string, unknown> {
  const unknown = Object.entries(raw).filter(([name]) => !FIELDS.has(name));
  if (unknown.length === 0) return raw;
  const given = typeof raw["attributes"] === "object" ? raw["attributes"] : {};
  return { ...raw, attributes: { ...Object.fromEntries(unknown), ...given } };
}

// Each label once; none where the field is missing.
function labels(value: unknown): string[] | undefined {
  if (!isSet(value)) return [];
  if (!Array.isArray(value) || value.length > LABELS_MAX) return undefined;
  if (!value.every((label) => isShortText(label, LABEL_LENGTH_MAX))) return undefined;
  return [...new Set(value as string[])];
}

function isAttributes(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return isPlain(value, 1) && utf8Length(JSON.stringify(value)) <= ITEM_ATTRIBUTES_BYTES_MAX;
}

function isPlain(value: unknown, depth: number): boolean {
  if (typeof value === "number") return value - value === 0;
  if (typeof value !== "object" || value === null) return typeof value !== "function" && typeof value !== "bigint";
  if (depth > 5) return false;
  return Object.entries(value).every(([key, entry]) => key !== "__proto__" && isPlain(entry, depth + 1));
}

function refused(code: ItemRejectionCode, path: string, itemId: string | undefined): NormalisedItem {
  const rejected: ItemRejection = { code, path, message: TEXTS[code] };
  if (itemId !== undefined) rejected.item_id = itemId;
  return { rejected };
}
