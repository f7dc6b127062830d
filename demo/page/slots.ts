// Dynamic UI beyond what the SDK writes itself: pictures of the hero, the offer strip, and layouts that change out of sight.
import type { Attune, CatalogueItem } from "../../sdk/index.ts";
import { byId, h } from "./dom.ts";
import type { SiteWords } from "./site.ts";

const HERO_PICTURES = 3;
const LAYOUTS = ["data-layout", "data-type"];

export interface SlotsOptions {
  site: SiteWords;
  attune: Attune;
  catalogue: ReadonlyMap<string, CatalogueItem>;
  cart: ReadonlySet<string>;
  /** The visitor left something in his cart, and time has passed. */
  isCartWaiting(): boolean;
  /** Lays the shelf out anew. */
  relay(change: () => void): void;
  onChange(variants: ReadonlyMap<string, string | null>): void;
  /** The hero's button was pressed: which category it opens, "" for all. */
  onHero(category: string): void;
}

export interface Slots {
  /** Without consent the page is as it was written, and no decision reaches it, not even one under way. */
  personal(isPersonal: boolean): void;
  /** Another visitor: what the hero said was for the last one. */
  forget(): void;
}

export function createSlots(options: SlotsOptions): Slots {
  const { site, attune, catalogue, cart, isCartWaiting, relay, onChange, onHero } = options;
  const root = document.documentElement;
  const hero = byId("hero");
  const offer = document.getElementById("offer");
  const offerless = [...(offer?.cloneNode(true).childNodes ?? [])];
  const variants = new Map<string, string | null>();
  const slots = [root, hero, ...(offer ? [offer] : [])].map((element) => ({
    element,
    names: element.getAttribute("data-attune-slot") ?? "",
  }));
  const theme = root.getAttribute("data-attune-theme")!;
  const layouts = LAYOUTS.map((name) => [name, root.getAttribute(name)] as const);
  const heroTexts = [...hero.querySelectorAll("[data-attune-text]")];
  const heroSays = (): (string | null)[] => heroTexts.map((element) => element.textContent);
  const heroAuthored = heroSays();
  let heroShown = heroAuthored;

  function heroCategory(): string {
    const name = hero.querySelector("[data-attune-text=category]")?.textContent?.trim() ?? "";
    return Object.hasOwn(site.categories, name) ? name : "";
  }

  function heroItems(variant: string | null | undefined): string[] {
    const category = heroCategory();
    if (category !== "") return site.heroNumbers.map((number) => `${category}-${number}`);
    const wanted: string[] = [];
    if (variant === "buyer") wanted.push(...cart);
    if (variant === "bargain") {
      for (const item of catalogue.values()) if (item.tags.includes("sale")) wanted.push(item.item_id);
    }
    return [...wanted, ...site.heroItems].slice(0, HERO_PICTURES);
  }

  let drawn = "";
  function heroPictures(variant?: string | null): void {
    const pictures = heroItems(variant).map((id) => `/demo/pictures/${site.name}/${id}.svg`);
    if (pictures.join() === drawn) return; // they would rise once more
    drawn = pictures.join();
    const height = site.name === "shop" ? 220 : 138;
    byId("hero-art").replaceChildren(...pictures.map((src) => h("img", { src, alt: "", width: 220, height })));
  }

  function heroBack(texts: readonly (string | null)[]): void {
    heroTexts.forEach((element, index) => (element.textContent = texts[index]!));
  }

  /** The SDK wrote the hero's slot. "Your cart is still here" is for whoever left it, not for who has just filled it. */
  function heroCame(): void {
    const variant = hero.getAttribute("data-attune-variant-hero");
    if (variant === null) return;
    if (variant === "buyer" && !isCartWaiting()) {
      heroBack(heroShown);
      return heroPictures(variants.get("hero"));
    }
    heroShown = heroSays();
    heroPictures(variant);
    if (variants.get("hero") === variant) return;
    variants.set("hero", variant);
    onChange(variants);
  }

  function offerMade(isMade: boolean): void {
    offer?.classList.toggle("made", isMade);
    if (!isMade) offer?.replaceChildren(...offerless.map((node) => node.cloneNode(true)));
  }

  /** The page as its HTML has it. */
  function restore(): void {
    for (const { element } of slots) {
      for (const name of element.getAttributeNames())
        if (/^data-attune-(variant-.*|shown|layout|type)$/.test(name)) element.removeAttribute(name);
    }
    root.removeAttribute("style");
    root.setAttribute("data-attune-theme", theme);
    relay(() => {
      for (const [name, value] of layouts) {
        if (value === null) root.removeAttribute(name);
        else root.setAttribute(name, value);
      }
    });
    heroShown = heroAuthored;
    heroBack(heroAuthored);
    heroPictures();
    offerMade(false);
  }

  byId("hero-action").addEventListener("click", () => onHero(heroCategory()));
  // Runs after each time that the SDK wrote the hero, also where it writes again what it wrote before.
  new MutationObserver(heroCame).observe(hero, { attributeFilter: ["data-attune-variant-hero"] });
  attune.on("decision", ({ slot, variant, payload }) => {
    if (slot === "hero") return;
    variants.set(slot, variant);
    onChange(variants);
    if (slot === "offer") offerMade(typeof payload?.text === "object" && payload.text["title"] !== undefined);
    if (slot !== "layout" && slot !== "type") return;
    const next = root.getAttribute(`data-attune-${slot}`) ?? "";
    if (next !== root.dataset[slot]) relay(() => (root.dataset[slot] = next));
  });
  heroPictures();

  let wasPersonal = true;
  return {
    personal(isPersonal) {
      if (isPersonal === wasPersonal) return;
      wasPersonal = isPersonal;
      // A slot without its name is found by no decision.
      for (const { element, names } of slots) {
        if (isPersonal) element.setAttribute("data-attune-slot", names);
        else element.removeAttribute("data-attune-slot");
      }
      if (!isPersonal) restore();
    },
    forget() {
      heroShown = heroAuthored;
      variants.delete("hero");
    },
  };
}
