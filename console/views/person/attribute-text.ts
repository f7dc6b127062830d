// An attribute's value as somebody writes it into a field, and back.

/** What a text means: a number, `true`, `false` or a list where it is one in JSON, else itself. */
export function valueOf(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return text;
  }
  // To set null is to remove the attribute: there is a button for that, and somebody may be called Null.
  if (value === null) return text;
  // Of a longer number (a card's, an account's) the last digits would be others, and JSON has no infinity: that is null.
  const isLong = typeof value === "number" && Math.abs(value) > Number.MAX_SAFE_INTEGER;
  return isLong && String(value) !== text ? text : value;
}

/** The text that `valueOf` makes this value of. */
export function textOf(value: unknown): string {
  return typeof value === "string" && valueOf(value) === value ? value : JSON.stringify(value);
}
