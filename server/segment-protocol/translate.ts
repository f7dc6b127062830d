// One Segment message as what attune does with it: events, attributes of a person (which may link two ids), or nothing
// but a note of why. Pure: a message always becomes the same events with the same ids, so one sent again counts once.
import { createHash } from "node:crypto";
import { checkData } from "../../core/event/data.ts";
import { isShortText } from "../../core/event/text.ts";
import { parseTimestamp } from "../../core/event/time.ts";
import { CLOCK_TOLERANCE_MS, EVENT_ID_LENGTH_MAX } from "../../core/event/validate.ts";
import type { PersonRef } from "../../core/record.ts";
import { itemOf, productsOf, PRODUCTS_MAX, typeOf, valueOf } from "./commerce.ts";
import { contextOf, dataOfContext, pageUrlOf } from "./context.ts";
import { idOf, objectOf, refOf, type Message } from "./message.ts";
import { attributesOf, type ReadTraits } from "./traits.ts";

/** Why a part of a message is not kept; becomes a dead letter. */
export interface Note {
  code: "traits_not_kept" | "products_not_kept";
  path: string;
  message: string;
}

export interface Translated {
  /** Raw events in the form of `POST /v1/events`; intake validates them. */
  events: Record<string, unknown>[];
  change?: { ref: PersonRef; attributes: Record<string, unknown> };
  note?: Note;
}

/** What the messages of one request may still become beyond an event each; used up as they are translated. */
export interface PartsRoom {
  products: number;
  /** Of what all the products of an order have in common, and each gets a copy of. */
  copiedChars: number;
}

/**
 * Products of a request's lists beyond the first of each. A batch of Segment's SDKs has 500 kB at most, and a product with an id, a
 * name and a price a hundred bytes; but packed, 50,000 products fit into two kilobytes.
 */
const REQUEST_PRODUCTS_MAX = 5_000;
/** As much as a body may unpack to: an order with 15 kB of its own and 500 products would be written as 7 MB. */
const REQUEST_COPIED_CHARS_MAX = 8 * 1024 * 1024;
const NAMES_SHOWN_CHARS_MAX = 500;

/** Of a request whose messages have not been translated yet. */
export function partsRoom(): PartsRoom {
  return { products: REQUEST_PRODUCTS_MAX, copiedChars: REQUEST_COPIED_CHARS_MAX };
}

export function translate(message: Message, receivedAtMs: number, room: PartsRoom = partsRoom()): Translated {
  switch (message.type) {
    case "track":
      return tracked(message, receivedAtMs, room);
    case "page":
    case "screen":
      return { events: [pageView(message, receivedAtMs)] };
    case "identify":
      return identified(message, receivedAtMs);
    case "alias":
      return aliased(message, receivedAtMs);
    case "group":
      return grouped(message, receivedAtMs);
    case undefined:
      // Refused by validation, with the message's own `type` as the type that nobody knows.
      return { events: [{ ...envelope(message, receivedAtMs), event_type: message.fields["type"] }] };
  }
}

function tracked(message: Message, receivedAtMs: number, room: PartsRoom): Translated {
  const properties = objectOf(message.fields["properties"]);
  const name = message.fields["event"];
  const type = typeOf(name);
  const named = typeof name === "string" && name !== type ? { event: name } : {};
  const base: Record<string, unknown> = { ...envelope(message, receivedAtMs), event_type: type };
  const products = productsOf(type, properties);
  if (products === undefined) return { events: [acted(base, type, properties, { ...properties, ...named })] };
  const { products: _, ...order } = properties;
  // Once for all of them: a large order would be copied and looked through anew for each of its products.
  const ofOrder = boundedData(order);
  const ofMessage = boundedData({ ...named, ...objectOf(base["additional_data"]) });
  const kept = keptOf(products.length, { ...base, additional_data: { ...ofOrder, ...ofMessage } }, room);
  const events = products.slice(0, kept).map((product, index) => {
    const one = products.length === 1 ? { ...order, ...product } : product;
    const around = { ...base, event_id: eventIdOf(message, index), additional_data: ofMessage };
    return acted(around, type, one, { ...ofOrder, ...product });
  });
  if (products.length === kept) return { events };
  const why = kept === PRODUCTS_MAX ? "" : ": the request has too many";
  const left = `${products.length - kept} products beyond the first ${kept} were not kept${why}`;
  return { events, note: { code: "products_not_kept", path: "/properties/products", message: left } };
}

/** How many of a message's products become events, at least the first; what the others take leaves the room. */
function keptOf(products: number, common: Readonly<Record<string, unknown>>, room: PartsRoom): number {
  const further = Math.min(products, PRODUCTS_MAX) - 1;
  if (further === 0) return 1;
  const chars = JSON.stringify(common).length;
  const kept = Math.min(further, room.products, Math.floor(room.copiedChars / chars));
  room.products -= kept;
  room.copiedChars -= kept * chars;
  return 1 + kept;
}

function acted(
  base: Record<string, unknown>,
  type: string | undefined,
  subject: Readonly<Record<string, unknown>>,
  data: Record<string, unknown>,
): Record<string, unknown> {
  const item = itemOf(subject);
  const value = valueOf(type, subject);
  const { additional_data: ofMessage, ...rest } = base;
  return {
    ...rest,
    ...(item !== undefined && { item_id: item }),
    ...(value !== undefined && { value }),
    ...dataOf({ ...data, ...objectOf(ofMessage) }),
  };
}

