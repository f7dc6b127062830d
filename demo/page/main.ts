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
import { createCart, leftInCart } from "./cart.ts";
import { readIndex } from "./catalogue-index.ts";
import { createClock } from "./clock.ts";
import { byId } from "./dom.ts";
import { createGrid } from "./grid.ts";
import { watchImages } from "./images.ts";
import { NEWS, type News } from "./notes.ts";
import { createPanel } from "./panel.ts";
import { createPlaces, type Shown } from "./places.ts";
import { openItem } from "./quick-view.ts";
import { followScheme } from "./scheme.ts";
import { itemsInTurn, searchItems } from "./search.ts";
import { createShortcuts } from "./shortcuts.ts";
import { SITES, type Shortcut, type SiteName } from "./site.ts";
import { createSlots } from "./slots.ts";
import { toast, toastNext } from "./toasts.ts";

const LIST_LIMIT = 24;
/** What a node with keys answers to whoever shows none. */
const KEY_CODES: ReadonlySet<string> = new Set(["key_missing", "http_401"]);
/** An answer that is not pushed within this time is asked for. */
const PUSH_WAIT_MS = 400;

const root = document.documentElement;
const retryImages = watchImages();
/** The browser objects for its user; the SDK takes that as his answer. */
const isObjecting = (navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl === true;
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
let interests: Readonly<Record<string, number>> = {};
let segments: readonly string[] = [];
let homeList: RecommendationList | undefined;

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
      if (clock.waiting === eventId || places.category !== "") void refresh(eventId);
    },
    places.category === "" ? PUSH_WAIT_MS : 0,
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
    const card = grid.card(id);
    card?.classList.add("is-open");
    openItem(id, {
      site,
      attune,
      itemOf,
      cart: acts.cart,
      like: acts.like,
      isLiked: (other) => liked.has(other),
      open: acts.open,
      closed: () => card?.classList.remove("is-open"),
    });
  },
  like(id, atMs) {
    const isLiked = !liked.has(id);
    if (isLiked) liked.add(id);
    else liked.delete(id);
    grid.card(id)?.querySelector(".like")?.setAttribute("aria-pressed", String(isLiked));
    act(isLiked ? "like" : "dislike", itemFields(id), atMs);
  },
  dismiss(id, atMs) {
    grid.card(id)?.classList.add("dismissed");
    act("dismiss", itemFields(id), atMs);
    toast("Not for you", "Its like moves down, too.");
  },
  cart(id, atMs) {
    cart.add(id);
    act("add_to_cart", { ...itemFields(id), value: itemOf(id)?.price ?? 0 }, atMs);
    toast("In your cart", itemOf(id)?.title);
  },
  point,
};

const cart = createCart({ key: `${site.name}:cart`, itemOf, act });
const places = createPlaces(site, () => {
  calm.acted();
  void refresh();
});

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
  return list.items.flatMap(({ item_id, reasons, reason_text: said, item }) => {
    if (item) catalogue.set(item_id, item);
    const known = itemOf(item_id);
    if (!known) return [];
    const entry = { id: item_id, item: known, reasons: reasons ?? [], decisionId: list.decision_id };
    return [said === undefined ? entry : { ...entry, reasonText: said }];
  });
}

/** Category and search of what is on the shelf now: another one is no reordering, nothing is held back for it. */
let shelfOf: string | undefined;
const placeNow = (): string => `${places.category}?${places.query}`;

function show(entries: readonly Entry[], causedBy?: string, shown: Partial<Shown> = {}): void {
  const painted = clock.arrived(causedBy);
  for (const entry of entries) reasonsOf.set(entry.id, entry);
  const layOut = (): void => {
    const isSame = shelfOf === placeNow();
    const moved = grid.show(entries, isSame ? "pointed" : "nothing");
    shelfOf = placeNow();
    explain();
    places.shown({ items: entries.length, hits: entries.length, isLocal: false, ...shown });
    byId("moved").textContent = isSame && moved > 0 ? `${moved} of ${entries.length} moved` : "";
    shelf.setAttribute("aria-busy", "false");
    byId("no-results").hidden = entries.length > 0;
    painted?.();
  };
  if (painted) calm.now(layOut);
  else calm.when(layOut);
}

