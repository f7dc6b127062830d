// What a command refused of a file, told so that the file can be mended: each reason once, with how often and where first.

export interface Refusals {
  /** @param place - file and line of what was refused. */
  add(refusal: { code: string; message: string; place: string }): void;
  codes(): string[];
  /** A line for each reason, most frequent first; empty where nothing was refused. */
  lines(): string[];
}

export function createRefusals(): Refusals {
  /** Codes are a closed union, so this is bounded. */
  const byCode = new Map<string, { count: number; message: string; place: string }>();
  return {
    add({ code, message, place }) {
      const known = byCode.get(code);
      if (known) known.count++;
      else byCode.set(code, { count: 1, message, place });
    },
    codes: () => [...byCode.keys()],
    lines: () =>
      [...byCode]
        .sort(([, a], [, b]) => b.count - a.count)
        .map(([code, { count, message, place }]) => `${count} × ${code}, first ${place}: ${message}`),
  };
}
