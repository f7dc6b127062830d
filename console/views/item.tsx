// One item: what the catalogue says, what is like it, what is happening on it.
import { ApiProblem } from "../api/client.ts";
import type { Item } from "../api/types.ts";
import { useRead } from "../api/use-read.ts";
import { Card, ViewHead } from "../parts/card.tsx";
import { Chip } from "../parts/chip.tsx";
import { formatMoney } from "../parts/format.ts";
import { ItemPicture } from "../parts/item-picture.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { Empty, Failed, Loading } from "../parts/state.tsx";
import { useConsole } from "../shell/context.ts";
import { ItemList } from "./item-list.tsx";

const SIMILAR_SHOWN = 20;
const SIMILAR_EVERY_MS = 5000;

export function ItemView({ id }: { id: string }) {
  const { api, links } = useConsole();
  const read = useRead(`item ${api.project} ${id}`, () => api.item(id));
  const similar = useRead(`similar ${api.project} ${id}`, () => api.similar(id, SIMILAR_SHOWN), SIMILAR_EVERY_MS);
  const unknown = read.error instanceof ApiProblem && read.error.status === 404;
  const item = read.data;
  // What is left of the list is filled up with what is like nothing.
  const alike = similar.data?.items.filter(({ score }) => score > 0) ?? [];
  return (
    <>
      <ViewHead
        title={<span dir="auto">{item?.title ?? id}</span>}
        about={<span class="id">{id}</span>}
        end={
          <>
            <a class="btn" href={links.view(["merchandising"], { why_not: id })}>
              Why not in a list
            </a>
            <a class="btn" href={links.view(["items"])}>
              Trending items
            </a>
          </>
        }
      />
      <div class="grid">
        <div class="stack span-8">
          <Card title="Similar items" flush>
            {similar.data === undefined ? (
              similar.error === undefined ? (
                <Loading rows={8} />
              ) : notThere(similar.error) ? (
                <NoneSimilar />
              ) : (
                <Failed what="Similar items" error={similar.error} onRetry={similar.reload} />
              )
            ) : alike.length === 0 ? (
              <NoneSimilar />
            ) : (
              <ItemList list={alike} />
            )}
          </Card>
        </div>
        <div class="stack span-4">
          <Card title="Catalogue">
            {item !== undefined ? (
              <Facts item={item} />
            ) : unknown ? (
              <Empty title="Not in the catalogue">
                Events may name it all the same, and it is recommended without a title or picture. Put it with{" "}
                <code>PUT /v1/items</code>.
              </Empty>
            ) : read.error !== undefined ? (
              <Failed what="The item" error={read.error} onRetry={read.reload} />
            ) : (
              <Loading />
            )}
          </Card>
        </div>
      </div>
    </>
  );
}

function notThere(error: unknown): boolean {
  return error instanceof ApiProblem && error.status === 404;
}

function NoneSimilar() {
  return (
    <Empty title="Nothing is like it yet">
      Likeness comes from sessions that touch both items, and from shared categories and tags. It appears here as they
      come.
    </Empty>
  );
}

function Names({ names, tone }: { names: readonly string[]; tone?: "accent" }) {
  if (names.length === 0) return <span class="faint">none</span>;
  return (
    <span class="row">
      {names.map((name) => (
        <Chip key={name} tone={tone}>
          {name}
        </Chip>
      ))}
    </span>
  );
}

/** The item's page on its site; an address of another kind (`javascript:`, an app's) is only read. */
function PageLink({ url }: { url: string }) {
  if (!/^https?:\/\//i.test(url)) return <>{url}</>;
  return (
    <a href={url} target="_blank" rel="noreferrer">
      {url}
    </a>
  );
}

function Facts({ item }: { item: Item }) {
  const attributes = Object.entries(item.attributes ?? {}).filter(
    ([, value]) => value !== null && value !== undefined && value !== "",
  );
  return (
    <div class="stack">
      <div class="row top">
        <ItemPicture id={item.item_id} item={item} size={96} />
        <div class="stack tight">
          {item.available === false ? <Chip tone="warn">not available</Chip> : <Chip tone="good">available</Chip>}
          {item.price === undefined ? null : (
            <span class="num">
              <span class="faint">price</span> {formatMoney(item.price)}
            </span>
          )}
          {item.published_at === undefined ? null : (
            <span>
              <span class="faint">published</span> <RelativeTime at={item.published_at} />
            </span>
          )}
        </div>
      </div>
      <dl class="facts">
        <dt>categories</dt>
        <dd>
          <Names names={item.categories} tone="accent" />
        </dd>
        <dt>tags</dt>
        <dd>
          <Names names={item.tags} />
        </dd>
        {item.url === undefined ? null : (
          <>
            <dt>url</dt>
            <dd class="cut" title={item.url}>
              <PageLink url={item.url} />
            </dd>
          </>
        )}
        {attributes.flatMap(([name, value]) => [
          <dt key={`${name} name`} class="cut">
            {name}
          </dt>,
          <dd key={name}>{typeof value === "string" ? value : JSON.stringify(value)}</dd>,
        ])}
      </dl>
    </div>
  );
}
