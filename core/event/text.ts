// Limits of texts. A character is a code point, as in JSON Schema and in other languages: an emoji is one.

/** Whether `value` is a string of 1 to `max` characters without control characters (NUL among them) or lone surrogates. */
export function isShortText(value: unknown, max: number): value is string {
  if (typeof value !== "string" || value.length === 0 || value.length > 2 * max) return false;
  let pairs = 0;
  for (let i = 0; i < value.length; i++) {
    const unit = value.charCodeAt(i);
    if (unit < 0x20 || unit === 0x7f) return false;
    if ((unit & 0xf800) !== 0xd800) continue;
    // The first half of a pair, and the second right after it; nothing else.
    if (unit >= 0xdc00 || (value.charCodeAt(++i) & 0xfc00) !== 0xdc00) return false;
    pairs++;
  }
  return value.length - pairs <= max;
}

/** Whether `text` has at most `max` characters; a lone surrogate is one. */
export function fitsIn(text: string, max: number): boolean {
  if (text.length <= max || text.length > 2 * max) return text.length <= max;
  let pairs = 0;
  for (let i = 1; i < text.length; i++) {
    if ((text.charCodeAt(i) & 0xfc00) !== 0xdc00 || (text.charCodeAt(i - 1) & 0xfc00) !== 0xd800) continue;
    pairs++;
    i++;
  }
  return text.length - pairs <= max;
}
