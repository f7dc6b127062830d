// How long something was really looked at: the page visible and focused, the computer awake.

/** Reports come at these totals, so that "longer than 30 s" is known a second later, and then each 30 s. */
const REPORTS_S = [5, 10, 20, 31, 45, 60];
const REPORT_EACH_S = 30;
/** Longer without a tick means that the page was frozen or the computer slept: counted up to here. */
export const TICK_GAP_MAX_MS = 5_000;
/** Nobody looks at one thing longer; a forgotten window does. */
export const DWELL_MAX_S = 1_800;

export interface DwellReport {
  /** Seconds since the report before. */
  value: number;
  /** Seconds since this look began. */
  total_s: number;
}

export interface DwellMeter {
  /** Time passes; `active` says whether it counts from here on. A report where one is due. To be called each second. */
  tick(nowMs: number, active: boolean): DwellReport | undefined;
  /** What was not reported yet, if anything; the look goes on. */
  rest(nowMs: number): DwellReport | undefined;
  /** The same, and the next look begins. */
  restart(nowMs: number): DwellReport | undefined;
}

export function createDwellMeter(nowMs: number): DwellMeter {
  let lastMs = nowMs;
  let counting = false;
  let totalMs = 0;
  let reportedMs = 0;

  function pass(toMs: number): void {
    if (counting)
      totalMs = Math.min(totalMs + Math.max(0, Math.min(toMs - lastMs, TICK_GAP_MAX_MS)), DWELL_MAX_S * 1_000);
    lastMs = toMs;
  }

  function report(): DwellReport | undefined {
    const value = (totalMs - reportedMs) / 1_000;
    reportedMs = totalMs;
    return value > 0 ? { value, total_s: totalMs / 1_000 } : undefined;
  }

  return {
    tick(toMs, active) {
      pass(toMs);
      counting = active;
      const reportedS = reportedMs / 1_000;
      const nextS = REPORTS_S.find((s) => s > reportedS) ?? Math.floor(reportedS / REPORT_EACH_S + 1) * REPORT_EACH_S;
      return totalMs >= nextS * 1_000 || (totalMs === DWELL_MAX_S * 1_000 && totalMs > reportedMs)
        ? report()
        : undefined;
    },
    rest(toMs) {
      pass(toMs);
      return report();
    },
    restart(toMs) {
      pass(toMs);
      const rest = report();
      totalMs = reportedMs = 0;
      return rest;
    },
  };
}
