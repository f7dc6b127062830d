// What the models of `evaluate` are told, in order and as late as `--delay` says.

const TAUGHT_MAX = 100_000; // Lessons that were taught and not yet dropped.

export interface Lessons {
  /** What happened at `atMs`, in order of time. */
  add(atMs: number, teach: () => void): void;
  /** Teaches what is due by then: to be called before a list is asked for. */
  until(nowMs: number): void;
}

export function createLessons(delayMs: number): Lessons {
  const late: { readonly dueMs: number; readonly teach: () => void }[] = [];
  let from = 0;
  return {
    add(atMs, teach) {
      if (delayMs === 0) teach();
      else late.push({ dueMs: atMs + delayMs, teach });
    },
    until(nowMs) {
      for (; from < late.length && late[from]!.dueMs <= nowMs; from++) late[from]!.teach();
      if (from < TAUGHT_MAX) return;
      late.splice(0, from);
      from = 0;
    },
  };
}
