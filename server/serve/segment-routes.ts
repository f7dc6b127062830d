// Segments with live sizes, their members, and the search for a person, an item or a segment by how its name begins.
import {
  fromQuery,
  ID_CHARS_MAX,
  integer,
  LIST_LIMIT_MAX,
  optionalText,
  pathText,
  requiredText,
} from "../http/parameters.ts";
import { ok, type Answer, type Call, type Route } from "../http/route.ts";
import { itemView } from "../../core/item/validate.ts";
import { unknownName } from "./unknown-name.ts";

/** Page keys are the host's; longer than an id because they may carry a prefix. */
const PAGE_KEY_CHARS_MAX = 512;

export function segmentRoutes(): Route[] {
  return [
    { method: "GET", path: "/v1/segments", access: "read", handle: async (call) => ok({ segments: await call.project.segments() }) },
    { method: "GET", path: "/v1/segments/{name}/users", access: "read", persons: true, handle: segmentUsers },
    { method: "GET", path: "/v1/search", access: "read", persons: true, handle: search },
  ];
}

async function segmentUsers(call: Call): Promise<Answer> {
  const source = fromQuery(call.query);
  const limit = integer(source, "limit", { low: 1, high: 1_000, otherwise: 50 });
  const after = optionalText(source, "after", PAGE_KEY_CHARS_MAX);
  const segment = pathText(call, "name");
  const page = await call.project.segmentUsers(segment, { limit, ...(after !== undefined && { after }) });
  if (page === undefined) throw await unknownName(call.project, "unknown_segment", segment, { parameter: "name" });
  return ok({ segment, users: page.users, total: page.total, next: page.next ?? null });
}

async function search(call: Call): Promise<Answer> {
  const source = fromQuery(call.query);
  // An empty one is a question too: the first of all persons, to look through.
  const query = call.query["q"] === "" ? "" : requiredText(source, "q", ID_CHARS_MAX);
  const limit = integer(source, "limit", { low: 1, high: LIST_LIMIT_MAX, otherwise: 10 });
  const { project } = call;
  const [persons, items, segments] = await Promise.all([
    project.searchPersons(query, limit),
    query === "" ? [] : project.searchItems(query, limit),
    project.segments(),
  ]);
  return ok({
    persons,
    items: items.map(itemView),
    segments: segments
      .map(({ name }) => name)
      .filter((name) => name.startsWith(query))
      .slice(0, limit),
  });
}
