// Lists and decisions: recommendations for a person, items like another, what trends, and the slots of the page.
import { requireNeed } from "../access/gate.ts";
import type { Reader } from "../access/reader.ts";
import { isObject } from "../http/body.ts";
import { readObject } from "../http/json-body.ts";
import {
  contextOf,
  excluded,
  filterText,
  flag,
  fromJson,
  fromQuery,
  ID_CHARS_MAX,
  integer,
  LIST_LIMIT_MAX,
  listLimit,
  optionalText,
  pathText,
  personRef,
  requiredText,
  texts,
  type Source,
} from "../http/parameters.ts";
import { ok, type Answer, type Call, type Route } from "../http/route.ts";
import { round } from "../http/timings.ts";
import type { Item } from "../../core/item/item.ts";
import { itemView } from "../../core/item/validate.ts";
import type { Decision, Project, RecommendRequest, RecommendationList } from "../ports.ts";
import { WHY_NOT_MAX } from "./preview-routes.ts";
import { unknownName } from "./unknown-name.ts";

/** A list as the wire shows it: `user_id` is there always, null where the list is no user's. */
export type WireList = Omit<RecommendationList, "user_id" | "items" | "why_not"> & {
  user_id: string | null;
  items: unknown[];
  why_not?: unknown[];
  took_ms: number;
};

const LIMIT = { low: 1, high: LIST_LIMIT_MAX, otherwise: 20 };
const DEFAULT_PLACEMENT = "home";

export function recommendationRoutes(): Route[] {
  return [
    {
      method: "GET",
      path: "/v1/recommendations",
      access: "own",
      crossOrigin: true,
      handle: (call) => recommend(call, fromQuery(call.query)),
    },
    {
      method: "POST",
      path: "/v1/recommendations",
      access: "own",
      crossOrigin: true,
      handle: async (call) => recommend(call, fromJson(await readObject(call))),
    },
    { method: "GET", path: "/v1/items/{item_id}/similar", access: "browse", crossOrigin: true, handle: similar },
    { method: "GET", path: "/v1/trending", access: "browse", crossOrigin: true, handle: trending },
    { method: "POST", path: "/v1/decide", access: "own", crossOrigin: true, handle: decide },
  ];
}

async function recommend(call: Call, source: Source): Promise<Answer> {
  const request = await readRequest(source, call);
  if (call.headers["sec-gpc"] === "1" && call.project.honoursGpc) request.impersonal = true;
  const whyNot = texts(source, "why_not", { countMax: WHY_NOT_MAX, charsMax: ID_CHARS_MAX });
  if (whyNot.length > 0) {
    // It names rules, so a public key does not get it.
    requireNeed(call.principal, "read");
    request.whyNot = whyNot;
  }
  return ok(await listFor(call.project, request));
}

/** What a request for recommendations says; the live connection reads its subscription with it too. */
export async function readRequest(source: Source, reader: Reader): Promise<RecommendRequest> {
  const itemId = optionalText(source, "item_id", ID_CHARS_MAX);
  const filter = filterText(source);
  const rules = rulesOf(source);
  const exclude = excluded(source);
  const context = contextOf(source);
  const limit = listLimit(source);
  return {
    ref: await personRef(source, reader),
    placement: optionalText(source, "placement", ID_CHARS_MAX) ?? DEFAULT_PLACEMENT,
    explain: flag(source, "explain"),
    ...(limit !== undefined && { limit }),
    ...(itemId !== undefined && { itemId }),
    ...(filter !== undefined && { filter }),
    ...(rules !== undefined && { rules }),
    ...(exclude.length > 0 && { exclude }),
    ...(context !== undefined && { context }),
  };
}

/** @throws Problem (unknown_placement), FilterError, HostError. */
export async function listFor(project: Project, request: RecommendRequest): Promise<WireList> {
  const startMs = performance.now();
  const list = await project.recommend(request);
  if (list === undefined) throw await unknownName(project, "unknown_placement", request.placement, { parameter: "placement" });
  return withTime(list, startMs);
}

async function similar(call: Call): Promise<Answer> {
  return ok(await similarFor(call.project, pathText(call, "item_id"), fromQuery(call.query)));
}

export async function similarFor(project: Project, itemId: string, source: Source): Promise<WireList> {
  const startMs = performance.now();
  return withTime(await project.similar(itemId, integer(source, "limit", LIMIT)), startMs);
}

async function trending(call: Call): Promise<Answer> {
  return ok(await trendingFor(call.project, fromQuery(call.query)));
}

/** @throws Problem (bad_parameter), FilterError. */
export async function trendingFor(project: Project, source: Source): Promise<WireList> {
  const startMs = performance.now();
  const limit = integer(source, "limit", LIMIT);
  return withTime(await project.trending(limit, filterText(source)), startMs);
}

async function decide(call: Call): Promise<Answer> {
  return ok(await decideFor(call, fromJson(await readObject(call))));
}

/** @throws Problem (bad_parameter, unknown_slot). */
export async function decideFor(reader: Reader, source: Source): Promise<Decision> {
  const ref = await personRef(source, reader);
  const slot = requiredText(source, "slot", ID_CHARS_MAX);
  const decision = await reader.project.decide(ref, slot, contextOf(source));
  if (decision === undefined) throw await unknownName(reader.project, "unknown_slot", slot, { parameter: "slot", pointer: "/slot" });
  return decision;
}

/** Rules of the list, as a placement has them: an object in JSON; the host reads what is in it. */
function rulesOf(source: Source): unknown {
  const rules = source.get("rules");
  if (rules !== undefined && !isObject(rules)) throw source.fault("rules", "`rules` must be an object (POST).");
  return rules;
}

function withTime(list: RecommendationList, startMs: number): WireList {
  const { decision_id: decisionId, user_id: userId, why_not: whyNot, ...rest } = list;
  return {
    decision_id: decisionId,
    user_id: userId ?? null,
    ...rest,
    items: list.items.map(shown),
    ...(whyNot !== undefined && { why_not: whyNot.map(shown) }),
    took_ms: round(performance.now() - startMs),
  };
}

/** Only an item with a time looks different on the wire; the others are not copied. */
function shown<T extends { item?: Item }>(entry: T): unknown {
  return entry.item?.published_at === undefined ? entry : { ...entry, item: itemView(entry.item) };
}
