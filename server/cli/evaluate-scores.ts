// Hit rate, reciprocal rank and discounted gain of lists of 20, by model, and what their work costs.
import { createIntervalBooks, type Interval, type Intervals } from "./evaluate-intervals.ts";

const EXACT_EVENTS = 100; // See blockOf.
const TIMES_MAX = 50_000; // Reservoir of timings per model and kind of work.

export interface ModelReport {
  name: string;
  hr20: number;
  mrr20: number;
  ndcg20: number;
  recommend_us_p50: number;
  learn_us: number;
}

export interface EvaluationReport {
  events: number;
  evaluated: number;
  models: ModelReport[];
  /** 95 %, where they were asked for. */
  intervals?: Intervals;
  took_s: number;
}

interface Block {
  hits: number;
  reciprocal: number;
  gain: number;
}

interface Row {
  blocks: (Block | undefined)[];
  listMs: number[];
  learnMs: number;
  learnt: number;
  listed: number;
}

export interface Scoreboard {
  /** One list against the item that came; `event` is its place in the file. */
  score(model: string, event: number, list: readonly string[], target: string): void;
  /** One event of a session was scored by all models. */
  scored(event: number, session: string): void;
  time(model: string, work: "learn" | "list", ms: number): void;
  /** Forgets what was scored before `event`, and up to a hundredth of it more. */
  cutBefore(event: number): void;
  report(events: number, tookS: number): EvaluationReport;
  table(report: EvaluationReport): string;
}

/**
 * Sums are kept by block of events, so that a warm-up can be cut off afterwards: one event each at first, then as many as are
 * a hundredth of what came before.
 */
function blockOf(event: number): number {
  return event < EXACT_EVENTS ? event : Math.floor(EXACT_EVENTS * (1 + Math.log(event / EXACT_EVENTS)));
}

/** @param draws - of the bootstrap; 0 for none. */
export function createScoreboard(draws = 0): Scoreboard {
  const books = draws > 0 ? createIntervalBooks() : undefined;
  const rows = new Map<string, Row>();
  const counts: number[] = [];
  let firstBlock = 0;
  let firstEvent = 0;

  const rowOf = (model: string): Row => {
    let row = rows.get(model);
    if (row === undefined) rows.set(model, (row = { blocks: [], listMs: [], learnMs: 0, learnt: 0, listed: 0 }));
    return row;
  };

  return {
    score(model, event, list, target) {
      const place = list.indexOf(target);
      books?.note(model, place);
      if (place < 0) {
        rowOf(model);
        return;
      }
      const { blocks } = rowOf(model);
      const at = blockOf(event);
      const block = (blocks[at] ??= { hits: 0, reciprocal: 0, gain: 0 });
      block.hits++;
      block.reciprocal += 1 / (place + 1);
      block.gain += 1 / Math.log2(place + 2);
    },
    scored(event, session) {
      books?.close(session, event);
      const at = blockOf(event);
      counts[at] = (counts[at] ?? 0) + 1;
    },
    time(model, work, ms) {
      const row = rowOf(model);
      if (work === "learn") {
        row.learnMs += ms;
        row.learnt++;
      } else {
        // The latest ones: the state is largest at the end, and so is its cost.
        row.listMs[row.listed++ % TIMES_MAX] = ms;
      }
    },
    cutBefore(event) {
      firstEvent = event;
      while (firstEvent > 0 && blockOf(firstEvent) === blockOf(firstEvent - 1)) firstEvent++;
      firstBlock = blockOf(firstEvent);
    },
    report(events, tookS) {
      let evaluated = 0;
      for (let at = firstBlock; at < counts.length; at++) evaluated += counts[at] ?? 0;
      const shareOf = (sum: number): number => (evaluated === 0 ? 0 : Math.round((sum / evaluated) * 1e5) / 1e5);
      const models = [...rows].map(([name, row]): ModelReport => {
        const sum: Block = { hits: 0, reciprocal: 0, gain: 0 };
        for (const block of row.blocks.slice(firstBlock)) {
          if (block === undefined) continue;
          sum.hits += block.hits;
          sum.reciprocal += block.reciprocal;
          sum.gain += block.gain;
        }
        const times = row.listMs.toSorted((a, b) => a - b);
        const micros = (ms: number): number => Math.round(ms * 1e4) / 10;
        return {
          name,
          hr20: shareOf(sum.hits),
          mrr20: shareOf(sum.reciprocal),
          ndcg20: shareOf(sum.gain),
          recommend_us_p50: times.length === 0 ? 0 : micros(times[times.length >> 1]!),
          learn_us: row.learnt === 0 ? 0 : micros(row.learnMs / row.learnt),
        };
      });
      models.sort((a, b) => Number(a.name === "blend") - Number(b.name === "blend"));
      const intervals = books?.intervals(draws, firstEvent);
      const report = { events, evaluated, models, took_s: Math.round(tookS * 100) / 100 };
      return intervals === undefined ? report : { ...report, intervals };
    },
    table({ events, evaluated, models, took_s, intervals }) {
      const cells = models.map((model) => [
        model.name,
        model.hr20.toFixed(4),
        model.mrr20.toFixed(4),
        model.ndcg20.toFixed(4),
        model.recommend_us_p50.toFixed(1),
        model.learn_us.toFixed(1),
      ]);
      const lines = [["model", "HR@20", "MRR@20", "NDCG@20", "recommend µs p50", "learn µs"], ...cells];
      const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
      const text = lines.map((line) =>
        line.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join("  "),
      );
      const more = intervals === undefined ? "" : intervalLines(intervals);
      return `${text.join("\n")}\n${events} events, ${evaluated} evaluated in ${took_s} s\n${more}`;
    },
  };
}

function intervalLines({ hr20, mrr20, lead }: Intervals): string {
  const range = ([low, high]: Interval): string => `${(100 * low).toFixed(2)} to ${(100 * high).toFixed(2)}`;
  const leads =
    lead.hr20 === null || lead.mrr20 === null
      ? `  ${lead.over} hits too little to be compared with`
      : `  the blend leads it by ${range(lead.hr20)} % in HR@20, ${range(lead.mrr20)} % in MRR@20`;
  return [
    `95 %, sessions drawn again: blend HR@20 ${range(hr20["blend"]!)}, MRR@20 ${range(mrr20["blend"]!)}`,
    `  ${lead.over} HR@20 ${range(hr20[lead.over]!)}, MRR@20 ${range(mrr20[lead.over]!)}`,
    `${leads}\n`,
  ].join("\n");
}
