// Instants as text, by integer arithmetic: `Date` parses more than ISO 8601 allows and costs three times as much.

const DAY_MS = 86_400_000;
/** The largest instant that JavaScript's Date knows, year 275760: all that a timestamp may be. */
const TIME_MS_MAX = 8_640_000_000_000_000;

/**
 * Unix ms of a timestamp as the contract allows it: ISO 8601 with a zone (`2026-01-31T23:59:59.5+01:00`; seconds, fraction
 * and the colon of the zone may be missing), or Unix ms as a number. NaN for anything else. Fractions of a millisecond
 * are cut off; second 60 is the first of the next minute.
 */
export function parseTimestamp(raw: unknown): number {
  if (typeof raw === "string") return parseIso(raw);
  if (typeof raw !== "number" || !(raw >= -TIME_MS_MAX && raw <= TIME_MS_MAX)) return NaN;
  return Math.floor(raw) + 0; // + 0: never -0.
}

/** ISO 8601 in UTC with milliseconds, as `Date.prototype.toISOString` writes it. `timeMs` is an integer in years 0-9999. */
export function formatTimestamp(timeMs: number): string {
  const days = Math.floor(timeMs / DAY_MS);
  const ms = timeMs - days * DAY_MS;
  // Civil from days: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const second = Math.floor(ms / 1000);
  return (
    `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}T${pad(Math.floor(second / 3600), 2)}:` +
    `${pad(Math.floor(second / 60) % 60, 2)}:${pad(second % 60, 2)}.${pad(ms % 1000, 3)}Z`
  );
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, "0");
}

function parseIso(text: string): number {
  const length = text.length;
  if (length < 17 || length > 40) return NaN; // The shortest is 2026-01-31T23:59Z.
  if (text.charCodeAt(4) !== 45 || text.charCodeAt(7) !== 45 || text.charCodeAt(13) !== 58) return NaN;
  const separator = text.charCodeAt(10);
  if (separator !== 84 && separator !== 116 && separator !== 32) return NaN; // T, t, or a space (RFC 3339, 5.6).
  const year = two(text, 0) * 100 + two(text, 2);
  const month = two(text, 5);
  const day = two(text, 8);
  const hour = two(text, 11);
  const minute = two(text, 14);
  if (!(month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month) && hour <= 23 && minute <= 59)) return NaN;
  let at = 16;
  let second = 0;
  let ms = 0;
  if (text.charCodeAt(at) === 58) {
    second = two(text, 17);
    if (!(second <= 60)) return NaN;
    at = 19;
    const mark = text.charCodeAt(at);
    if (mark === 46 || mark === 44) {
      const first = ++at;
      let scale = 100;
      for (; at < length && isDigit(text.charCodeAt(at)); at++) {
        ms += (text.charCodeAt(at) - 48) * scale;
        scale = scale === 100 ? 10 : scale === 10 ? 1 : 0;
      }
      if (at === first) return NaN;
    }
  }
  const offsetMinutes = parseZone(text, at);
  return (daysFromCivil(year, month, day) * 1440 + hour * 60 + minute - offsetMinutes) * 60_000 + second * 1000 + ms;
}

// Z, ±hh, ±hhmm or ±hh:mm, up to the end of the text; in minutes.
function parseZone(text: string, at: number): number {
  const mark = text.charCodeAt(at);
  const left = text.length - at;
  if (mark === 90 || mark === 122) return left === 1 ? 0 : NaN;
  if (mark !== 43 && mark !== 45) return NaN;
  const hours = two(text, at + 1);
  const minutes =
    left === 3
      ? 0
      : left === 5
        ? two(text, at + 3)
        : left === 6 && text.charCodeAt(at + 3) === 58
          ? two(text, at + 4)
          : NaN;
  if (!(hours <= 23 && minutes <= 59)) return NaN;
  return (mark === 45 ? -1 : 1) * (hours * 60 + minutes);
}

// Two digits at `at`, NaN where there are none.
function two(text: string, at: number): number {
  const high = text.charCodeAt(at) - 48;
  const low = text.charCodeAt(at + 1) - 48;
  return high >= 0 && high <= 9 && low >= 0 && low <= 9 ? high * 10 + low : NaN;
}

function isDigit(unit: number): boolean {
  return unit >= 48 && unit <= 57;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

// Days since 1970-01-01: Howard Hinnant, days_from_civil.
function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return (
    era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
  );
}