/** Answers need not come in the order of their questions: those up to `answered` are older than what is shown, or another visitor's. */
let questions = 0;
let answered = 0;

async function refresh(causedBy?: string): Promise<void> {
  const question = ++questions;
  const asked = placeNow();
  const isWanted = (): boolean => {
    if (question <= answered || asked !== placeNow()) return false;
    answered = question;
    return true;
  };
  const { category, query } = places;
  if (query !== "") {
    await index;
    if (!isWanted()) return;
    const found = searchItems(catalogue.values(), query, interests);
    return show(found.slice(0, LIST_LIMIT).map(plainEntry), causedBy, { hits: found.length });
  }
  if (category === "" && causedBy === undefined && homeList) return show(entriesOf(homeList));
  try {
    const list = await attune.recommend({
      placement: "home",
      limit: LIST_LIMIT,
      explain: true,
      ...(category ? { filter: `"${category}" in item.categories` } : {}),
    });
    if (isWanted()) show(entriesOf(list), causedBy);
  } catch {
    // Nobody's order, from the page's own index, rather than none or another shelf's.
    if (catalogue.size === 0) await index;
    if ((shelfOf === asked && attune.consent.state === "granted") || !isWanted()) return;
    const plain = itemsInTurn(catalogue.values(), category).slice(0, LIST_LIMIT).map(plainEntry);
    show(plain, undefined, { isLocal: true });
  }
}

/** Nothing is known of why: the order is the search's, or everybody's. */
const plainEntry = (item: CatalogueItem): Entry => ({ id: item.item_id, item, reasons: [] });

// --- the panel ---
let pointed = "";
function point(id: string): void {
  if (pointed === id) return;
  pointed = id;
  explain();
}

/** Why the card that was pointed at last stands where it does, by the newest list; nothing of one that has left. */
function explain(): void {
  const index = grid.ids.indexOf(pointed);
  const entry = reasonsOf.get(pointed);
  if (index < 0 || !entry) return panel.why(undefined);
  const list =
    places.query !== "" ? "the results" : entry.reasons.length > 0 ? "your list" : "everybody's list";
  panel.why({ item: entry.item, reasons: entry.reasons, place: `No. ${index + 1} of ${list}` });
}

