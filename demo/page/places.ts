// Where the visitor is on the site: everything, one shelf, or the results of a search; and what its heading says.
import { byId, h } from "./dom.ts";
import type { SiteWords } from "./site.ts";

export interface Places {
  /** Name of the open shelf; "" is everything. */
  readonly category: string;
  /** What is searched for; "" is nothing. */
  readonly query: string;
  choose(category: string): void;
  /** Personalization was turned on or off: the heading must not promise what is not done. */
  personal(isPersonal: boolean): void;
}

/** Calls `onChange` when the visitor himself goes somewhere else. */
export function createPlaces(site: SiteWords, onChange: () => void): Places {
  const heading = byId("heading");
  const sub = byId("sub");
  const field = byId<HTMLInputElement>("search");
  let category = "";
  let query = "";
  let isPersonal = true;

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

  function say(): void {
    const all = isPersonal ? site.heading : site.all;
    heading.textContent = query !== "" ? `Results for “${query}”` : (site.categories[category] ?? all);
    const own = category === "" ? site.sub : "In your order";
    sub.textContent = isPersonal ? own : "The same for everybody: personalization is off";
  }
  function choose(name: string): void {
    category = name;
    query = "";
    field.value = "";
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset["place"] === name));
    say();
  }

  byId("search-form").addEventListener("submit", (event) => event.preventDefault());
  field.addEventListener("input", () => {
    query = field.value.trim();
    say();
    onChange();
  });
  choose("");
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
  };
}
