// The side panel: what attune knows of this visitor, as it moves. On a phone it is a sheet at the bottom.
import type { CatalogueItem, Profile, Reason, Status } from "../../sdk/index.ts";
import type { Lap } from "./clock.ts";
import { byId, h } from "./dom.ts";
import { pictureOf } from "./picture.ts";
import { reasonsInWords, shortTitle } from "./reasons.ts";
import { wordsOf, type Shortcut, type SiteWords } from "./site.ts";

const BARS_MAX = 4;
const TAGS_MAX = 5;
const RECENT_MAX = 4;
const LAPS_MAX = 16;

export interface PanelActs {
  become(shortcut: Shortcut): void;
  another(): void;
  reset(): void;
  /** The visitor turns personalization on or off. */
  consent(isGranted: boolean): void;
  itemOf(id: string): CatalogueItem | undefined;
}

export interface Explained {
  item: CatalogueItem;
  reasons: readonly Reason[];
  /** Where it stands, in words. */
  place: string;
}

export interface Panel {
  profile(profile: Profile | undefined): void;
  segments(names: readonly string[]): void;
  lap(lap: Lap): void;
  /** Another visitor, or nobody: what the clock took was the last one's. */
  forget(): void;
  status(status: Status): void;
  /** The node asks for a key, which the page does not have: nothing will come any more. */
  locked(): void;
  slots(variants: ReadonlyMap<string, string | null>): void;
  /** Why an item stands where it does; undefined where none is pointed at. */
  why(shown: Explained | undefined): void;
  who(label: string, consolePath: string): void;
  /** Without consent nothing can be known; `isObjecting`: the browser said so by Global Privacy Control. */
  personal(isPersonal: boolean, isObjecting: boolean): void;
  /** On a phone: out of the way of what is about to move. */
  fold(): void;
  /** A shortcut is running: which step of how many; undefined when it is over. */
  running(shortcut: Shortcut | undefined, step?: number): void;
}

