// A card of the shelf or the front page: picture, words, why it is there, and what can be done with it.
import type { CatalogueItem, Reason } from "../../sdk/index.ts";
import { h, icon } from "./dom.ts";
import type { Card, Shelved } from "./grid.ts";
import { pictureOf } from "./picture.ts";
import { badgeOf, lineUnder, shortTitle, type Badge } from "./reasons.ts";
import { cutWords, money, starsOf, wasPrice, type SiteWords } from "./site.ts";

export interface Entry extends Shelved {
  item: CatalogueItem;
  reasons: readonly Reason[];
  /** The node's own sentence. */
  reasonText?: string;
  decisionId?: string;
}

export interface CardActs {
  look(id: string, atMs: number): void;
  open(id: string): void;
  like(id: string, atMs: number): void;
  dismiss(id: string, atMs: number): void;
  cart(id: string, atMs: number): void;
  /** The pointer or the focus is on the card. */
  point(id: string): void;
}

export interface CardWorld {
  site: SiteWords;
  acts: CardActs;
  itemOf: (id: string) => CatalogueItem | undefined;
  isLooked: (id: string) => boolean;
  isLiked: (id: string) => boolean;
  /** For "2 h ago". */
  nowMs: () => number;
}

const CLIMB_SHOWN_MS = 2_600;
/** Smaller climbs are not worth a mark. */
const CLIMB_MIN = 3;

export function createCard(world: CardWorld, first: Entry): Card<Entry> {
  const { site, acts } = world;
  const { id, item } = first;
  const shop = site.name === "shop";
  /** `Travel · North`: the section is what the interests are named after. */
  const sectionOf = ({ attributes, categories }: CatalogueItem): string =>
    [site.categories[categories[0] ?? ""], attributes?.["kicker"]]
      .filter((name, index, all) => name !== undefined && all.indexOf(name) === index)
      .join(" · ");
  const badge = h("span", { class: "badge" });
  const climb = h("span", { class: "climb", "aria-hidden": "true" });
  const looked = h("span", { class: "looked" }, icon("check"), site.acted);
  const liked = h(
    "button",
    {
      type: "button",
      class: "act like",
      "aria-label": `${site.save.off}: ${item.title}`,
      "aria-pressed": "false",
      onclick: (event: MouseEvent) => acts.like(id, event.timeStamp),
    },
    icon("heart"),
  );
  const was = wasPrice(item);
  const stars = starsOf(item);
  const name = h(
    "button",
    { type: "button", class: "name", onclick: (event: MouseEvent) => acts.look(id, event.timeStamp) },
    item.title,
  );

  const element = h(
    "article",
    {
      class: "card",
      "data-attune-item": id,
      "data-category": item.categories[0],
      onpointerenter: () => acts.point(id),
      onfocusin: () => acts.point(id),
    },
    h(
      "div",
      { class: "picture" },
      pictureOf(item, {
        width: shop ? 400 : 800,
        height: shop ? 400 : 500,
        decoding: "async",
        draggable: "false",
      }),
      was !== undefined && h("span", { class: "cut" }, cutWords(item, was)),
      item.tags.includes("breaking") && h("span", { class: "cut" }, "Breaking"),
      climb,
      looked,
    ),
    h(
      "div",
      { class: "words" },
      h(
        "p",
        { class: "kicker" },
        shop ? lineUnder(item) : sectionOf(item),
      ),
      h("h3", {}, name),
      !shop && h("p", { class: "teaser" }, String(item.attributes?.["teaser"] ?? "")),
      shop
        ? h(
            "p",
            { class: "price" },
            item.price !== undefined && h("strong", {}, money(item.price)),
            was !== undefined && h("s", {}, money(was)),
            stars !== undefined && h("span", { class: "stars" }, stars),
          )
        : h(
            "p",
            { class: "byline" },
            h(
              "span",
              {},
              [
                lineUnder(item),
                agoOf(item.published_at, world.nowMs()),
                item.attributes?.["minutes"] !== undefined && `${String(item.attributes["minutes"])} min`,
              ]
                .filter(Boolean)
                .join(" · "),
            ),
            // A click alone shows what it does to the page; whoever wants the story gets it from here.
            h(
              "button",
              {
                type: "button",
                class: "read-on",
                "aria-label": `Read on: ${item.title}`,
                onclick: () => acts.open(id),
              },
              "Read on",
            ),
          ),
      badge,
    ),
    h(
      "div",
      { class: "acts" },
      liked,
      h(
        "button",
        {
          type: "button",
          class: "act",
          "aria-label": `${shop ? "Quick view" : "Read"}: ${item.title}`,
          onclick: () => acts.open(id),
        },
        icon("eye"),
      ),
      shop &&
        h(
          "button",
          {
            type: "button",
            class: "act",
            "aria-label": `Add to cart: ${item.title}`,
            onclick: (event: MouseEvent) => acts.cart(id, event.timeStamp),
          },
          icon("cart"),
        ),
      h(
        "button",
        {
          type: "button",
          class: "act",
          "aria-label": `Not for me: ${item.title}`,
          onclick: (event: MouseEvent) => acts.dismiss(id, event.timeStamp),
        },
        icon("close"),
      ),
    ),
  );

  let climbTimer: ReturnType<typeof setTimeout> | undefined;
  let shown = "";
  function say(why: Badge | undefined): void {
    const own = why?.because;
    const text = why ? `${why.text}${own ? ` ${shortTitle(own.title)}` : ""}` : "";
    if (text === shown) return;
    shown = text;
    badge.classList.toggle("own", own !== undefined);
    badge.replaceChildren(
      ...(own
        ? [
            pictureOf(own, { width: 28, height: 28 }),
            h("span", {}, `${why!.text} `, h("b", {}, shortTitle(own.title))),
          ]
        : [h("span", {}, text)]),
    );
    badge.title = shown;
  }

  return {
    element,
    update(entry, climbed) {
      if (entry.decisionId) element.dataset["attuneDecision"] = entry.decisionId;
      else delete element.dataset["attuneDecision"];
      element.classList.toggle("was-looked", world.isLooked(id));
      liked.setAttribute("aria-pressed", String(world.isLiked(id)));
      const itemOf = (because: string) => (because === id ? undefined : world.itemOf(because));
      say(badgeOf(site.name, entry.reasons, itemOf, entry.reasonText));
      if (climbed >= CLIMB_MIN) {
        climb.textContent = `▲ ${climbed}`;
        element.classList.add("climbed");
        clearTimeout(climbTimer);
        climbTimer = setTimeout(() => element.classList.remove("climbed"), CLIMB_SHOWN_MS);
      }
    },
  };
}

function agoOf(publishedAt: string | undefined, nowMs: number): string {
  if (!publishedAt) return "";
  const hours = Math.max(0, Math.floor((nowMs - Date.parse(publishedAt)) / 3_600_000));
  if (hours < 1) return "just now";
  return hours < 48 ? `${hours} h ago` : `${Math.floor(hours / 24)} days ago`;
}
