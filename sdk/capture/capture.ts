// Listens to the page and turns what the visitor does into events. The judgement (what is a hover, a dwell, an
// impression) is in the pure files beside this one; here is only the wiring to the document.
import { browserClock } from "../browser-host.ts";
import type { AutoCapture, EventFields } from "../types.ts";
import { createDwellMeter, type DwellReport } from "./dwell.ts";
import { createHoverWatch } from "./hover.ts";
import { createImpressions, SEEN_RATIO } from "./impressions.ts";
import { createPointerPath } from "./pointer-path.ts";
import { createScrollDepth } from "./scroll-depth.ts";
import { createSearches, queryOf } from "./search.ts";
import { utcOffset } from "./utc-offset.ts";

const TYPING_PAUSE_MS = 1_000;
const TICK_MS = 1_000;

export interface CaptureOptions {
  auto: Required<AutoCapture>;
  /** `page` is the address that the event belongs to, when it is not the current one. */
  emit: (eventType: string, fields: EventFields, page?: string) => void;
  /** The document is there, or holds something else than before. */
  onLook: () => void;
}

interface PageFields {
  item_id?: string;
  url?: string;
}

export interface Capture {
  page(fields?: PageFields): void;
  view(itemId: string | null): void;
  /** Reports how long was looked up to now: the page may go, or the identity is about to change. */
  settle(): void;
  /** The same, always with an event: the first one under a new identity. */
  mark(): void;
  stop(): void;
}

const { steadyMs } = browserClock;

const attributeOf = (element: Element | null, name: string): string | undefined =>
  element?.getAttribute(`data-attune-${name}`) || undefined;

/** The attribute of the nearest element that has it: this one, or one around it. */
const nearest = (element: Element, name: string): string | undefined =>
  attributeOf(element.closest(`[data-attune-${name}]`), name);

/**
 * The item that an element belongs to, with the decision that showed it; outside of items that of the slot around it.
 */
function itemAt(target: EventTarget | null): { item_id?: string; context?: Record<string, string> } {
  if (!(target instanceof Element)) return {};
  const itemId = nearest(target, "item");
  const listed = nearest(target, "decision");
  const [slot, ...others] = decisionsOf(target.closest("[data-attune-shown]"));
  // An element of several slots does not say which of them was clicked.
  const decisionId = itemId ? listed : others.length === 0 ? slot : undefined;
  return {
    ...(itemId && { item_id: itemId }),
    ...(decisionId && { context: { decision_id: decisionId } }),
  };
}

/** Decisions of the slots that an element shows. */
const decisionsOf = (element: Element | null): string[] => attributeOf(element, "shown")?.split(" ") ?? [];

const ignored = (target: EventTarget | null): boolean =>
  !(target instanceof Element) || target.closest("[data-attune-ignore]") !== null;

