// What moved between two lists, and why: the rule or the reason that differs.
import type { Inspection, ItemAccount } from "../../core/rank/query.ts";
import type { PreviewMove } from "../ports.ts";
import { ruleOf, verdictOf, type RuleNames } from "./preview-words.ts";

interface Looked {
  readonly inspection: Inspection;
  readonly names: RuleNames;
}

/** Of each item of either list: those of the list after in its order, then those that left. */
export function movesOf(before: Looked, after: Looked): PreviewMove[] {
  const rankIn = ({ inspection }: Looked) =>
    new Map(inspection.list.items.map(({ itemId }, i): [string, number] => [itemId, i + 1]));
  const from = rankIn(before);
  const to = rankIn(after);
  const ids = [...to.keys(), ...[...from.keys()].filter((itemId) => !to.has(itemId))];
  return ids.map((item_id) => {
    const move = { item_id, from: from.get(item_id) ?? null, to: to.get(item_id) ?? null };
    return { ...move, why: whyOf(move, before, after) };
  });
}

function whyOf({ item_id, from, to }: Omit<PreviewMove, "why">, before: Looked, after: Looked): string {
  if (to === null) return verdictOf(verdictIn(after, item_id), item_id, after.names).text;
  const now = accountIn(after, item_id)!;
  if (now.origin === "pinned" && accountIn(before, item_id)?.origin !== "pinned") return `Pinned at ${to}.`;
  const rules = changedFactors(item_id, before, after);
  if (rules.length > 0) return rules.join(" ");
  if (from === null) {
    if (now.origin === "exploration") return "New here: one place of the list tries new items.";
    if (now.origin !== undefined) return "It fills the list.";
    return `Before: ${verdictOf(verdictIn(before, item_id), item_id, before.names).text}`;
  }
  if (from === to) return "It stays.";
  const then = accountIn(before, item_id)!;
  if (then.modelRank !== now.modelRank) {
    return `The models put it at ${now.modelRank ?? "no place"}, before at ${then.modelRank ?? "no place"}.`;
  }
  return to < from ? "Others fell or left." : "Others rose or came in.";
}

/** Factors on the item's score that one side alone has, in words; one that only changed is told as it is after. */
function changedFactors(itemId: string, before: Looked, after: Looked): string[] {
  const factorsOf = (side: Looked): { name: string; by: number }[] =>
    (accountIn(side, itemId)?.factors ?? []).map((factor) => {
      const { rule } = ruleOf(factor, side.names); // Only the visitor's own feedback is no rule's.
      return { name: rule === undefined ? "for what the person turned away from" : `by ${rule}`, by: Math.round(factor.by * 1_000) / 1_000 };
    });
  const [then, now] = [factorsOf(before), factorsOf(after)];
  const come = now.filter(({ name, by }) => !then.some((one) => one.name === name && one.by === by));
  const gone = then.filter(({ name }) => !now.some((one) => one.name === name));
  return [
    ...come.map(({ name, by }) => `Score × ${by} ${name}.`),
    ...gone.map(({ name, by }) => `No more score × ${by} ${name}.`),
  ];
}

function accountIn({ inspection }: Looked, itemId: string): ItemAccount | undefined {
  return (
    inspection.accounts.find((account) => account.itemId === itemId) ??
    inspection.asked.find(({ account }) => account.itemId === itemId)?.account
  );
}

function verdictIn({ inspection }: Looked, itemId: string) {
  return inspection.asked.find(({ account }) => account.itemId === itemId)!.verdict;
}
