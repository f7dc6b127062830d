// The demo page: a shop or a newsroom whose order follows the visitor, within the second.
import "./page.css";
import {
  createAttune,
  type CatalogueItem,
  type EventFields,
  type Profile,
  type RecommendationList,
} from "../../sdk/index.ts";
import { createCalm } from "./calm.ts";
import { createCard, type CardActs, type Entry } from "./card.ts";
import { createClock } from "./clock.ts";
import { byId, h } from "./dom.ts";
import { createGrid } from "./grid.ts";
import { createPanel } from "./panel.ts";
import { openCart, openItem } from "./quick-view.ts";
import { searchItems } from "./search.ts";
import { createShortcuts } from "./shortcuts.ts";
import { SITES, wordsOf, type Shortcut, type SiteName } from "./site.ts";
import { createSlots } from "./slots.ts";
import { toast } from "./toasts.ts";

const LIST_LIMIT = 24;
/** An answer that is not pushed within this time is asked for. */
const PUSH_WAIT_MS = 400;

const root = document.documentElement;
const site = SITES[root.dataset["site"] as SiteName];
const attune = createAttune({
  project: site.project,
  consent: "granted",
  slots: true,
  auto: {
    page_view: true,
    click: false,
    scroll: true,
    hover: true,
    mouse_move: false,
    dwell: true,
    search: true,
    impression: false,
  },
});

// --- what the page knows ---
const catalogue = new Map<string, CatalogueItem>();
const itemOf = (id: string): CatalogueItem | undefined => catalogue.get(id);
const looked = new Set<string>();
const liked = new Set<string>();
const cart = new Set<string>(storedCart());
let interests: Readonly<Record<string, number>> = {};
let homeList: RecommendationList | undefined;
let category = "";
let query = "";

function storedCart(): string[] {
  return JSON.parse(localStorage.getItem(`${site.name}:cart`) ?? "[]") as string[];
}

// --- the visitor's acts ---
const shelf = byId("grid");
const calm = createCalm(shelf);
const clock = createClock((lap) => panel.lap(lap));

function act(eventType: string, fields: EventFields, atMs = performance.now()): void {
  calm.acted();
  const eventId = attune.track(eventType, fields);
  if (eventId === undefined) return;
  clock.start(eventId, eventType, atMs);
  void attune.flush(); // what is done here is looked at here: nothing waits for company
  setTimeout(
    () => {
      // Another order than the home list (a section, a search), or a push that got lost: ask.
      if (clock.waiting === eventId || category !== "") void refresh(eventId);
    },
    category === "" ? PUSH_WAIT_MS : 0,
  );
}

const itemFields = (id: string): EventFields => {
  const decisionId = grid.card(id)?.dataset["attuneDecision"];
  return { item_id: id, ...(decisionId ? { context: { decision_id: decisionId } } : {}) };
};

function lookedAt(id: string): void {
  looked.add(id);
  grid.card(id)?.classList.add("was-looked", "just");
}

const acts: CardActs = {
  look(id, atMs) {
    lookedAt(id);
    act("click", itemFields(id), atMs);
    point(id);
  },
  open: (id) => {
    looked.add(id);
    calm.acted();
    openItem(id, { site, attune, itemOf, cart: acts.cart, like: acts.like });
  },
  like(id, atMs) {
    const isLiked = !liked.has(id);
    if (isLiked) liked.add(id);
    else liked.delete(id);
    act(isLiked ? "like" : "dislike", itemFields(id), atMs);
    return isLiked;
  },
  dismiss(id, atMs) {
    grid.card(id)?.classList.add("dismissed");
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    act("dismiss", itemFields(id), atMs);
    toast("Not for you", "Its like moves down, too.");
  },
  cart(id, atMs) {
    cart.add(id);
    cartChanged();
    act("add_to_cart", { ...itemFields(id), value: itemOf(id)?.price ?? 0 }, atMs);
    toast("In your cart", itemOf(id)?.title);
  },
  point,
};

function cartChanged(): void {
  localStorage.setItem(`${site.name}:cart`, JSON.stringify([...cart]));
  const count = document.getElementById("cart-count");
  if (count) count.textContent = String(cart.size);
  document.getElementById("cart")?.setAttribute("aria-label", `Cart: ${cart.size}`);
}

// --- the shelf ---
const grid = createGrid<Entry>(shelf, (entry) =>
  createCard(
    {
      site,
      acts,
      itemOf,
      isLooked: (id) => looked.has(id),
      isLiked: (id) => liked.has(id),
      nowMs: () => Date.now(),
    },
    entry,
  ),
);
const reasonsOf = new Map<string, Entry>();

