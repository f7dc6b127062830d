// Durations as programs, settings and flags write them: `30s`, `10m`, `2h`, `3d`.

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DIGITS_MAX = 9;

/** Milliseconds of a duration, more than none; undefined where the text is no duration. */
export function parseDuration(text: string): number | undefined {
  const unit = UNIT_MS[text.slice(-1)];
  const digits = text.slice(0, -1);
  if (unit === undefined || digits.length === 0 || digits.length > DIGITS_MAX) return undefined;
  for (let i = 0; i < digits.length; i++) {
    const code = digits.charCodeAt(i);
    if (code < 48 || code > 57 || (i === 0 && code === 48)) return undefined;
  }
  return Number(digits) * unit;
}
