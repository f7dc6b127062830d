// Where the visitor is on the site: everything, one shelf, or the results of a search; its address, and its heading.
import { byId, h } from "./dom.ts";
import type { SiteWords } from "./site.ts";

/** What is typed becomes an address, and a page for the browser's Back, after this pause. */
const TYPED_MS = 600;

export interface Shown {
  items: number;
  /** How many there are of which these are shown. */
  hits: number;
  /** The server did not say: the page's own catalogue in its own order. */
  isLocal: boolean;
}

export interface Places {
  /** Name of the open shelf; "" is everything. */
  readonly category: string;
  /** What is searched for; "" is nothing. */
  readonly query: string;
  choose(category: string): void;
  /** Personalization was turned on or off: the heading must not promise what is not done. */
  personal(isPersonal: boolean): void;
  /** The same, for what the shelf shows now. */
  shown(shown: Shown): void;
}

/** Calls `onChange` when the visitor himself goes somewhere else. */
export function createPlaces(site: SiteWords, onChange: () => void): Places {
  const heading = byId("heading");
  const sub = byId("sub");
  const field = byId<HTMLInputElement>("search");
  let category = "";
  let query = "";
  let isPersonal = true;
  let now: Shown = { items: 0, hits: 0, isLocal: false };
  let typed: ReturnType<typeof setTimeout> | undefined;

  const buttons = ["", ...Object.keys(site.categories)].map((name) =>
    h(
      "button",
      {
        type: "button",
        "data-place": name,
        onclick: () => {
          choose(name);
          onChange();
        },
      },
      name === "" ? site.all : site.categories[name]!,
    ),
  );
  byId("places").append(...buttons);

  function subWords(): string {
    if (query !== "") {
      if (now.hits === 0) return "";
      return `${now.items < now.hits ? `${now.items} of ` : ""}${site.found(now.hits)}`;
    }
    if (!isPersonal) return "The same for everybody: personalization is off";
    if (now.isLocal) return "The same for everybody: the server sends no order";
    return category === "" ? site.sub : "In your order";
  }
  function say(): void {
    const all = isPersonal ? site.heading : site.all;
    heading.textContent = query !== "" ? `Results for “${query}”` : (site.categories[category] ?? all);
    sub.textContent = subWords();
    sub.classList.toggle("hits", query !== "");
    byId("hero").hidden = query !== "";
    for (const button of buttons)
      button.setAttribute("aria-pressed", String(query === "" && button.dataset["place"] === category));
  }

  /** Other parameters of the address are somebody else's, and stay. */
  function writeAddress(): void {
    clearTimeout(typed);
    const url = new URL(location.href);
    const isStillSearching = query !== "" && url.searchParams.has("q");
    for (const [name, value] of [["shelf", category], ["q", query]] as const) {
      if (value === "") url.searchParams.delete(name);
      else url.searchParams.set(name, value);
    }
    const address = url.pathname + url.search;
    if (address === location.pathname + location.search) return;
    if (isStillSearching) history.replaceState(null, "", address);
    else history.pushState(null, "", address);
  }
  /** True where the address names another place than the one that is open. */
  function readAddress(): boolean {
    clearTimeout(typed);
    const parameters = new URLSearchParams(location.search);
    const shelf = parameters.get("shelf") ?? "";
    const before = `${category}?${query}`;
    query = parameters.get("q")?.trim() ?? "";
    category = Object.hasOwn(site.categories, shelf) && query === "" ? shelf : "";
    field.value = query;
    say();
    return before !== `${category}?${query}`;
  }
  function choose(name: string): void {
    category = name;
    query = "";
    field.value = "";
    say();
    writeAddress();
  }

  byId("search-form").addEventListener("submit", (event) => {
    event.preventDefault();
    writeAddress();
  });
  field.addEventListener("input", () => {
    query = field.value.trim();
    if (query !== "") category = "";
    say();
    clearTimeout(typed);
    typed = setTimeout(writeAddress, TYPED_MS);
    onChange();
  });
  addEventListener("popstate", () => {
    if (readAddress()) onChange();
  });
  readAddress();
  return {
    get category() {
      return category;
    },
    get query() {
      return query;
    },
    choose,
    personal(is) {
      isPersonal = is;
      say();
    },
    shown(shown) {
      now = shown;
      say();
    },
  };
}
