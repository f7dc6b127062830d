// The catalogue: items in (all or none), one out, one away.
import type { Item } from "../../core/item/item.ts";
import { itemView, normaliseItem, type ItemRejection } from "../../core/item/validate.ts";
import { readObject } from "../http/json-body.ts";
import { fromQuery, ID_CHARS_MAX, pathText, texts } from "../http/parameters.ts";
import { Problem } from "../http/problem.ts";
import { ok, type Answer, type Call, type Route } from "../http/route.ts";
import type { Project } from "../ports.ts";

const ITEMS_MAX = 10_000;
const READ_MAX = 100;
const FAULTS_SHOWN_MAX = 100;

/** @param onCatalogue - called after the catalogue changed, so that live lists are made anew. */
export function itemRoutes(onCatalogue: (project: Project) => void): Route[] {
  return [
    { method: "PUT", path: "/v1/items", access: "operate", handle: putItems },
    { method: "GET", path: "/v1/items", access: "browse", handle: readItems },
    { method: "GET", path: "/v1/items/{item_id}", access: "browse", handle: readItem },
    { method: "DELETE", path: "/v1/items/{item_id}", access: "operate", handle: deleteItem },
  ];

  async function putItems(call: Call): Promise<Answer> {
    const { items: raws } = await readObject(call);
    if (!Array.isArray(raws)) {
      throw new Problem("bad_parameter", "`items` must be an array.", { parameter: "items", pointer: "/items" });
    }
    if (raws.length > ITEMS_MAX) throw new Problem("body_too_large", `At most ${ITEMS_MAX} items can be put at once.`);
    const items: Item[] = [];
    const faults: Pick<ItemRejection, "code" | "path" | "message">[] = [];
    for (let i = 0; i < raws.length && faults.length < FAULTS_SHOWN_MAX; i++) {
      const result = normaliseItem(raws[i]);
      if ("item" in result) items.push(result.item);
      else {
        const { code, path, message } = result.rejected;
        faults.push({ code, path: `/items/${i}${path}`, message });
      }
    }
    if (faults.length > 0)
      throw new Problem("bad_item", "Nothing was changed; correct the items and send all again.", { faults });
    await call.project.putItems(items);
    if (items.length > 0) onCatalogue(call.project);
    return { ...ok({ accepted: items.length }), audit: { items: items.length } };
  }

  async function deleteItem(call: Call): Promise<Answer> {
    if (!(await call.project.deleteItem(pathText(call, "item_id")))) throw unknownItem();
    onCatalogue(call.project);
    return { status: 204 };
  }
}

async function readItem(call: Call): Promise<Answer> {
  const item = await call.project.item(pathText(call, "item_id"));
  if (item === undefined) throw unknownItem();
  return ok(itemView(item));
}

async function readItems(call: Call): Promise<Answer> {
  const ids = texts(fromQuery(call.query), "ids", { countMax: READ_MAX, charsMax: ID_CHARS_MAX });
  if (ids.length === 0) throw new Problem("bad_parameter", "`ids` is required.", { parameter: "ids" });
  const items = await Promise.all(ids.map((id) => call.project.item(id)));
  return ok({ items: items.filter((item) => item !== undefined).map(itemView) });
}

function unknownItem(): Problem {
  return new Problem("unknown_item", "The catalogue has no such item.", { parameter: "item_id" });
}
