// Scores by item slot while one model looks for its best candidates, and the best of them in order.
import { LIST_MAX } from "./config.ts";

/** A dense sheet of scores that is used again for every query; only touched slots are looked at and wiped. */
export interface ScoreSheet {
  /** Grows with the catalogue: read it anew after `reserve`. */
  scores: Float64Array;
  touched: Int32Array;
  count: number;
  reserve(slotEnd: number): void;
}

export function createScoreSheet(): ScoreSheet {
  const sheet: ScoreSheet = {
    scores: new Float64Array(1024),
    touched: new Int32Array(1024),
    count: 0,
    reserve(slotEnd) {
      if (slotEnd <= sheet.scores.length) return;
      const size = Math.max(slotEnd, sheet.scores.length * 2);
      sheet.scores = new Float64Array(size);
      sheet.touched = new Int32Array(size);
    },
  };
  return sheet;
}

/** Adds a positive score. */
export function addScore(sheet: ScoreSheet, slot: number, score: number): void {
  const before = sheet.scores[slot]!;
  if (before === 0) sheet.touched[sheet.count++] = slot;
  sheet.scores[slot] = before + score;
}

/** At most LIST_MAX items, best first; equal scores in order of slot. */
export interface CandidateList {
  readonly slots: Int32Array;
  readonly scores: Float64Array;
  length: number;
}

export function createCandidateList(max = LIST_MAX): CandidateList {
  return { slots: new Int32Array(max), scores: new Float64Array(max), length: 0 };
}

/** Moves the best of the sheet into `list` and wipes the sheet. O(touched + max log max) typically. */
export function takeBest(sheet: ScoreSheet, list: CandidateList): void {
  const { slots, scores: kept } = list;
  const { scores, touched, count } = sheet;
  const max = slots.length;
  let length = 0;
  let i = 0;
  for (; i < count && length < max; i++) {
    const slot = touched[i]!;
    const score = scores[slot]!;
    scores[slot] = 0;
    if (!(score > 0)) continue;
    slots[length] = slot;
    kept[length++] = score;
  }
  if (i < count) {
    for (let at = (length >> 1) - 1; at >= 0; at--) siftDown(slots, kept, at, length);
    for (; i < count; i++) {
      const slot = touched[i]!;
      const score = scores[slot]!;
      scores[slot] = 0;
      const worst = kept[0]!;
      if (score < worst || (score === worst && slot > slots[0]!)) continue;
      slots[0] = slot;
      kept[0] = score;
      siftDown(slots, kept, 0, length);
    }
  } else {
    for (let at = (length >> 1) - 1; at >= 0; at--) siftDown(slots, kept, at, length);
  }
  for (let end = length - 1; end > 0; end--) {
    const slot = slots[0]!;
    const score = kept[0]!;
    slots[0] = slots[end]!;
    kept[0] = kept[end]!;
    slots[end] = slot;
    kept[end] = score;
    siftDown(slots, kept, 0, end);
  }
  list.length = length;
  sheet.count = 0;
}

/** Min-heap by (score, then the larger slot): its root is the worst that is kept. */
function siftDown(slots: Int32Array, scores: Float64Array, from: number, length: number): void {
  const slot = slots[from]!;
  const score = scores[from]!;
  let at = from;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= length) break;
    const right = child + 1;
    if (right < length && isWorse(scores[right]!, slots[right]!, scores[child]!, slots[child]!)) child = right;
    if (!isWorse(scores[child]!, slots[child]!, score, slot)) break;
    scores[at] = scores[child]!;
    slots[at] = slots[child]!;
    at = child;
  }
  scores[at] = score;
  slots[at] = slot;
}

/** Readies a list in any order for `nextBest`; what has no positive score leaves it. O(length). */
export function startBestFirst(list: CandidateList): void {
  const { slots, scores } = list;
  let length = 0;
  for (let i = 0; i < list.length; i++) {
    if (!(scores[i]! > 0)) continue;
    slots[length] = slots[i]!;
    scores[length++] = scores[i]!;
  }
  list.length = length;
  for (let at = (length >> 1) - 1; at >= 0; at--) sinkBest(slots, scores, at, length);
}

/** Takes the best of the rest out of the list; it stands where the list now ends. O(log length). */
export function nextBest(list: CandidateList): number {
  const { slots, scores } = list;
  const end = --list.length;
  const slot = slots[0]!;
  const score = scores[0]!;
  slots[0] = slots[end]!;
  scores[0] = scores[end]!;
  slots[end] = slot;
  scores[end] = score;
  sinkBest(slots, scores, 0, end);
  return end;
}

/** The heap the other way round: its root is the best. */
function sinkBest(slots: Int32Array, scores: Float64Array, from: number, length: number): void {
  const slot = slots[from]!;
  const score = scores[from]!;
  let at = from;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= length) break;
    const right = child + 1;
    if (right < length && isWorse(scores[child]!, slots[child]!, scores[right]!, slots[right]!)) child = right;
    if (!isWorse(score, slot, scores[child]!, slots[child]!)) break;
    scores[at] = scores[child]!;
    slots[at] = slots[child]!;
    at = child;
  }
  scores[at] = score;
  slots[at] = slot;
}

function isWorse(score: number, slot: number, thanScore: number, thanSlot: number): boolean {
  return score < thanScore || (score === thanScore && slot > thanSlot);
}
