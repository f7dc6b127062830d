// The visitor's own time of day. Named zones need a zone database, which neither a bare engine nor determinism allows:
// they count as UTC; a browser that wants better sends its offset (`+02:00`) as the timezone.

/** Hour 0-23 and weekday 0-6 (0 = Sunday) at `nowMs` under a zone with a fixed offset; under any other, in UTC. */
export function localTime(timezone: string | undefined, nowMs: number): { hour: number; weekday: number } {
  const hours = Math.floor((nowMs + offsetMinutes(timezone) * 60_000) / 3_600_000);
  return { hour: modulo(hours, 24), weekday: modulo(Math.floor(hours / 24) + 4, 7) }; // 1970-01-01 was a Thursday.
}

/** When the hour changes next. */
export function nextHourMs(timezone: string | undefined, nowMs: number): number {
  const shiftMs = offsetMinutes(timezone) * 60_000;
  return (Math.floor((nowMs + shiftMs) / 3_600_000) + 1) * 3_600_000 - shiftMs;
}

// `+02:00`, `UTC+2`, `GMT-05:30`; `Etc/GMT-2` has its sign the other way round (POSIX).
function offsetMinutes(timezone: string | undefined): number {
  const match = timezone === undefined ? null : /^(Etc\/GMT|UTC|GMT)?([+-])(\d{1,2})(?::?([0-5]\d))?$/.exec(timezone);
  if (match === null) return 0;
  const minutes = Number(match[3]) * 60 + Number(match[4] ?? 0);
  if (minutes > 14 * 60) return 0;
  return (match[2] === "-") === (match[1] === "Etc/GMT") ? minutes : -minutes;
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}
