// What this person would be shown now, per placement, and why each item is there.
import { useItems } from "../../api/use-items.ts";
import { useRead } from "../../api/use-read.ts";
import type { Item, PersonRef, Reason, RecommendationList } from "../../api/types.ts";
import { Card } from "../../parts/card.tsx";
import { Chip } from "../../parts/chip.tsx";
import { useFlip } from "../../parts/flip.ts";
import { usePaced } from "../../parts/paced.ts";
import { formatNumber, formatShare } from "../../parts/format.ts";
import { ItemLink } from "../../parts/ids.tsx";
import { ItemPicture } from "../../parts/item-picture.tsx";
import { aboutModel, MODEL_WORDS } from "../../parts/models.ts";
import { Empty, Failed, Loading } from "../../parts/state.tsx";
import { Tabs } from "../../parts/tabs.tsx";
import { useConsole } from "../../shell/context.ts";

const SHOWN = 12;
const BECAUSE_MAX = 3;
/** A busy person's lists come faster than anybody reads. */
const READABLE_MS = 1000;

interface RecommendationsProps {
  readonly person: PersonRef;
  readonly placements: readonly string[];
  readonly placement: string | undefined;
  readonly onPlacement: (name: string) => void;
  /** Newest list by placement, as the live connection pushed it. */
  readonly pushed: Readonly<Record<string, RecommendationList>>;
}

export function Recommendations({ person, placements, placement, onPlacement, pushed }: RecommendationsProps) {
  const { api, links } = useConsole();
  const read = useRead(`recommend ${api.project} ${JSON.stringify(person)} ${placement ?? ""}`, () =>
    placement === undefined ? Promise.resolve(undefined) : api.recommend(person, placement, SHOWN),
  );
  const list = (placement === undefined ? undefined : pushed[placement]) ?? read.data;
  return (
    <Card
      title="Recommendations"
      flush
      note={list ? `${list.strategy}, profile version ${list.profile_version}` : undefined}
      end={
        placements.length > 1 ? (
          <Tabs label="Placement" names={placements} chosen={placement ?? ""} onChoose={onPlacement} />
        ) : (
          <span class="faint small">{placement}</span>
        )
      }
    >
      {list !== undefined ? (
        <List key={placement} newest={list} />
      ) : read.error !== undefined ? (
        <Failed what="The recommendations" error={read.error} onRetry={read.reload} />
      ) : placement === undefined ? (
        <Empty
          icon="program"
          title="The program has no placement"
          action={
            <a class="btn" href={links.view(["program"])}>
              Open the program
            </a>
          }
        >
          Add one under <code>placements</code> to see lists here.
        </Empty>
      ) : (
        <Loading rows={6} />
      )}
    </Card>
  );
}

function List({ newest }: { newest: RecommendationList }) {
  const list = usePaced(newest, READABLE_MS);
  const body = useFlip<HTMLOListElement>(list.items.map((entry) => entry.item_id).join("\n"));
  const named = useItems(
    list.items.flatMap((entry) => [entry.item_id, ...(entry.reasons ?? []).flatMap((reason) => reason.because)]),
  );
  if (list.items.length === 0)
    return (
      <Empty icon="items" title="The list is empty">
        No item passes the placement's filter. Put items with <code>PUT /v1/items</code>, or widen the filter in the
        program.
      </Empty>
    );
  return (
    <ol class="ranked" ref={body}>
      {list.items.slice(0, SHOWN).map((entry) => (
        <li key={entry.item_id} data-flip={entry.item_id}>
          <span class="rank num">{entry.rank}</span>
          <ItemPicture id={entry.item_id} item={entry.item ?? named.get(entry.item_id)} size={40} />
          <div class="ranked-text">
            <div class="cut" dir="auto">
              <ItemLink id={entry.item_id} item={entry.item ?? named.get(entry.item_id)} />
            </div>
            <Reasons reasons={entry.reasons ?? []} named={named} />
          </div>
          <span class="num score" title="score">
            {formatNumber(entry.score)}
          </span>
        </li>
      ))}
    </ol>
  );
}

function Reasons({ reasons, named }: { reasons: readonly Reason[]; named: ReadonlyMap<string, Item> }) {
  const total = reasons.reduce((sum, reason) => sum + Math.abs(reason.weight), 0);
  const strongest = [...reasons].sort((a, b) => b.weight - a.weight);
  const main = strongest[0];
  if (main === undefined) return <div class="faint small">no reason given</div>;
  return (
    <div class="reasons small">
      <Because reason={main} named={named} />
      {strongest.map((reason) => (
        <Chip key={reason.source} title={aboutModel(reason.source)}>
          {reason.source} {total > 0 ? formatShare(Math.abs(reason.weight) / total) : ""}
        </Chip>
      ))}
    </div>
  );
}

function Because({ reason, named }: { reason: Reason; named: ReadonlyMap<string, Item> }) {
  const words = MODEL_WORDS[reason.source] ?? { alone: reason.source, because: "because of" };
  if (reason.because.length === 0) return <span class="soft">{words.alone}</span>;
  const shown = reason.because.slice(0, BECAUSE_MAX);
  return (
    <span class="soft">
      {words.because}{" "}
      {shown.map((id, index) => (
        <span key={id}>
          {index > 0 ? ", " : ""}
          <ItemLink id={id} item={named.get(id)} />
        </span>
      ))}
      {reason.because.length > shown.length ? ` and ${reason.because.length - shown.length} more` : ""}
    </span>
  );
}
