// Segment's event names as attune's event types, its ecommerce spec (v2, and the names before it) among them:
// https://segment.com/docs/connections/spec/ecommerce/v2/
import { objectOf } from "./message.ts";

/** By the name in snake case. Whatever is not here keeps its name, and is accepted where the program declares it. */
const TYPES: Readonly<Record<string, string>> = {
  product_viewed: "view",
  viewed_product: "view",
  product_clicked: "click",
  clicked_product: "click",
  product_added: "add_to_cart",
  added_product: "add_to_cart",
  wishlist_product_added_to_cart: "add_to_cart",
  product_removed: "remove_from_cart",
  removed_product: "remove_from_cart",
  order_completed: "purchase",
  completed_order: "purchase",
  products_searched: "search",
  searched_products: "search",
  product_list_viewed: "impression",
  viewed_product_category: "impression",
  product_list_filtered: "impression",
  product_added_to_wishlist: "like",
  product_reviewed: "rating",
};
/** Types that are about each product of `properties.products`, one event for each. */
const PER_PRODUCT: ReadonlySet<string> = new Set(["purchase", "impression"]);
const TYPE_CHARS_MAX = 64;
/** Products that one message is split into: more do not fit into 32 kB, Segment's own limit for a message. */
export const PRODUCTS_MAX = 500;

/** The event type of a track call; undefined where its name has no letter that a type can begin with. */
export function typeOf(name: unknown): string | undefined {
  const snake = typeof name === "string" ? snakeCase(name) : "";
  return snake === "" ? undefined : Object.hasOwn(TYPES, snake) ? TYPES[snake] : snake;
}

export function snakeCase(name: string): string {
  return name
    .slice(0, 4 * TYPE_CHARS_MAX)
    .normalize("NFKD")
    .replaceAll(/\p{Mark}/gu, "")
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "_")
    .replaceAll(/^[_0-9]+|_+$/g, "")
    .slice(0, TYPE_CHARS_MAX);
}

/** The products that a message has one event for each; undefined where it is one event. */
export function productsOf(
  type: string | undefined,
  properties: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>>[] | undefined {
  const { products } = properties;
  if (type === undefined || !PER_PRODUCT.has(type) || !Array.isArray(products) || products.length === 0)
    return undefined;
  return products.map(objectOf);
}

/** The item that properties or a product name: `product_id`, else the names that shops use instead. */
export function itemOf(properties: Readonly<Record<string, unknown>>): string | undefined {
  for (const name of ["product_id", "productId", "item_id", "sku", "id"]) {
    const value = properties[name];
    if (typeof value === "string" && value !== "") return value;
    if (typeof value === "number" && Number.isFinite(value)) return String(value);
  }
  return undefined;
}

/** Money of a purchase or a cart, stars of a rating; for other types what `properties.value` says. */
export function valueOf(type: string | undefined, properties: Readonly<Record<string, unknown>>): number | undefined {
  const { price, quantity, value, revenue, total, rating } = properties;
  if (type === "rating") return numberOf(rating) ?? numberOf(value);
  if (type !== "purchase" && type !== "add_to_cart" && type !== "remove_from_cart") return numberOf(value);
  const each = numberOf(price);
  if (each !== undefined) return each * (numberOf(quantity) ?? 1);
  return numberOf(value) ?? numberOf(revenue) ?? numberOf(total);
}

/** Shops write money as a number or as text. */
function numberOf(value: unknown): number | undefined {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}
