// How numbers, sizes and times are written everywhere in the console: short, with their unit, never two ways.

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** As long as years are in the mean. */
const YEAR_MS = 365.25 * DAY_MS;

/** Nothing in the console is told apart below it. */
const SMALLEST_SHOWN = 0.0005;

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** A count: `1,234,567`. */
export function formatCount(value: number): string {
  return grouped.format(value);
}

/** A count and what is counted, by its name in the singular: `1 event`, `1,204 events`. */
export function formatCounted(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** A count in few characters, for axes and tight places: `1,204`, `12.5k`, `3.4M`. */
export function formatShort(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e9) return `${trimmed(value / 1e9)}B`;
  if (size >= 1e6) return `${trimmed(value / 1e6)}M`;
  if (size >= 1e4) return `${trimmed(value / 1e3)}k`;
  return size >= 1e3 ? grouped.format(value) : trimmed(value);
}

/** A number with three significant digits at most, a whole one without a fraction: `0.42`, `12.3`, `12`, `1,204`. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? "∞" : value < 0 ? "−∞" : "–";
  const size = Math.abs(value);
  if (Number.isInteger(value) || size >= 100) return grouped.format(value);
  if (size >= 10) return value.toFixed(1);
  if (size >= 0.01) return value.toFixed(2);
  return size < SMALLEST_SHOWN ? "0" : value.toPrecision(1);
}

const money = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** Money to the cent, whichever the currency: a price is not rounded to what is easy to read. `49`, `129.90`. */
export function formatMoney(value: number): string {
  return Number.isInteger(value) ? grouped.format(value) : money.format(value);
}

/** What stands for a thing that has no picture: the first letter or digit of its name, otherwise its first sign. */
export function initialOf(name: string): string {
  const [sign = ""] = /[\p{L}\p{N}]/u.exec(name) ?? [...name.trim()];
  return sign.toUpperCase();
}

/** Per cent: its sign never begins a line. */
const PERCENT = "\u00a0%";

/** A share 0–1 as per cent: `34 %`, `2.5 %`; what is nearly all is not all: `99.6 %`. */
export function formatShare(share: number): string {
  const percent = share * 100;
  if (percent > 99 && percent < 100) return Math.min(percent, 99.9).toFixed(1) + PERCENT;
  return percent.toFixed(percent >= 9.95 || percent === 0 ? 0 : 1) + PERCENT;
}

/** An interval of shares: where many persons have made it narrow, with the digits that tell its ends apart. */
export function formatShares({ low, high }: { readonly low: number; readonly high: number }): string {
  const points = (high - low) * 100;
  const digits = [0, 1, 2].find((count) => points >= 10 ** -count) ?? 3;
  const end = (share: number): string => (digits === 0 ? formatShare(share) : (share * 100).toFixed(digits) + PERCENT);
  return `${end(low)} to ${end(high)}`;
}

/** A difference in per cent, with its sign: `+12 %`, `−3.4 %`. */
export function formatLift(lift: number): string {
  return `${lift < 0 ? "−" : "+"}${formatShare(Math.abs(lift))}`;
}

/** A number and its unit, to be set apart by the reader's eye. */
export interface Quantity {
  readonly value: string;
  readonly unit: string;
}

/** Bytes in powers of 1,024. */
export function bytesOf(sizeBytes: number): Quantity {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let size = sizeBytes;
  let index = 0;
  while (size >= 1024 && index < units.length - 1) {
    size /= 1024;
    index++;
  }
  return { value: index === 0 ? String(Math.round(size)) : size.toFixed(size >= 100 ? 0 : 1), unit: units[index]! };
}

/** A latency in milliseconds; microseconds below one, seconds above a thousand. */
export function latencyOf(latencyMs: number): Quantity {
  if (!Number.isFinite(latencyMs)) return { value: "–", unit: "" };
  if (latencyMs >= 1000) return { value: (latencyMs / 1000).toFixed(2), unit: "s" };
  if (latencyMs < 1 && latencyMs > 0) return { value: (latencyMs * 1000).toFixed(0), unit: "µs" };
  return { value: formatNumber(latencyMs), unit: "ms" };
}

