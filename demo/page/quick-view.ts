// Dialogs: a closer look at one item, and the cart. While an item is open, dwell counts for it.
import type { Attune, CatalogueItem } from "../../sdk/index.ts";
import { h, icon } from "./dom.ts";
import { lineUnder } from "./reasons.ts";
import { pictureOf } from "./picture.ts";
import { cutWords, money, starsOf, wasPrice, type SiteWords } from "./site.ts";
import { raiseToasts } from "./toasts.ts";

const ALIKE_MAX = 4;

export interface QuickViewOptions {
  site: SiteWords;
  attune: Attune;
  itemOf: (id: string) => CatalogueItem | undefined;
  cart: (id: string, atMs: number) => void;
  like: (id: string, atMs: number) => void;
  isLiked: (id: string) => boolean;
  /** Another item is looked at from here. */
  open: (id: string) => void;
  closed: () => void;
}

function dialogOf(label: string, ...children: Node[]): HTMLDialogElement {
  const dialog = h("dialog", { class: "sheet", "aria-label": label, "data-attune-ignore": true });
  dialog.append(
    h(
      "button",
      { type: "button", class: "act shut", "aria-label": "Close", onclick: () => dialog.close() },
      icon("close"),
    ),
    // A modal dialog that is a grid itself is as high as the window in WebKit.
    h("div", { class: "leaf" }, ...children),
  );
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  raiseToasts();
  return dialog;
}

/** Opens the item and says so (`view`); closing ends the look. */
export function openItem(id: string, options: QuickViewOptions): void {
  const { site, attune, itemOf } = options;
  const item = itemOf(id);
  if (!item) return;
  const shop = site.name === "shop";
  const attribute = (name: string): string => String(item.attributes?.[name] ?? "");
  const was = wasPrice(item);
  const alike = h("ul", { class: "alike" });
  const dialog = dialogOf(
    item.title,
    pictureOf(item, { class: "large", width: shop ? 400 : 800, height: shop ? 400 : 500 }),
    h(
      "div",
      { class: "about" },
      h(
        "p",
        { class: "kicker" },
        shop ? joined(lineUnder(item), site.categories[item.categories[0] ?? ""]) : attribute("kicker"),
      ),
      h("h2", {}, item.title),
      shop
        ? h(
            "p",
            { class: "price" },
            item.price !== undefined && h("strong", {}, money(item.price)),
            was !== undefined && h("s", {}, money(was)),
            was !== undefined && h("span", { class: "saved" }, cutWords(item, was)),
            h("span", { class: "stars" }, joined(starsOf(item), counted(attribute("reviews"), "reviews"))),
          )
        : h("p", { class: "byline" }, joined(lineUnder(item), counted(attribute("minutes"), "min read"))),
      h(
        "p",
        { class: "teaser" },
        shop ? `${madeOf(item)}Delivered in two days, returned within sixty.` : attribute("teaser"),
      ),
      !shop && h("p", { class: "note" }, "The demo's stories end here: only their openings are written."),
      h("p", { class: "chips" }, ...item.tags.map((tag) => h("span", {}, tag.replaceAll("-", " ")))),
      h(
        "p",
        { class: "row" },
        shop &&
          h(
            "button",
            {
              type: "button",
              class: "primary",
              onclick: (event: MouseEvent) => {
                options.cart(id, event.timeStamp);
                dialog.close();
              },
            },
            "Add to cart",
          ),
        h(
          "button",
          {
            type: "button",
            class: shop ? "plain" : "primary",
            onclick: (event: MouseEvent) => {
              options.like(id, event.timeStamp);
              dialog.close();
            },
          },
          likeWords(shop, options.isLiked(id)),
        ),
      ),
    ),
    alike,
  );
  // Another item may have been opened from this one: the look goes on, at that one.
  dialog.addEventListener("close", () => {
    options.closed();
    document.querySelector("dialog[open]") ?? attune.view(null);
  });
  attune.view(id);
  void showAlike(alike, id, {
    ...options,
    open(next) {
      dialog.close();
      options.open(next);
    },
  });
}

const likeWords = (shop: boolean, isLiked: boolean): string =>
  shop ? (isLiked ? "Liked: take it back" : "Like") : isLiked ? "Saved: take it back" : "Save for later";

