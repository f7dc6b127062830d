// The visitor's time zone, as an offset: the core has no zone database, and would take a named zone for UTC.

/** `+0200`. Every engine writes a Date the same (ECMA-262, Date.prototype.toString): `Mon Jan 05 2026 14:00:00 GMT+0200 (EET)`. */
export function utcOffset(date: Date): string {
  return String(date).slice(28, 33);
}