export function createPanel(site: SiteWords, acts: PanelActs): Panel {
  const root = byId("panel");
  const toggle = byId<HTMLButtonElement>("panel-toggle");
  const body = byId("panel-body");
  const phone = matchMedia("(max-width: 899px)");

  function open(isOpen: boolean): void {
    root.classList.toggle("open", isOpen);
    toggle.setAttribute("aria-expanded", String(isOpen));
    body.inert = phone.matches && !isOpen;
  }
  toggle.addEventListener("click", () => open(!root.classList.contains("open")));
  root.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && phone.matches) {
      open(false);
      toggle.focus();
    }
  });
  phone.addEventListener("change", () => open(false));
  open(false);

  // --- freshness ---
  const laps: number[] = [];
  const clockValue = byId("clock-value");
  const clockUnits = root.querySelectorAll(".clock-unit");
  const parts = ["stored", "pushed", "painted"].map((name) => ({
    bar: byId(`clock-${name}`),
    figure: byId(`clock-${name}-ms`),
  }));
  const history = byId("clock-history");

  // --- shortcuts ---
  const shortcuts = site.shortcuts.map((shortcut) => ({
    shortcut,
    button: h(
      "button",
      { type: "button", class: "become", title: shortcut.hint, onclick: () => acts.become(shortcut) },
      h("span", {}, shortcut.label),
      h("i", { "aria-hidden": "true" }),
    ),
  }));
  byId("shortcuts").append(...shortcuts.map(({ button }) => button));
  byId("another").addEventListener("click", acts.another);
  byId("reset").addEventListener("click", acts.reset);

  const consent = byId("consent");
  consent.addEventListener("click", () => acts.consent(consent.getAttribute("aria-checked") !== "true"));

  // --- interests: rows keep their identity and glide ---
  const bars = byId("interests");
  const rows = new Map<string, { element: HTMLElement; bar: HTMLElement; figure: HTMLElement; share: number }>();

  function interests(shares: Readonly<Record<string, number>>): void {
    const top = Object.entries(shares)
      .filter(([, share]) => share > 0.004)
      .sort((a, b) => b[1] - a[1])
      .slice(0, BARS_MAX);
    const names = new Set(top.map(([name]) => name));
    for (const [name, row] of rows) {
      if (names.has(name)) continue;
      row.element.remove();
      rows.delete(name);
    }
    for (const [place, [name, share]] of top.entries()) {
      let row = rows.get(name);
      if (!row) {
        const bar = h("i", {});
        const figure = h("b", {});
        row = {
          bar,
          figure,
          share: 0,
          element: h(
            "li",
            {},
            h("span", {}, site.categories[name] ?? wordsOf(name)),
            h("span", { class: "track", "aria-hidden": "true" }, bar),
            figure,
          ),
        };
        rows.set(name, row);
        bars.append(row.element);
      }
      row.element.style.setProperty("--place", String(place));
      row.bar.style.transform = `scaleX(${share.toFixed(4)})`;
      row.figure.textContent = `${Math.round(share * 100)}%`;
      row.element.classList.toggle("grew", share > row.share + 0.005);
      row.share = share;
    }
    byId("interests-empty").hidden = top.length > 0;
    byId("peek-interest").textContent = top[0]
      ? `${site.categories[top[0][0]] ?? wordsOf(top[0][0])} ${Math.round(top[0][1] * 100)}%`
      : site.invite;
  }

  /** Read aloud, so written only where it changes: each try to connect, and each act that is kept, comes through here. */
  function showStatus(words: string, state: "on" | "wait" | "off"): void {
    const said = byId("status-words");
    if (said.textContent !== words) said.textContent = words;
    byId("status").dataset["state"] = state;
  }

  let segmentNames: readonly string[] = [];
  let isAway = false;
  let isLocked = false;
  return {
    profile(profile) {
      interests(profile?.interests ?? {});
      const tags = Object.entries(profile?.interest_tags ?? {})
        .sort((a, b) => b[1] - a[1])
        .slice(0, TAGS_MAX);
      byId("tags").replaceChildren(...tags.map(([name]) => h("li", {}, name.replaceAll("-", " "))));
      const recent =
        profile?.recent
          .filter(({ event_type }) => event_type !== "impression" && event_type !== "hover")
          .slice(0, RECENT_MAX) ?? [];
      byId("recent").replaceChildren(
        ...recent.map(({ item_id, event_type }) => {
          const item = acts.itemOf(item_id);
          return h(
            "li",
            {},
            item ? pictureOf(item, { width: 28, height: 28 }) : h("i", {}),
            h("span", {}, item?.title ?? item_id),
            h("em", {}, wordsOf(event_type).toLowerCase()),
          );
        }),
      );
      byId("recent-empty").hidden = recent.length > 0;
      const events = profile?.features["frequency"];
      byId("fact-frequency").textContent = typeof events === "number" ? String(Math.round(events)) : "0";
      const engagement = profile?.features["engagement"];
      byId("fact-engagement").textContent = typeof engagement === "number" ? engagement.toFixed(1) : "0";
      byId("fact-version").textContent = profile ? String(profile.version) : "–";
    },
    segments(names) {
      const fresh = new Set(names.filter((name) => !segmentNames.includes(name)));
      const first = segmentNames.length === 0;
      segmentNames = names;
      byId("segments").replaceChildren(
        ...names.map((name) => h("li", { class: fresh.has(name) && !first ? "fresh" : undefined }, wordsOf(name))),
      );
      byId("segments-empty").hidden = names.length > 0;
      for (const { shortcut, button } of shortcuts) button.classList.toggle("is-one", names.includes(shortcut.name));
    },
    lap({ acceptedMs, pushedMs, paintedMs }) {
      laps.push(paintedMs);
      if (laps.length > LAPS_MAX) laps.shift();
      // Four digits have no room beside their words.
      const isSlow = Math.round(paintedMs) >= 1_000;
      const unit = isSlow ? "s" : "ms";
      const inUnit = (ms: number): string => (isSlow ? (ms / 1_000).toFixed(1) : String(Math.round(ms)));
      clockValue.textContent = inUnit(paintedMs);
      for (const element of clockUnits) element.textContent = unit;
      byId("peek-clock").textContent = `${inUnit(paintedMs)} ${unit}`;
      byId("peek-clock").hidden = false;
      const reached = [acceptedMs, pushedMs, paintedMs];
      parts.forEach(({ bar, figure }, index) => {
        const tookMs = reached[index]! - (reached[index - 1] ?? 0);
        bar.style.flexGrow = String(Math.max(0.02, tookMs / paintedMs));
        figure.textContent = inUnit(reached[index]!);
      });
      const most = Math.max(...laps, 50);
      history.replaceChildren(
        ...laps.map((ms, index) => {
          const bar = h("i", { class: index === laps.length - 1 ? "now" : undefined });
          bar.style.height = `${Math.max(8, (ms / most) * 100)}%`;
          return bar;
        }),
      );
      history.setAttribute(
        "aria-label",
        `Last ${laps.length} acts: ${laps.map((ms) => `${Math.round(ms)} ms`).join(", ")}`,
      );
      root.classList.remove("ticked");
      void root.offsetWidth; // restarts the pulse
      root.classList.add("ticked");
    },
    forget() {
      laps.length = 0;
      clockValue.textContent = "–";
      byId("peek-clock").hidden = true;
      for (const { bar, figure } of parts) {
        bar.style.flexGrow = "";
        figure.textContent = "–";
      }
      history.replaceChildren();
      history.setAttribute("aria-label", "No act yet");
      root.classList.remove("ticked");
    },
    status(status) {
      const { live, transport, queued, consent: state } = status;
      // Between two tries it connects, too: whoever failed once is away until it opens.
      if (live === "waiting") isAway = true;
      else if (live === "open") isAway = false;
      const words =
        state !== "granted"
          ? "off"
          : isLocked
            ? "asks for a key"
            : isAway || !status.online
              ? "offline"
              : live === "open"
                ? `live${transport === "sse" ? " · sse" : ""}`
                : "connecting";
      showStatus(words, words.startsWith("live") ? "on" : words === "connecting" ? "wait" : "off");
      byId("status-kept").textContent = words === "offline" ? ` · ${queued} kept` : "";
      consent.setAttribute("aria-checked", String(state === "granted"));
      document.documentElement.dataset["live"] = live;
    },
    locked() {
      isLocked = true;
      showStatus("asks for a key", "off");
    },
    slots(variants) {
      byId("slots").replaceChildren(
        ...[...variants].map(([slot, variant]) =>
          h("li", {}, h("span", {}, slot), h("b", {}, variant ? wordsOf(variant).toLowerCase() : "–")),
        ),
      );
    },
    why(shown) {
      byId("why-empty").hidden = shown !== undefined;
      byId("why").hidden = shown === undefined;
      if (!shown) return;
      const { item, reasons, place } = shown;
      const picture = byId<HTMLImageElement>("why-picture");
      // Its place stays: the words beside it do not jump.
      picture.style.visibility = item.image_url ? "" : "hidden";
      if (item.image_url) picture.src = item.image_url;
      byId("why-title").textContent = item.title;
      byId("why-place").textContent = place;
      byId("why-reasons").replaceChildren(
        ...reasonsInWords(site.name, reasons).map(({ words, weight, because }) => {
          const bar = h("i", {});
          bar.style.transform = `scaleX(${Math.min(1, Math.max(0.02, weight)).toFixed(3)})`;
          const own = because
            .map(acts.itemOf)
            .filter((found) => found !== undefined)
            .slice(0, 3);
          return h(
            "li",
            {},
            h("span", {}, words),
            h("b", {}, `${Math.round(weight * 100)}%`),
            h("span", { class: "track", "aria-hidden": "true" }, bar),
            own.length > 0 &&
              h(
                "span",
                { class: "because" },
                "from ",
                ...own.map((found) =>
                  found.image_url
                    ? h("img", { src: found.image_url, alt: found.title, title: found.title, width: 22, height: 22 })
                    : h("b", {}, shortTitle(found.title)),
                ),
              ),
          );
        }),
      );
    },
    who(label, consolePath) {
      byId("who").textContent = label;
      byId<HTMLAnchorElement>("console-link").href = `/console/${consolePath}`;
    },
    personal(isPersonal, isObjecting) {
      const off = isObjecting
        ? "Your browser sends Global Privacy Control: nothing is kept of you or sent."
        : "Personalization is off: nothing is kept of you or sent.";
      byId("interests-empty").textContent = isPersonal ? "Click a card: bars grow here." : off;
      byId("slots").hidden = !isPersonal;
      byId("slots-empty").hidden = isPersonal;
      for (const { button } of shortcuts) button.disabled = !isPersonal;
      byId<HTMLButtonElement>("another").disabled = !isPersonal;
      byId<HTMLButtonElement>("reset").disabled = !isPersonal;
      byId("peek-interest").textContent = isPersonal ? site.invite : "Personalization is off";
    },
    fold() {
      if (!phone.matches || !root.classList.contains("open")) return;
      open(false);
      toggle.focus();
    },
    running(shortcut, step = 0) {
      for (const each of shortcuts) {
        const isThis = each.shortcut === shortcut;
        each.button.disabled = shortcut !== undefined;
        each.button.classList.toggle("runs", isThis);
        each.button.style.setProperty("--done", isThis ? String(step / each.shortcut.steps.length) : "0");
      }
    },
  };
}