export function startCapture({ auto, emit, onLook }: CaptureOptions): Capture {
  const ending = new AbortController();
  const { signal } = ending;
  const listen = (target: EventTarget, type: string, handle: (event: Event) => void): void =>
    target.addEventListener(type, handle, { signal, passive: true, capture: true });

  type Timer = ReturnType<typeof setTimeout> | undefined;
  let [seeing, typing, ticking]: Timer[] = [];
  let address = location.href;
  let itemId: string | undefined;
  /** What the document says that it is about, which a router may change long after the address; null: not looked at. */
  let marked: string | null | undefined = null;
  /** The mark that was there when the page began, or came since: there again, it is no new view. */
  let viewed: string | undefined;
  let scrollDepth = createScrollDepth();
  let hovers = createHoverWatch();
  let path = createPointerPath();
  let impressions = createImpressions();
  const searches = createSearches();
  const dwell = createDwellMeter(steadyMs());
  const isActive = (): boolean => !document.hidden && document.hasFocus();
  const onItem = (): { item_id?: string } => (itemId === undefined ? {} : { item_id: itemId });

  function dwelt({ value, total_s }: DwellReport): void {
    emit("dwell", { ...onItem(), value, additional_data: { total_s } }, address);
  }

  function reportDwell(report: DwellReport | undefined): void {
    if (report && auto.dwell) dwelt(report);
  }

  const tick = (): void => reportDwell(dwell.tick(steadyMs(), isActive()));

  function lookAnew(): void {
    reportDwell(dwell.restart(steadyMs()));
    tick();
  }

  function view(next: string | null | undefined): void {
    lookAnew();
    itemId = next ?? undefined;
    if (itemId !== undefined) emit("view", onItem());
  }

  function followMark(): void {
    const mark = attributeOf(document.querySelector("[data-attune-page-item]"), "page-item");
    if (mark === marked) return;
    if (mark === viewed) itemId = mark;
    else if (mark || itemId === marked) view(mark); // what the page itself said is viewed stays so
    marked = mark;
    viewed = mark ?? viewed;
  }

  function page(fields?: PageFields): void {
    lookAnew();
    itemId = viewed = marked ?? undefined;
    scrollDepth = createScrollDepth();
    hovers = createHoverWatch();
    path = createPointerPath();
    impressions = createImpressions();
    tellPage(fields);
  }

  /** The page itself, which may have begun before: a slow one is seen, looked at and clicked in while it loads. */
  function tellPage(fields: PageFields = {}): void {
    address = new URL(fields.url ?? location.href, location.href).href;
    marked ??= undefined;
    // Where the visitor comes from (a site or an app, never a page of it) and how his browser is set.
    const { referrer } = document;
    const context: Record<string, string> = {
      locale: navigator.language,
      timezone: utcOffset(new Date()),
      ...(referrer && { referrer: referrer.split("/", 3).join("/") }),
    };
    emit("page_view", { context }, address);
    // While somebody types, the address that a router writes at each letter is no search: the pause ends it.
    const query = auto.search && !typing && queryOf(address);
    if (query) search(query);
    if (fields.item_id) view((viewed = fields.item_id));
    look();
  }

  function search(text: string): void {
    const query = searches.searched(text);
    if (query !== undefined) emit("search", { additional_data: { query } });
  }

  // --- clicks: a button may name another event than `click` ---
  function clicked(event: Event): void {
    if (ignored(event.target)) return;
    const target = event.target as Element;
    const control = target.closest("a,button,[role=button],input,select,summary,label") ?? target;
    const named = target.closest("[data-attune-event]");
    // The browser clicks a label's field next: that is one click, wherever both would tell the same.
    const field = control.localName === "label" && (control as HTMLLabelElement).control;
    if (field && (!named || named.contains(field))) return;
    const type = attributeOf(named, "event");
    if (type !== undefined) {
      const value = attributeOf(named, "value");
      return emit(type, { ...itemAt(named), ...(value && { value: Number(value) }) });
    }
    if (!auto.click) return;
    // What was clicked, without any text of the page: that may be the visitor's own.
    const additional_data: Record<string, string> = { tag: control.localName };
    const id = control.getAttribute("id"); // the property may be a form's field of that name
    if (id) additional_data["element_id"] = id.slice(0, 100);
    emit("click", { ...itemAt(target), additional_data });
  }

  // --- impressions: one observer for all cards, a second one for cards that come later ---
  const onScreen = new Set<Element>();
  const sightings =
    auto.impression &&
    new IntersectionObserver(
      (entries) => {
        for (const { target, intersectionRatio, rootBounds, intersectionRect } of entries) {
          // A card taller than the screen never shows half of itself: filling half the screen is as good.
          const fills = rootBounds ? intersectionRect.height / rootBounds.height : 0;
          onScreen[Math.max(intersectionRatio, fills) >= SEEN_RATIO ? "add" : "delete"](target);
        }
        lookAtCards();
      },
      // The small ones tell when a tall card comes to fill the screen.
      { threshold: [0, 0.1, 0.2, SEEN_RATIO, 0.75] },
    );
  function lookAtCards(): void {
    const ids = new Set<string>();
    for (const card of document.hidden ? [] : onScreen) {
      for (const id of decisionsOf(card)) ids.add(id);
      const item = attributeOf(card, "item");
      if (item && !ignored(card)) ids.add(item);
    }
    impressions.visible(ids, steadyMs());
    reportImpressions();
  }

  function reportImpressions(): void {
    clearTimeout(seeing);
    const nowMs = steadyMs();
    const due = new Set(impressions.due(nowMs));
    for (const card of due.size > 0 ? onScreen : []) {
      const fields = itemAt(card);
      if (fields.item_id !== undefined && due.delete(fields.item_id)) emit("impression", fields);
      for (const decision_id of decisionsOf(card)) {
        if (due.delete(decision_id)) emit("impression", { context: { decision_id } });
      }
    }
    const waitMs = impressions.nextMs() - nowMs;
    if (waitMs !== Infinity) seeing = setTimeout(reportImpressions, waitMs);
  }

  /** Sees what the document holds now. */
  function look(): void {
    if (marked !== null) followMark();
    onLook();
    if (!sightings) return;
    for (const card of document.querySelectorAll("[data-attune-item],[data-attune-shown]")) sightings.observe(card);
    lookAtCards();
  }

  let hasChanged = false;
  const growth = new MutationObserver(() => {
    if (hasChanged) return;
    hasChanged = true;
    requestAnimationFrame(() => {
      hasChanged = false;
      if (!signal.aborted) look();
    });
  });
  growth.observe(document, {
    subtree: true,
    childList: true,
    attributeFilter: ["data-attune-item", "data-attune-shown", "data-attune-page-item", "data-attune-slot"],
  });

  listen(document, "click", clicked);
  if (auto.scroll) {
    let queued = false;
    listen(document, "scroll", (event) => {
      if (queued || event.target !== document) return;
      queued = true;
      requestAnimationFrame(() => {
        queued = false;
        const depth = (scrollY + innerHeight) / document.documentElement.scrollHeight;
        const step = scrollDepth.scrolled(depth);
        if (step !== undefined) emit("scroll", { ...onItem(), value: step }, address);
      });
    });
  }
  if (auto.hover) {
    let hovered: ReturnType<typeof itemAt> = {};
    const over = (target: EventTarget | null): void => {
      const at: ReturnType<typeof itemAt> = ignored(target) ? {} : itemAt(target);
      const hover = hovers.over(at.item_id, steadyMs());
      if (hover) emit("hover", { ...hovered, ...hover });
      hovered = at;
    };
    listen(document, "pointerover", (event) => {
      if ((event as PointerEvent).pointerType === "mouse") over(event.target);
    });
    listen(document.documentElement, "pointerleave", (event) => {
      if (event.target === document.documentElement) over(null);
    });
    listen(document, "visibilitychange", () => over(null));
  }
  if (auto.mouse_move) {
    listen(document, "pointermove", (event) => {
      const { pointerType, clientX, clientY } = event as PointerEvent;
      if (pointerType !== "mouse") return;
      const moves = path.moved(clientX / innerWidth, clientY / innerHeight, steadyMs());
      if (moves !== undefined) emit("mouse_move", { ...onItem(), additional_data: { path: moves } }, address);
    });
  }
  if (auto.search) {
    // Where text is typed: a hidden field's token, a password or an address is no search.
    const FIELDS =
      "input:is([type=search],[role=search] *,[data-attune-search]):is([type=search],[type=text],:not([type]))";
    for (const type of ["input", "change", "submit"]) {
      listen(document, type, ({ target }) => {
        const within = target instanceof Element ? target : null;
        const field = type === "submit" ? within?.querySelector(FIELDS) : within?.closest(FIELDS);
        if (!field || ignored(field)) return;
        const told = (): void => {
          typing = undefined;
          search((field as HTMLInputElement).value);
        };
        clearTimeout(typing);
        if (type === "input") typing = setTimeout(told, TYPING_PAUSE_MS);
        else told();
      });
    }
  }
  if (auto.dwell) {
    ticking = setInterval(tick, TICK_MS);
    tick();
    listen(window, "focus", tick);
    listen(window, "blur", tick);
    listen(document, "visibilitychange", tick);
  }
  listen(document, "visibilitychange", lookAtCards);
  whenParsed(() => {
    if (signal.aborted) return;
    if (!auto.page_view) return look();
    onNavigation(page, signal);
    listen(window, "pageshow", (event) => {
      if (!(event as PageTransitionEvent).persisted) return;
      marked = null; // The back-forward cache brings the page, and what it is about, once more.
      page();
    });
    tellPage();
  });

  return {
    page,
    view,
    settle: () => reportDwell(dwell.rest(steadyMs())),
    mark: () => dwelt(dwell.rest(steadyMs()) ?? { value: 0, total_s: 0 }),
    stop() {
      ending.abort();
      sightings && sightings.disconnect();
      growth.disconnect();
      for (const timer of [seeing, typing, ticking]) clearTimeout(timer);
    },
  };
}

