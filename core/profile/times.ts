// The newest few event times, ascending: what click patterns and sequences need, and a function of the set of events.

/** Adds `timeMs`, keeping the newest `max`. */
export function addTime(times: number[], max: number, timeMs: number): void {
  if (times.length === max && timeMs <= times[0]!) return;
  let at = times.length;
  while (at > 0 && times[at - 1]! > timeMs) at--;
  if (at === times.length) times.push(timeMs);
  else times.splice(at, 0, timeMs);
  if (times.length > max) times.shift();
}

/** Whether one of `second` came after one of `first` by more than 0 and at most `windowMs`. */
export function follows(first: readonly number[], second: readonly number[], windowMs: number): boolean {
  let from = 0;
  for (const timeMs of second) {
    while (from < first.length && first[from]! < timeMs - windowMs) from++;
    if (from < first.length && first[from]! < timeMs) return true;
  }
  return false;
}
