// A bounded sample of how the mouse moves.

const SAMPLE_EACH_MS = 100;
const POINTS_PER_EVENT = 20;
/** With 20 points each: at most 600 points a page. */
const EVENTS_PER_PAGE_MAX = 30;
const PAUSE_BETWEEN_EVENTS_MS = 3_000;

export interface PointerPath {
  /** `x,y,ms;…`: thousandths of the viewport, ms since the first point; once enough points came together. */
  moved(x: number, y: number, nowMs: number): string | undefined;
}

export function createPointerPath(): PointerPath {
  let points: string[] = [];
  let firstMs = 0;
  let nextMs = 0;
  let events = 0;

  return {
    moved(x, y, nowMs) {
      if (nowMs < nextMs || events >= EVENTS_PER_PAGE_MAX) return undefined;
      nextMs = nowMs + SAMPLE_EACH_MS;
      if (points.length === 0) firstMs = nowMs;
      points.push(`${Math.round(x * 1_000)},${Math.round(y * 1_000)},${Math.round(nowMs - firstMs)}`);
      if (points.length < POINTS_PER_EVENT) return undefined;
      const path = points.join(";");
      points = [];
      events++;
      nextMs = nowMs + PAUSE_BETWEEN_EVENTS_MS;
      return path;
    },
  };
}