function entriesOf(list: RecommendationList): Entry[] {
  return list.items.flatMap(({ item_id, reasons, item }) => {
    if (item) catalogue.set(item_id, item);
    const known = itemOf(item_id);
    return known ? [{ id: item_id, item: known, reasons: reasons ?? [], decisionId: list.decision_id }] : [];
  });
}

/** Category and search of what is on the shelf now: another one is no reordering, nothing is held back for it. */
let shelfOf = "?";
function show(entries: readonly Entry[], causedBy: string | undefined): void {
  const painted = clock.arrived(causedBy);
  for (const entry of entries) reasonsOf.set(entry.id, entry);
  const show = (): void => {
    const moved = grid.show(entries, shelfOf === `${category}?${query}` ? "pointed" : "nothing");
    shelfOf = `${category}?${query}`;
    byId("moved").textContent = moved > 0 ? `${moved} of ${entries.length} moved` : "";
    shelf.setAttribute("aria-busy", "false");
    byId("no-results").hidden = entries.length > 0;
    painted?.();
  };
  if (painted) show();
  else calm.when(show);
}

async function refresh(causedBy?: string): Promise<void> {
  if (query !== "")
    return show(
      searchItems(catalogue.values(), query, interests).map((item) => ({
        id: item.item_id,
        item,
        reasons: [{ source: "match", because: [], weight: 1 }],
      })),
      causedBy,
    );
  if (category === "" && causedBy === undefined && homeList) return show(entriesOf(homeList), undefined);
  const asked = category;
  try {
    const list = await attune.recommend({
      placement: "home",
      limit: LIST_LIMIT,
      explain: true,
      ...(asked ? { filter: `"${asked}" in item.categories` } : {}),
    });
    if (asked === category && query === "") show(entriesOf(list), causedBy);
  } catch {
    if (grid.ids.length === 0 || attune.consent.state !== "granted")
      show(
        [...catalogue.values()]
          .filter((item) => asked === "" || item.categories.includes(asked))
          .slice(0, LIST_LIMIT)
          .map((item) => ({ id: item.item_id, item, reasons: [] })),
        undefined,
      );
  }
}

// --- the panel ---
let pointed = "";
function point(id: string): void {
  const entry = reasonsOf.get(id);
  if (!entry || pointed === id) return;
  pointed = id;
  panel.why(entry.item, entry.reasons, grid.ids.indexOf(id));
}

const panel = createPanel(site, {
  itemOf,
  point,
  become,
  consent(isGranted) {
    if (isGranted) attune.consent.grant();
    else attune.consent.deny();
    followConsent();
  },
  another: () => void another(),
  reset: () => startOver("You are somebody new", "Nothing is known of you yet."),
});

function whoChanged(): void {
  const { userId, anonymousId } = attune;
  if (attune.consent.state !== "granted") panel.who("nobody", "");
  else if (userId) panel.who(userId, `#/${site.project}/people/users/${encodeURIComponent(userId)}`);
  else if (anonymousId)
    panel.who(`visitor ${anonymousId.slice(0, 8)}`, `#/${site.project}/people/visitors/${anonymousId}`);
}

/** Without consent nothing is sent or kept, and the shelf is everybody's: the catalogue in its own order. */
function followConsent(): void {
  forgetVisitor();
  homeList = undefined;
  if (attune.consent.state === "granted") {
    firstList();
    return toast("Personalization is on", "Nothing is known of you yet.");
  }
  for (const place of reasonsOf.values()) reasonsOf.set(place.id, { ...place, reasons: [] });
  void refresh();
  toast("Personalization is off", "What was stored here is gone, nothing more is sent.");
}

function forgetVisitor(): void {
  looked.clear();
  liked.clear();
  cart.clear();
  cartChanged();
  interests = {};
  panel.profile(undefined);
  panel.segments([]);
  whoChanged();
  calm.acted();
  choose("");
}

function startOver(title: string, text: string, userId?: string): void {
  attune.reset();
  if (userId) attune.identify(userId);
  forgetVisitor();
  panel.fold();
  void refresh("");
  toast(title, text);
}

/** One of the seeded visitors, with the profile that he left. */
async function another(): Promise<void> {
  const names = await fetch("/demo/catalogue/visitors.json").then(
    (answer) => answer.json() as Promise<Record<SiteName, string[]>>,
  );
  const others = names[site.name].filter((name) => name !== attune.userId);
  const name = others[Math.floor(Math.random() * others.length)]!;
  startOver(`You are ${name}`, "A visitor of the last days, with his profile.", name);
  void attune.profile().then(profileCame);
}

const runShortcut = createShortcuts({
  items: () => [...grid.ids.map(itemOf).filter((item) => item !== undefined), ...catalogue.values()],
  act(eventType, itemId, fields) {
    if (itemId !== undefined) lookedAt(itemId);
    act(eventType, itemId === undefined ? fields : { ...itemFields(itemId), ...fields });
  },
  running: panel.running,
});