async function showAlike(list: HTMLElement, id: string, { site, itemOf, open }: QuickViewOptions): Promise<void> {
  const answer = await fetch(`/v1/items/${encodeURIComponent(id)}/similar?limit=${ALIKE_MAX}`, {
    headers: { "attune-project": site.project },
  }).catch(() => undefined);
  if (!answer?.ok) return;
  const { items } = (await answer.json()) as { items: { item_id: string; item?: CatalogueItem }[] };
  const found = items.map(({ item_id, item }) => item ?? itemOf(item_id)).filter((item) => item !== undefined);
  if (found.length === 0) return;
  list.before(h("h3", { class: "alike-title" }, site.name === "shop" ? "Similar" : "More like this"));
  list.append(
    ...found
      .slice(0, ALIKE_MAX)
      .map((item) =>
        h(
          "li",
          {},
          h(
            "button",
            { type: "button", onclick: () => open(item.item_id) },
            pictureOf(item, { width: 88, height: 88 }),
            h("span", {}, item.title),
          ),
        ),
      ),
  );
}

/** What there is to say, in one line: a catalogue that somebody imported may not have all of it. */
function joined(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== "").join(" · ");
}

function counted(count: string, what: string): string {
  return count === "" ? "" : `${count} ${what}`;
}

function madeOf(item: CatalogueItem): string {
  const [maker, material, colour] = [lineUnder(item), item.attributes?.["material"], item.attributes?.["colour"]];
  if (maker === "" || material === undefined || colour === undefined) return "";
  return `Made by ${maker} in ${String(material)}, in the colour ${String(colour)}. `;
}

export interface CartOptions {
  items: readonly CatalogueItem[];
  remove: (id: string, atMs: number) => void;
  buy: (atMs: number) => void;
}

export function openCart(options: CartOptions): void {
  const about = h("div", { class: "about" });
  const dialog = dialogOf("Your cart", about);
  showCart(about, dialog, options);
}

function showCart(about: HTMLElement, dialog: HTMLDialogElement, { items, remove, buy }: CartOptions): void {
  const total = items.reduce((sum, item) => sum + (item.price ?? 0), 0);
  const without = (id: string): CatalogueItem[] => items.filter((item) => item.item_id !== id);
  about.replaceChildren(
    ...[
      h("h2", {}, "Your cart"),
      items.length === 0
        ? h("p", { class: "teaser" }, "Nothing here yet. Add something and watch the page take note.")
        : h(
            "ul",
            { class: "cart" },
            ...items.map((item) =>
              h(
                "li",
                {},
                pictureOf(item, { width: 56, height: 56 }),
                h("span", {}, item.title),
                h("b", {}, money(item.price ?? 0)),
                h(
                  "button",
                  {
                    type: "button",
                    class: "act",
                    "aria-label": `Remove ${item.title}`,
                    onclick: (event: MouseEvent) => {
                      remove(item.item_id, event.timeStamp);
                      showCart(about, dialog, { items: without(item.item_id), remove, buy });
                      dialog.querySelector<HTMLElement>("button")?.focus(); // the pressed one is gone
                    },
                  },
                  icon("close"),
                ),
              ),
            ),
          ),
      items.length > 0 &&
        h(
          "p",
          { class: "row" },
          h(
            "button",
            {
              type: "button",
              class: "primary",
              onclick: (event: MouseEvent) => {
                buy(event.timeStamp);
                showOrder(about, dialog, items.length === 1 ? items[0]!.title : `${items.length} things`, total);
              },
            },
            `Buy for ${money(total)}`,
          ),
        ),
    ].filter((child) => child !== false),
  );
}

function showOrder(about: HTMLElement, dialog: HTMLDialogElement, what: string, total: number): void {
  const goOn = h("button", { type: "button", class: "primary", onclick: () => dialog.close() }, "Look around");
  about.replaceChildren(
    h("h2", {}, "Thank you"),
    h("p", { class: "teaser" }, `Ordered: ${what} for ${money(total)}. In a demo nothing is paid and nothing comes.`),
    h("p", { class: "row" }, goOn),
  );
  goOn.focus(); // the pressed one is gone
}