const panel = createPanel(site, {
  itemOf,
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

/** Without consent nothing is sent or kept, and the page is everybody's: as it was written, the catalogue in turn. */
function followConsent(): void {
  forgetVisitor();
  homeList = undefined;
  personalOrNot();
  if (attune.consent.state === "granted") {
    firstList();
    return toast("Personalization is on", "Nothing is known of you yet.");
  }
  if (isObjecting) return toast("Personalization stays off", "Your browser sends Global Privacy Control.");
  for (const place of reasonsOf.values()) reasonsOf.set(place.id, { ...place, reasons: [] });
  void refresh();
  toast("Personalization is off", "What was stored here is gone, nothing more is sent.");
}

/** What the page says of itself, where it may not know anybody. */
function personalOrNot(): void {
  const isPersonal = attune.consent.state === "granted";
  places.personal(isPersonal);
  slots.personal(isPersonal);
  panel.personal(isPersonal, isObjecting);
}

function forgetVisitor(): void {
  answered = questions;
  shortcuts.stop();
  looked.clear();
  liked.clear();
  cart.clear();
  interests = {};
  pointed = "";
  explain();
  clock.forget();
  panel.forget();
  slots.forget();
  panel.profile(undefined);
  knowSegments([]);
  whoChanged();
  shelfOf = undefined; // what comes next is no reordering of his
  calm.acted();
  places.choose("");
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
  try {
    const answer = await fetch("/demo/catalogue/visitors.json");
    const names = (await answer.json()) as Record<SiteName, string[]>;
    const others = names[site.name].filter((name) => name !== attune.userId);
    const name = others[Math.floor(Math.random() * others.length)]!;
    startOver(`You are ${name}`, "A visitor of the last days, profile included.", name);
    const profile = await attune.profile();
    // Who asked for one more, or for none, is somebody else by now.
    if (attune.userId !== name) return;
    leftInCart(profile).forEach(cart.add);
    profileCame(profile);
  } catch {
    toast(`${site.brand} does not answer`, "It knows the others when it is back.");
  }
}

const shortcuts = createShortcuts({
  items: () => [...grid.ids.map(itemOf).filter((item) => item !== undefined), ...catalogue.values()],
  act(eventType, itemId, fields) {
    if (itemId !== undefined) lookedAt(itemId);
    if (itemId !== undefined && eventType === "add_to_cart") cart.add(itemId);
    if (eventType === "purchase") cart.clear();
    act(eventType, itemId === undefined ? fields : { ...itemFields(itemId), ...fields });
  },
  running: panel.running,
});

function become(shortcut: Shortcut): void {
  panel.fold();
  places.choose("");
  void shortcuts.run(shortcut);
}

function profileCame(profile: Profile | undefined): void {
  interests = profile?.interests ?? {};
  for (const { item_id, event_type } of profile?.recent ?? []) {
    if (event_type === "click" || event_type === "view") looked.add(item_id);
    if (event_type === "like") liked.add(item_id);
  }
  for (const id of grid.ids) grid.card(id)?.classList.toggle("was-looked", looked.has(id));
  panel.profile(profile);
  if (profile) knowSegments(profile.segments);
  whoChanged();
}

function knowSegments(names: readonly string[]): void {
  segments = names;
  panel.segments(names);
}

// --- slots ---
/** What lay in the cart when the page was opened: he left it, and came back. */
const broughtBack = [...cart.ids];
const slots = createSlots({
  site,
  attune,
  catalogue,
  cart: cart.ids,
  isCartWaiting: () =>
    cart.ids.size > 0 && (segments.includes("cart_waiting") || broughtBack.some((id) => cart.ids.has(id))),
  relay: grid.relay,
  onChange: panel.slots,
  onHero(name) {
    calm.acted();
    places.choose(name);
    void refresh();
    byId("heading").scrollIntoView({ block: "start", behavior: "smooth" });
  },
});

// --- what the server says ---
function tell(news: News | undefined, itemId?: string): void {
  if (news) toastNext(news.title, news.text ?? itemOf(itemId ?? "")?.title);
}

attune.on("recommendations", (list) => {
  if (list.placement !== "home") return;
  homeList = list;
  if (placeNow() !== "?") return;
  answered = questions;
  show(entriesOf(list), list.caused_by?.event_id);
});
attune.on("profile", profileCame);
attune.on("segments", ({ segments: names, entered }) => {
  knowSegments(names);
  // The segments that somebody new starts with are no news.
  if (!calm.hasActed) return;
  for (const name of entered) tell(NEWS[site.name].segments[name]);
});
attune.on("trigger", ({ name, item_id }) => tell(NEWS[site.name].triggers[name], item_id));
attune.on("delivery", ({ event_ids }) => clock.accepted(event_ids));
attune.on("status", (status) => {
  panel.status(status);
  if (status.live === "open") retryImages();
});
attune.on("error", ({ code }) => {
  if (!KEY_CODES.has(code)) return;
  panel.locked();
  byId("notice").textContent = "This node asks for a key now; the demo runs without one.";
  byId("notice").hidden = false;
});

// --- start ---
whoChanged();
personalOrNot();
panel.status(attune.status);
followScheme();
const index = readIndex(site, catalogue, () => grid.ids.length > 0);

/** The page view first: where and on what the visitor is belongs into his first list. Then whatever is pushed. */
function firstList(): void {
  void attune
    .flush()
    .then(() => attune.recommend({ placement: "home", limit: LIST_LIMIT, explain: true }))
    .then(
      (list) => {
        homeList = list;
      },
      () => undefined, // the status says so; the shelf is everybody's then
    )
    .then(() => refresh())
    .then(() => attune.subscribe({ placements: ["home"], limit: LIST_LIMIT, explain: true }));
}
if (attune.consent.state === "granted") firstList();
if (attune.consent.state !== "granted") await refresh();