function become(shortcut: Shortcut): void {
  panel.fold();
  choose("");
  void runShortcut(shortcut);
}

function profileCame(profile: Profile | undefined): void {
  interests = profile?.interests ?? {};
  for (const { item_id, event_type } of profile?.recent ?? []) {
    if (event_type === "click" || event_type === "view") looked.add(item_id);
    if (event_type === "like") liked.add(item_id);
  }
  for (const id of grid.ids) grid.card(id)?.classList.toggle("was-looked", looked.has(id));
  panel.profile(profile);
  if (profile) panel.segments(profile.segments);
  whoChanged();
}

// --- shelves and search ---
const places = ["", ...Object.keys(site.categories)].map((name) =>
  h(
    "button",
    {
      type: "button",
      "aria-pressed": String(name === ""),
      "data-place": name,
      onclick: () => {
        choose(name);
        void refresh();
      },
    },
    name === "" ? site.all : site.categories[name]!,
  ),
);
byId("places").append(...places);

function choose(name: string): void {
  category = name;
  query = "";
  searchField.value = "";
  calm.acted();
  for (const place of places) place.setAttribute("aria-pressed", String(place.dataset["place"] === name));
  byId("heading").textContent = name === "" ? site.heading : site.categories[name]!;
  byId("sub").textContent = name === "" ? site.sub : "In your order";
}

const searchField = byId<HTMLInputElement>("search");
byId("search-form").addEventListener("submit", (event) => event.preventDefault());
searchField.addEventListener("input", () => {
  query = searchField.value.trim();
  calm.acted();
  byId("heading").textContent =
    query === "" ? (category === "" ? site.heading : site.categories[category]!) : `Results for “${query}”`;
  void refresh();
});

createSlots({
  site,
  attune,
  catalogue,
  cart,
  relay: grid.relay,
  onChange: panel.slots,
  onHero(name) {
    choose(name);
    void refresh();
    byId("heading").scrollIntoView({ block: "start", behavior: "smooth" });
  },
});

// --- what the server says ---
attune.on("recommendations", (list) => {
  if (list.placement !== "home") return;
  homeList = list;
  if (category === "" && query === "") show(entriesOf(list), list.caused_by?.event_id);
});
attune.on("profile", profileCame);
attune.on("segments", ({ segments, entered }) => {
  panel.segments(segments);
  // The segments that somebody new starts with are no news.
  if (entered.length > 0 && calm.hasActed)
    toast(`Segment: ${entered.map(wordsOf).join(", ")}`, "The page takes it on.");
});
attune.on("trigger", ({ name, item_id }) =>
  toast(wordsOf(name), item_id ? itemOf(item_id)?.title : "A trigger fired."),
);
attune.on("delivery", ({ event_ids }) => clock.accepted(event_ids));
attune.on("status", (status) => panel.status(status));

// --- start ---
document.getElementById("cart")?.addEventListener("click", () =>
  openCart({
    items: [...cart].map(itemOf).filter((item) => item !== undefined),
    remove(id, atMs) {
      cart.delete(id);
      cartChanged();
      act("remove_from_cart", { item_id: id }, atMs);
    },
    buy(atMs) {
      for (const id of cart) act("purchase", { item_id: id, value: itemOf(id)?.price ?? 0 }, atMs);
      cart.clear();
      cartChanged();
      toast("Thank you", "Bought things leave the shelf.");
    },
  }),
);

byId("scheme").addEventListener("click", () => {
  const isDark = root.dataset["scheme"]
    ? root.dataset["scheme"] === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset["scheme"] = isDark ? "light" : "dark";
  localStorage.setItem("demo:scheme", root.dataset["scheme"]);
});
const scheme = localStorage.getItem("demo:scheme");
if (scheme) root.dataset["scheme"] = scheme;

cartChanged();
whoChanged();
panel.status(attune.status);
const index = fetch(`/demo/catalogue/${site.name}.json`).then((answer) => answer.json() as Promise<CatalogueItem[]>);
/** The page view first: where and on what the visitor is belongs into his first list. Then whatever is pushed. */
function firstList(): void {
  void attune
    .flush()
    .then(() => attune.recommend({ placement: "home", limit: LIST_LIMIT, explain: true }))
    .then(
      (list) => {
        homeList = list;
        show(entriesOf(list), undefined);
      },
      () => undefined,
    )
    .then(() => attune.subscribe({ placements: ["home"], limit: LIST_LIMIT, explain: true }));
}
if (attune.consent.state === "granted") firstList();
for (const item of await index) if (!catalogue.has(item.item_id)) catalogue.set(item.item_id, item);
if (attune.consent.state !== "granted") await refresh();
