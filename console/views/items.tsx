// What trends now, and the way to an item by its id or a word of its title.
import type { RecommendedItem } from "../api/types.ts";
import { useRead } from "../api/use-read.ts";
import { Card, ViewHead } from "../parts/card.tsx";
import { formatCounted, formatNumber } from "../parts/format.ts";
import { usePaused } from "../parts/paced.ts";
import { Empty, Failed, Loading } from "../parts/state.tsx";
import { useConsole } from "../shell/context.ts";
import { go } from "../shell/route.ts";
import { useStats } from "../shell/stats.ts";
import { ItemList } from "./item-list.tsx";

const TRENDING_SHOWN = 30;
const TRENDING_EVERY_MS = 5000;
const FOUND_MAX = 20;
/** Standard deviations; what is nearer to the usual rate is noise. */
const AS_USUAL = 0.5;

/** `+15.8 σ`; nothing where an item is as usual. */
const aboveUsual = (score: number): string => (score < AS_USUAL ? "" : `+${formatNumber(score)} σ`);

function noteOn(items: readonly RecommendedItem[] = []): string {
  return items.length === 0 || items.some(({ score }) => score >= AS_USUAL)
    ? "acted on more than usual of late, in standard deviations"
    : "nothing is out of the ordinary now";
}

export function ItemsView({ query }: { query: URLSearchParams }) {
  const { api, links } = useConsole();
  const stats = useStats();
  const text = query.get("find") ?? "";
  const asked = usePaused(text.trim());
  const trending = useRead(`trending ${api.project}`, () => api.trending(TRENDING_SHOWN), TRENDING_EVERY_MS);
  return (
    <>
      <ViewHead
        title="Items"
        about={
          stats.data
            ? `${formatCounted(stats.data.totals.items, "item")} in the catalogue`
            : "The catalogue and what trends"
        }
      />
      <div class="stack">
        <form
          class="row"
          onSubmit={(event) => {
            event.preventDefault();
            if (text.trim() !== "") go(links.item(text.trim()));
          }}
        >
          <input
            class="field wide"
            type="search"
            aria-label="Find an item by its id or a word of its title"
            placeholder="An item id, or a word of its title"
            spellcheck={false}
            autocomplete="off"
            value={text}
            onInput={({ currentTarget }) => go(links.view(["items"], { find: currentTarget.value }), { replace: true })}
          />
          <button type="submit" class="btn" disabled={text.trim() === ""} title="Opens the item with this very id">
            Open
          </button>
        </form>
        {asked === "" ? null : <Found text={asked} />}
        <Card title="Trending" note={noteOn(trending.data?.items)} flush>
          {trending.data === undefined ? (
            trending.error === undefined ? (
              <Loading rows={8} />
            ) : (
              <Failed what="The trending items" error={trending.error} onRetry={trending.reload} />
            )
          ) : trending.data.items.length === 0 ? (
            <Empty icon="items" title="Nothing trends yet">
              Items trend with the first events on them. Put a catalogue with <code>PUT /v1/items</code> or import one
              with <code>attune import --items FILE EVENTS</code>.
            </Empty>
          ) : (
            <ItemList
              wide
              list={trending.data.items}
              score={aboveUsual}
              scoreTitle="Recent events above the item's usual rate, in standard deviations"
            />
          )}
        </Card>
      </div>
    </>
  );
}

function Found({ text }: { text: string }) {
  const { api } = useConsole();
  const found = useRead(`items ${api.project} ${text}`, () => api.search(text, FOUND_MAX));
  return (
    <Card title="Found" note={found.data?.items.length === FOUND_MAX ? `the first ${FOUND_MAX}` : undefined} flush>
      {found.data === undefined ? (
        found.error === undefined ? (
          <Loading rows={3} />
        ) : (
          <Failed what="The search" error={found.error} onRetry={found.reload} />
        )
      ) : found.data.items.length === 0 ? (
        <Empty icon="items" title={`No id and no word of a title begins with “${text}”`}>
          An item that only events know has no title: open it by its id.
        </Empty>
      ) : (
        <ItemList
          wide
          list={found.data.items.map((item, index) => ({ item_id: item.item_id, item, rank: index + 1, score: 0 }))}
          score={() => ""}
        />
      )}
    </Card>
  );
}
