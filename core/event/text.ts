/** Whether `value` is a string of 1 to `max` UTF-16 units without control characters (NUL among them) or lone surrogates. */
export function isShortText(value: unknown, max: number): value is string {
  if (typeof value !== "string" || value.length === 0 || value.length > max) return false;
  for (let i = 0; i < value.length; i++) {
    const unit = value.charCodeAt(i);
    if (unit < 0x20 || unit === 0x7f) return false;
    if ((unit & 0xf800) !== 0xd800) continue;
    // The first half of a pair, and the second right after it; nothing else.
    if (unit >= 0xdc00 || (value.charCodeAt(++i) & 0xfc00) !== 0xdc00) return false;
  }
  return true;
}
