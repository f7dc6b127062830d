// Two lists side by side: as it is and as it would be, what moved, and why.
import { useState } from "preact/hooks";
import type { Item } from "../api/types.ts";
import { Card } from "../parts/card.tsx";
import { Chip } from "../parts/chip.tsx";
import { useFlip } from "../parts/flip.ts";
import { formatNumber } from "../parts/format.ts";
import { Icon } from "../parts/icon.tsx";
import { ItemLink } from "../parts/ids.tsx";
import { ItemPicture } from "../parts/item-picture.tsx";
import { Empty } from "../parts/state.tsx";
import type { Account, Move, Preview, PreviewItem, PreviewList } from "./preview-types.ts";
import { namedRules } from "./rule-names.ts";

interface ComparisonProps {
  readonly preview: Preview;
  readonly beforeTitle?: string;
  readonly afterTitle?: string;
}

export function Comparison({ preview, beforeTitle = "Before", afterTitle = "After" }: ComparisonProps) {
  const { before, after, moves } = preview;
  const moveOf = new Map(moves.map((move) => [move.item_id, move]));
  const came = moves.filter(({ from }) => from === null).length;
  const left = moves.filter(({ to }) => to === null).length;
  const moved = moves.filter(({ from, to }) => from !== null && to !== null && from !== to).length;
  const isSame = came + left + moved === 0;
  return (
    <div class="side-by-side" style={{ "--rows": Math.max(1, before.items.length, after.items.length) }}>
      <Card title={beforeTitle} note={about(before)} flush>
        <List list={before} moveOf={moveOf} side="before" />
      </Card>
      <Card
        title={afterTitle}
        note={isSame ? `${about(after)}, the same list` : `${about(after)}, ${came} came, ${left} left, ${moved} moved`}
        flush
      >
        <List list={after} moveOf={moveOf} side="after" />
      </Card>
    </div>
  );
}

function about({ strategy, ranker }: PreviewList): string {
  return `${strategy.replaceAll("_", " ")}, ranked by ${ranker}`;
}

interface ListProps {
  readonly list: PreviewList;
  readonly moveOf: ReadonlyMap<string, Move>;
  readonly side: "before" | "after";
}

function List({ list, moveOf, side }: ListProps) {
  const body = useFlip<HTMLOListElement>(list.items.map(({ item_id }) => item_id).join("\n"));
  if (list.items.length === 0)
    return (
      <Empty icon="items" title="The list is empty">
        No item passes. Widen the filter, or put items with <code>PUT /v1/items</code>.
      </Empty>
    );
  return (
    <ol class="ranked" ref={body}>
      {list.items.map((entry) => (
        <Entry key={entry.item_id} entry={entry} move={moveOf.get(entry.item_id)} side={side} />
      ))}
    </ol>
  );
}

function Entry({ entry, move, side }: { entry: PreviewItem; move: Move | undefined; side: ListProps["side"] }) {
  const [open, setOpen] = useState(false);
  const name = entry.item?.title ?? entry.item_id;
  // The list before says what leaves it, the one after what came and moved.
  const isTold = move !== undefined && (side === "before" ? move.to === null : move.from !== move.to);
  return (
    <li data-flip={entry.item_id}>
      <span class="rank num">{entry.rank}</span>
      <ItemPicture id={entry.item_id} item={entry.item} size={32} />
      <div class="ranked-text">
        <div class="cut" dir="auto">
          <ItemLink id={entry.item_id} item={entry.item} />
        </div>
        <div class="small soft">{isTold ? namedRules(move.why) : entry.reason_text}</div>
      </div>
      <div class="row">
        {isTold ? <MoveChip move={move} /> : null}
        <button
          type="button"
          class="btn quiet small twist"
          aria-expanded={open}
          aria-label={`Why ${name} is at ${entry.rank}`}
          onClick={() => setOpen(!open)}
        >
          <Icon name="right" size={12} /> Why
        </button>
      </div>
      {open ? <AccountOf account={entry.account} text={entry.reason_text} /> : null}
    </li>
  );
}

function MoveChip({ move: { from, to } }: { move: Move }) {
  if (to === null) return <Chip tone="bad">leaves</Chip>;
  if (from === null) return <Chip tone="good">new</Chip>;
  return <Chip tone={to < from ? "good" : "warn"}>{to < from ? `▲ ${from - to}` : `▼ ${to - from}`}</Chip>;
}

/** What the models and the rules made of one item: for the analyst. */
export function AccountOf({ account, text }: { account: Account; text?: string }) {
  const { sources, effects, factors, model_rank, model_score, score, score_rank, placed } = account;
  return (
    <dl class="account small">
      {text === undefined ? null : (
        <>
          <dt>Reader</dt>
          <dd>{text}</dd>
        </>
      )}
      <dt>Models</dt>
      <dd class="num">
        {model_rank === null
          ? "proposed by none"
          : `at ${model_rank}, ${formatNumber(model_score ?? 0)}: ${sources
              .map(({ source, rank, chance }) => `${source} at ${rank} (${formatNumber(chance)})`)
              .join(", ")}`}
      </dd>
      {effects.length === 0 ? null : (
        <>
          <dt>Ranker</dt>
          <dd class="num">
            {effects
              .slice(0, 6)
              .map(({ name, effect }) => `${name.replaceAll("_", " ")} ${signed(effect)}`)
              .join(", ")}
          </dd>
        </>
      )}
      <dt>Rules</dt>
      <dd class="num">
        {placed === undefined ? "" : `${placed}. `}
        {factors.length === 0
          ? "no rule changed its score"
          : factors.map(({ rule, by }) => `× ${formatNumber(by)} ${rule === undefined ? "for what the person turned away from" : namedRules(rule)}`).join(", ")}
        {score === null ? "" : `; score ${formatNumber(score)}, at ${score_rank ?? 0}`}
      </dd>
    </dl>
  );
}

function signed(effect: number): string {
  return `${effect > 0 ? "+" : "−"}${formatNumber(Math.abs(effect))}`;
}

interface WhyNotProps {
  readonly asked: Preview["why_not"];
  readonly isOneList: boolean;
}

/** Why items are not in the list, in both. */
export function WhyNot({ asked, isOneList }: WhyNotProps) {
  if (asked.length === 0) return null;
  return (
    <ul class="why-not">
      {asked.map(({ item_id, item, before, after }) => (
        <li key={item_id}>
          <Named id={item_id} item={item} />
          <p class="soft">
            {namedRules(isOneList || before.text === after.text ? after.text : `Before: ${before.text} After: ${after.text}`)}
          </p>
          {after.account === undefined ? null : <AccountOf account={after.account} />}
        </li>
      ))}
    </ul>
  );
}

function Named({ id, item }: { id: string; item: Item | undefined }) {
  return (
    <div class="cut" dir="auto">
      <ItemLink id={id} item={item} />
    </div>
  );
}