/** A length of time with its largest unit, and a second one where it says something: `3 min 20 s`. */
export function formatDuration(durationMs: number): string {
  if (!Number.isFinite(durationMs)) return "never";
  const size = Math.max(0, durationMs);
  if (size > 0 && size < 1000) return `${Math.round(size)} ms`;
  if (size < MINUTE_MS) return `${size < 10_000 ? trimmed(size / 1000) : Math.floor(size / 1000)} s`;
  if (size < HOUR_MS) return withRest(size, MINUTE_MS, "min", 1000, "s");
  if (size < DAY_MS) return withRest(size, HOUR_MS, "h", MINUTE_MS, "min");
  return withRest(size, DAY_MS, "d", HOUR_MS, "h");
}

/** `30s`, `10m`, `2h`, `3d` in milliseconds; undefined where it is none of them. */
export function durationMs(text: string | undefined): number | undefined {
  const [, count, unit] = /^(\d+)([smhd])$/.exec(text ?? "") ?? [];
  if (count === undefined) return undefined;
  return Number(count) * { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit as "s" | "m" | "h" | "d"];
}

/** A length of time as programs write it, the way the console writes it: `14 d` for `14d`; any other text as it is. */
export function formatSpan(text: string): string {
  const spanMs = durationMs(text);
  return spanMs === undefined ? text : formatDuration(spanMs);
}

/** How long ago, as short as it can be said: `now`, `12 s ago`, `3 min ago`, `in 2 h`, `15 y ago`. */
export function formatAgo(timeMs: number, nowMs: number): string {
  const ageMs = nowMs - timeMs;
  const size = Math.abs(ageMs);
  if (size < 2000) return "now";
  const text =
    size < MINUTE_MS
      ? `${Math.floor(size / 1000)} s`
      : size < HOUR_MS
        ? `${Math.floor(size / MINUTE_MS)} min`
        : size < 2 * DAY_MS
          ? `${Math.floor(size / HOUR_MS)} h`
          : size < 2 * YEAR_MS
            ? `${Math.floor(size / DAY_MS)} d`
            : `${Math.floor(size / YEAR_MS)} y`;
  return ageMs < 0 ? `in ${text}` : `${text} ago`;
}

/** Made once: it costs more than all else that a row of a live list is redrawn for each second. */
const zoned = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" });

/** The exact time for a hover, in the reader's own zone with milliseconds. */
export function formatExact(timeMs: number): string {
  const date = new Date(timeMs);
  const zone = zoned.formatToParts(date).find((part) => part.type === "timeZoneName");
  return `${isoDay(date)} ${formatClock(timeMs)}.${String(date.getMilliseconds()).padStart(3, "0")} ${zone?.value ?? ""}`.trim();
}

/** The time of day: `14:03:22`. */
export function formatClock(timeMs: number): string {
  const date = new Date(timeMs);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
}

/** A time from the API, ISO 8601 or Unix ms; NaN where it is neither. */
export function timeOf(value: string | number | null | undefined): number {
  if (typeof value === "number") return value;
  return value ? Date.parse(value) : NaN;
}

function isoDay(date: Date): string {
  return `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, "0")}-${String(date.getDate()).padStart(2, "0")}`;
}

function trimmed(value: number): string {
  return String(Number(value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2)));
}

function withRest(size: number, unitMs: number, unit: string, restMs: number, rest: string): string {
  const whole = Math.floor(size / unitMs);
  const more = Math.floor((size - whole * unitMs) / restMs);
  return more === 0 || whole >= 100 ? `${formatCount(whole)} ${unit}` : `${whole} ${unit} ${more} ${rest}`;
}