function pageView(message: Message, receivedAtMs: number): Record<string, unknown> {
  const { name, category, properties } = message.fields;
  const base = envelope(message, receivedAtMs);
  const data = {
    ...objectOf(properties),
    ...(typeof name === "string" && { name }),
    ...(typeof category === "string" && { category }),
    ...(message.type === "screen" && { screen: true }),
    ...objectOf(base["additional_data"]),
  };
  return { ...base, event_type: "page_view", ...dataOf(data) };
}

function identified(message: Message, receivedAtMs: number): Translated {
  const { userId, anonymousId, traits, context } = message.fields;
  const ref = refOf({ userId, anonymousId });
  if (ref === undefined) return refused(message, receivedAtMs);
  // Mobile SDKs send the traits in the context as well; what the call itself says comes first.
  return changed(ref, attributesOf({ ...objectOf(objectOf(context)["traits"]), ...objectOf(traits) }));
}

/** The id before becomes one of the user's: what was done under it is his. Two known users never become one. */
function aliased(message: Message, receivedAtMs: number): Translated {
  const { userId, previousId, anonymousId } = message.fields;
  const ref = refOf({ userId, anonymousId: idOf(previousId) ?? anonymousId });
  if (ref?.user_id === undefined || ref.anonymous_id === undefined) return refused(message, receivedAtMs);
  if (ref.user_id === ref.anonymous_id) return { events: [] };
  return { events: [], change: { ref, attributes: {} } };
}

function grouped(message: Message, receivedAtMs: number): Translated {
  const { userId, anonymousId, groupId, traits } = message.fields;
  const ref = refOf({ userId, anonymousId });
  if (ref === undefined) return refused(message, receivedAtMs);
  const read = attributesOf(objectOf(traits), "group_");
  const id = idOf(groupId);
  if (id !== undefined) read.attributes = { ...read.attributes, ...attributesOf({ group_id: id }).attributes };
  return changed(ref, read);
}

function changed(ref: PersonRef, { attributes, leftOut }: ReadTraits): Translated {
  const change = { ref, attributes };
  if (leftOut.length === 0) return { events: [], change };
  const names = leftOut.join(", ").slice(0, NAMES_SHOWN_CHARS_MAX);
  const message = `An attribute is null, a boolean, a number, a short string or a list of them; not kept: ${names}`;
  return { events: [], change, note: { code: "traits_not_kept", path: "/traits", message } };
}

/** Goes to validation as an event, which says what is wrong with its ids and keeps it as a dead letter. */
function refused(message: Message, receivedAtMs: number): Translated {
  const { previousId } = message.fields;
  const previous = message.type === "alias" ? { additional_data: { previous_id: previousId ?? null } } : {};
  return { events: [{ ...envelope(message, receivedAtMs), ...previous, event_type: message.type }] };
}

/** What every event of a message has: id, person, time, page, context. */
function envelope(message: Message, receivedAtMs: number): Record<string, unknown> {
  const { userId, anonymousId, timestamp, originalTimestamp } = message.fields;
  const time = timestamp ?? originalTimestamp ?? undefined;
  const isClockKnown = time !== undefined && !Number.isNaN(parseTimestamp(message.sentAt));
  const context = contextOf(message);
  const data = dataOfContext(message);
  const pageUrl = pageUrlOf(message);
  return {
    event_id: eventIdOf(message),
    user_id: idOf(userId),
    anonymous_id: idOf(anonymousId),
    // A message without a time happened when it came, as Segment has it.
    timestamp: time ?? receivedAtMs,
    ...(isClockKnown && { sent_at: message.sentAt }),
    ...(pageUrl !== undefined && { page_url: pageUrl }),
    ...(Object.keys(context).length > 0 && { context }),
    ...(Object.keys(data).length > 0 && { additional_data: data }),
  };
}

/** When it was said, by the server's clock, as intake has it of an event; when it came where the message does not say. */
export function saidAtMs({ fields, sentAt }: Message, receivedAtMs: number): number {
  const timeMs = parseTimestamp(fields["timestamp"] ?? fields["originalTimestamp"]);
  if (Number.isNaN(timeMs)) return receivedAtMs;
  const difference = receivedAtMs - parseTimestamp(sentAt);
  return Math.abs(difference) >= CLOCK_TOLERANCE_MS ? timeMs + difference : timeMs;
}

/** `messageId`, or with a number for the events of its products; hashed where it would be too long. */
function eventIdOf({ fields }: Message, index?: number): unknown {
  const id = idOf(fields["messageId"]);
  if (typeof id !== "string") return undefined;
  const whole = index === undefined ? id : `${id}:${index}`;
  const fits: boolean = isShortText(whole, EVENT_ID_LENGTH_MAX);
  return fits ? whole : createHash("sha256").update(whole).digest("base64url");
}

function dataOf(data: Record<string, unknown>): Record<string, unknown> {
  return Object.keys(data).length === 0 ? {} : { additional_data: boundedData(data) };
}

/** All of it, or where that is more than an event may hold what is plain and short, with a mark that it was cut. */
function boundedData(data: Record<string, unknown>): Record<string, unknown> {
  const fault = checkData(data);
  if (fault === null) return data;
  const plain = Object.entries(data).filter(
    ([name, value]) => name !== "__proto__" && name.length <= PLAIN_NAME_MAX && isPlain(value),
  );
  return { ...Object.fromEntries(plain.slice(0, PLAIN_MAX)), cut: fault.code };
}

const PLAIN_MAX = 40;
const PLAIN_NAME_MAX = 64;
const PLAIN_CHARS_MAX = 64;

function isPlain(value: unknown): boolean {
  if (typeof value === "string") return value.length <= PLAIN_CHARS_MAX;
  return value === null || typeof value === "boolean" || Number.isFinite(value);
}
