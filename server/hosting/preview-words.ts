// Accounts and verdicts as the API says them: fields for programs, and a sentence for people.
import type { FrequencyRule } from "../../core/program/compiled.ts";
import type { ExcludeKind } from "../../core/program/program.ts";
import type { Inspection, ItemAccount, ScoreFactor, Verdict } from "../../core/rank/query.ts";
import type { WhyNot } from "../ports.ts";

/** How rules are named: by JSON pointers into the program, or into the request where that brought them along. */
export interface RuleNames {
  boost(rule: number): string;
  /** The filter that the item does not pass. */
  filterOf(itemId: string): string;
  cap(by: string): string;
  exclude(kind: ExcludeKind): string;
  /** Of what there is only one of. */
  one(kind: "frequency" | "freshness" | "diversity"): string;
  readonly frequency: FrequencyRule | undefined;
}

export function accountOf(account: ItemAccount, names: RuleNames): Record<string, unknown> {
  const { modelRank, modelScore, sources, effects, factors, score, scoreRank, origin } = account;
  return {
    model_rank: modelRank ?? null,
    model_score: modelScore ?? null,
    score: score ?? null,
    score_rank: scoreRank ?? null,
    sources: sources.map(({ source, rank, chance, because }) => ({ source, rank, chance, because: [...because] })),
    effects: effects.map(({ name, effect }) => ({ name, effect })),
    factors: factors.map((factor) => ({ ...ruleOf(factor, names), by: factor.by })),
    ...(origin === undefined ? {} : { placed: origin }),
  };
}

export function ruleOf({ kind, rule }: ScoreFactor, names: RuleNames): { kind: string; rule?: string } {
  if (kind === "boost") return { kind, rule: names.boost(rule ?? 0) };
  return kind === "feedback" ? { kind } : { kind, rule: names.one(kind) };
}

/** What became of an item that was asked about. */
export function whyNotOf(itemId: string, { asked, list }: Inspection, names: RuleNames): WhyNot {
  const found = asked.find(({ account }) => account.itemId === itemId)!;
  const { verdict, account } = found;
  return { ...verdictOf(verdict, itemId, names), of: list.items.length, account: accountOf(account, names) };
}

/** A verdict as status, details and words. */
export function verdictOf(verdict: Verdict, itemId: string, names: RuleNames): WhyNot {
  switch (verdict.kind) {
    case "listed":
      return { status: "listed", rank: verdict.rank, text: `It is in the list, at ${verdict.rank}.` };
    case "unknown":
      return { status: "unknown", text: "Neither the catalogue nor any event knows this item." };
    case "not_in_catalogue":
      return {
        status: "not_in_catalogue",
        rule: "/models/catalogue_only",
        text: "Only events know it, and the program lists the catalogue alone.",
      };
    case "too_few_persons":
      return {
        status: "too_few_persons",
        rule: "/models/crowd/min_persons",
        text: "Too few people have opened it for others to be shown it.",
      };
    case "unavailable":
      return { status: "unavailable", text: "The catalogue says that it is not available." };
    case "page_item":
      return { status: "page_item", text: "It is the item of the page that asks." };
    case "excluded_by_request":
      return { status: "excluded", by: "request", text: "The request leaves it out (`exclude`)." };
    case "purchased":
    case "seen":
    case "dismissed":
    case "session":
      return {
        status: "excluded",
        by: verdict.kind,
        rule: names.exclude(verdict.kind),
        text: `Left out: ${EXCLUDED[verdict.kind]}.`,
      };
    case "filtered": {
      const rule = names.filterOf(itemId);
      return { status: "filtered", rule, text: `It does not pass the filter ${rule}.` };
    }
    case "too_often_shown": {
      const shows = names.frequency?.shows;
      const text = `Shown ${shows ?? "too many"} times or more without being opened.`;
      return { status: "frequency", rule: names.one("frequency"), text, ...(shows === undefined ? {} : { shows }) };
    }
    case "capped": {
      const { by, value, max } = verdict;
      return {
        status: "capped",
        by,
        value,
        max,
        rule: names.cap(by),
        text: `The list has ${max} of ${by} “${value}” already.`,
      };
    }
    case "diversity":
      return {
        status: "diversity",
        score_rank: verdict.scoreRank,
        rule: names.one("diversity"),
        text: `By score it would be at ${verdict.scoreRank}; less alike items took its place.`,
      };
    case "displaced":
      return {
        status: "displaced",
        score_rank: verdict.scoreRank,
        text: `By score it would be at ${verdict.scoreRank}; pinned or new items took its place.`,
      };
    case "ranked":
      return {
        status: "ranked",
        score_rank: verdict.scoreRank,
        text: `By score it is at ${verdict.scoreRank}, behind the end of the list.`,
      };
    case "put_last":
      return putLast(verdict, names);
    case "ranked_too_low":
      return { status: "ranked", model_rank: verdict.modelRank, text: tooLow(verdict) };
    case "not_proposed":
      return {
        status: "not_proposed",
        text: "No model proposes it: nothing that the person did leads to it, and few others open it.",
      };
  }
}

function putLast({ scoreRank, factor }: Extract<Verdict, { kind: "put_last" }>, names: RuleNames): WhyNot {
  const last = { status: "ranked", score_rank: scoreRank };
  const { rule } = ruleOf(factor, names);
  if (rule === undefined) {
    return { ...last, text: "The person has turned away from it, so it comes behind everything else." };
  }
  return { ...last, rule, text: `Score × ${rounded(factor.by)} by ${rule}: it comes behind everything else.` };
}

const rounded = (by: number): number => Math.round(by * 1_000) / 1_000;

function tooLow({ modelRank, feedback = 1 }: Extract<Verdict, { kind: "ranked_too_low" }>): string {
  if (feedback === 1) return `The models put it at ${modelRank}, too far down for rules to reach it.`;
  const why = `the person has turned away from it or its like (score × ${rounded(feedback)})`;
  return `The models put it at ${modelRank}; ${why}, and that is too far down for rules to reach it.`;
}

const EXCLUDED = {
  purchased: "the person has bought it",
  seen: "the person has opened it or turned away from it",
  dismissed: "the person has waved it away",
  session: "the person has opened it in this session",
} as const;
