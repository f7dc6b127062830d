// Dynamic UI beyond what the SDK writes itself: pictures of the hero, the offer strip, and layouts that change out of sight.
import type { Attune, CatalogueItem } from "../../sdk/index.ts";
import { byId, h } from "./dom.ts";
import type { SiteWords } from "./site.ts";

const HERO_PICTURES = 3;

export interface SlotsOptions {
  site: SiteWords;
  attune: Attune;
  catalogue: ReadonlyMap<string, CatalogueItem>;
  cart: ReadonlySet<string>;
  /** Lays the shelf out anew. */
  relay(change: () => void): void;
  onChange(variants: ReadonlyMap<string, string | null>): void;
  /** The hero's button was pressed: which category it opens, "" for all. */
  onHero(category: string): void;
}

export function createSlots({ site, attune, catalogue, cart, relay, onChange, onHero }: SlotsOptions): void {
  const root = document.documentElement;
  const hero = byId("hero");
  const offer = document.getElementById("offer");
  const offerless = [...(offer?.cloneNode(true).childNodes ?? [])];
  const variants = new Map<string, string | null>();

  function heroCategory(): string {
    const name = hero.querySelector("[data-attune-text=category]")?.textContent?.trim() ?? "";
    return name in site.categories ? name : "";
  }

  function heroItems(): string[] {
    const category = heroCategory();
    if (category !== "") return site.heroNumbers.map((number) => `${category}-${number}`);
    const wanted: string[] = [];
    if (variants.get("hero") === "buyer") wanted.push(...cart);
    if (variants.get("hero") === "bargain") {
      for (const item of catalogue.values()) if (item.tags.includes("sale")) wanted.push(item.item_id);
    }
    return [...wanted, ...site.heroItems].slice(0, HERO_PICTURES);
  }

  function heroPictures(): void {
    const pictures = heroItems().map((id) => `/demo/pictures/${site.name}/${id}.svg`);
    const height = site.name === "shop" ? 220 : 138;
    byId("hero-art").replaceChildren(...pictures.map((src) => h("img", { src, alt: "", width: 220, height })));
  }

  function offerMade(isMade: boolean): void {
    offer?.classList.toggle("made", isMade);
    if (!isMade) offer?.replaceChildren(...offerless.map((node) => node.cloneNode(true)));
  }

  byId("hero-action").addEventListener("click", () => onHero(heroCategory()));
  attune.on("decision", ({ slot, variant, payload }) => {
    variants.set(slot, variant);
    onChange(variants);
    if (slot === "hero") heroPictures();
    if (slot === "offer") offerMade(typeof payload?.text === "object" && payload.text["title"] !== undefined);
    if (slot !== "layout" && slot !== "type") return;
    const next = root.getAttribute(`data-attune-${slot}`) ?? "";
    if (next !== root.dataset[slot]) relay(() => (root.dataset[slot] = next));
  });
  heroPictures();
}
