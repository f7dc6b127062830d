// What trends now, and the way to an item by its id.
import { useState } from "preact/hooks";
import type { RecommendedItem } from "../api/types.ts";
import { useRead } from "../api/use-read.ts";
import { Card, ViewHead } from "../parts/card.tsx";
import { formatCount, formatNumber } from "../parts/format.ts";
import { Empty, Failed, Loading } from "../parts/state.tsx";
import { useConsole } from "../shell/context.ts";
import { go } from "../shell/route.ts";
import { useStats } from "../shell/stats.ts";
import { ItemList } from "./item-list.tsx";

const TRENDING_SHOWN = 30;
const TRENDING_EVERY_MS = 5000;
/** Standard deviations; what is nearer to the usual rate is noise. */
const AS_USUAL = 0.5;

/** `+15.8 σ`; nothing where an item is as usual. */
const aboveUsual = (score: number): string => (score < AS_USUAL ? "" : `+${formatNumber(score)} σ`);

function noteOn(items: readonly RecommendedItem[] = []): string {
  return items.length === 0 || items.some(({ score }) => score >= AS_USUAL)
    ? "acted on more than usual of late, in standard deviations"
    : "nothing is out of the ordinary now";
}

export function ItemsView() {
  const { api, links } = useConsole();
  const stats = useStats();
  const [id, setId] = useState("");
  const trending = useRead(`trending ${api.project}`, () => api.trending(TRENDING_SHOWN), TRENDING_EVERY_MS);
  return (
    <>
      <ViewHead
        title="Items"
        about={
          stats.data
            ? `${formatCount(stats.data.totals.items)} items in the catalogue`
            : "The catalogue and what trends"
        }
      />
      <div class="stack">
        <form
          class="row"
          onSubmit={(event) => {
            event.preventDefault();
            if (id.trim() !== "") go(links.item(id.trim()));
          }}
        >
          <input
            class="field wide"
            type="search"
            aria-label="Open an item by its id"
            placeholder="An item id"
            spellcheck={false}
            autocomplete="off"
            value={id}
            onInput={(event) => setId(event.currentTarget.value)}
          />
          <button type="submit" class="btn" disabled={id.trim() === ""}>
            Open
          </button>
        </form>
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