/**
 * Runs `task` once the document has elements: after the page's own code of this turn, or when the parser is through. A
 * server that streams its page may take long to its end.
 */
export function whenParsed(task: () => void): void {
  if (document.body) queueMicrotask(task);
  else document.addEventListener("DOMContentLoaded", task, { once: true });
}

/** Calls back after the address changed without a new document; a changed fragment alone is no new page. */
function onNavigation(navigated: () => void, signal: AbortSignal): void {
  const place = (): string => location.pathname + location.search;
  let last = place();
  // After the router's own code, which may lead on at once, and before the content that it brings is looked at.
  const look = (): void =>
    queueMicrotask(() => {
      if (signal.aborted || place() === last) return;
      last = place();
      navigated();
    });
  // It hears every router, also one that never touches `history`. Where there is none, an element may have its name.
  if (window.navigation?.currentEntry) return navigation.addEventListener("currententrychange", look, { signal });
  for (const name of ["pushState", "replaceState"] as const) {
    const original = history[name];
    // Does not throw where a page has frozen its objects: that loses its router's page views, and nothing else.
    Reflect.set(history, name, function (this: History, ...args: Parameters<History["pushState"]>) {
      original.apply(this, args);
      look();
    });
  }
  addEventListener("popstate", look, { signal });
}
