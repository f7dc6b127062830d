// Traits as attributes of a profile. Segment's may nest and be named freely; attributes are flat, with plain names.
import { isObject } from "../http/body.ts";
import { ATTRIBUTE_NAME, ATTRIBUTES_MAX, isAttributeValue } from "../serve/attributes.ts";

/** `address.geo.city`: deeper says nothing about taste. */
const DEPTH_MAX = 3;

export interface ReadTraits {
  attributes: Record<string, unknown>;
  /** Names, as they were sent, of traits that no attribute can hold. */
  leftOut: string[];
}

/**
 * `{address: {city: "Oslo"}}` becomes `address_city`; whatever is not a letter, digit or underscore in a name becomes
 * an underscore. `prefix` goes before each name.
 */
export function attributesOf(traits: Readonly<Record<string, unknown>>, prefix = ""): ReadTraits {
  const read: ReadTraits = { attributes: {}, leftOut: [] };
  collect(traits, { prefix, path: "", depth: 1 }, read);
  return read;
}

function collect(
  traits: Readonly<Record<string, unknown>>,
  at: { prefix: string; path: string; depth: number },
  read: ReadTraits,
): void {
  for (const [name, value] of Object.entries(traits)) {
    const attribute = nameOf(at.prefix + name);
    const path = at.path + name;
    if (isObject(value) && at.depth < DEPTH_MAX) {
      collect(value, { prefix: `${attribute}_`, path: `${path}.`, depth: at.depth + 1 }, read);
      continue;
    }
    const isFull = Object.keys(read.attributes).length >= ATTRIBUTES_MAX && !Object.hasOwn(read.attributes, attribute);
    if (isFull || !ATTRIBUTE_NAME.test(attribute) || !isAttributeValue(value)) {
      read.leftOut.push(path);
    } else read.attributes[attribute] = value;
  }
}

function nameOf(name: string): string {
  const plain = name.replaceAll(/[^A-Za-z0-9_]/g, "_");
  return /^\d/.test(plain) ? `_${plain}` : plain;
}
