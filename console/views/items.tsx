// What trends now, and the way to an item by its id.
import { useState } from "preact/hooks";
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
/** Less than this above the usual, and up to it below, is noise. */
const AS_USUAL = 0.05;

/** `+15.8`, or words where nothing is out of the ordinary. */
const aboveUsual = (score: number): string => (score < AS_USUAL ? "as usual" : `+${formatNumber(score)}`);

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
        <Card title="Trending" note="acted on more than usual of late: how much more, followed live" flush>
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
              scoreTitle="Weight of the recent events above what is usual for the item"
            />
          )}
        </Card>
      </div>
    </>
  );
}
