// Ranked items without a person: trending, similar. The score is a length, the order moves softly.
import type { RecommendedItem } from "../api/types.ts";
import { useItems } from "../api/use-items.ts";
import { Chip } from "../parts/chip.tsx";
import { useFlip } from "../parts/flip.ts";
import { formatNumber } from "../parts/format.ts";
import { ItemLink } from "../parts/ids.tsx";
import { ItemPicture } from "../parts/item-picture.tsx";

const CATEGORIES_SHOWN = 3;

interface ItemListProps {
  readonly list: readonly RecommendedItem[];
  readonly wide?: boolean;
  /** What the score means, for a hover, and how it is written. */
  readonly scoreTitle?: string;
  readonly score?: (score: number) => string;
}

export function ItemList({ list, wide, scoreTitle = "score", score = formatNumber }: ItemListProps) {
  const body = useFlip<HTMLOListElement>(list.map((entry) => entry.item_id).join("\n"));
  const named = useItems(list.map((entry) => entry.item_id));
  const top = list.reduce((most, entry) => Math.max(most, entry.score), 0);
  return (
    <ol
      class={wide === true ? "ranked two-columns" : "ranked"}
      ref={body}
      style={{ "--rows": Math.ceil(list.length / 2) }}
    >
      {list.map((entry) => {
        const item = entry.item ?? named.get(entry.item_id);
        return (
          <li key={entry.item_id} data-flip={entry.item_id}>
            <span class="rank num">{entry.rank}</span>
            <ItemPicture id={entry.item_id} item={item} size={40} />
            <div class="ranked-text">
              <div class="cut" dir="auto">
                <ItemLink id={entry.item_id} item={item} />
              </div>
              <div class="row nowrap-row">
                {(item?.categories ?? []).slice(0, CATEGORIES_SHOWN).map((name) => (
                  <Chip key={name}>{name}</Chip>
                ))}
              </div>
            </div>
            <div class="score-bar" title={scoreTitle}>
              <span class="num">{score(entry.score)}</span>
              {top > 0 && score(entry.score) !== "" ? (
                <span class="track" aria-hidden="true">
                  <span class="fill" style={{ width: `${Math.max(0, entry.score / top) * 100}%` }} />
                </span>
              ) : null}
            </div>
          </li>
        );
      })}
    </ol>
  );
}
