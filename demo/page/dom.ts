// Elements in one line each.
type Child = Node | string | undefined | false;
type Props = Record<string, string | number | boolean | undefined | ((event: never) => void)>;

/** Makes an element. `on…` props are listeners, `true` is an empty attribute, `undefined` and `false` leave it out. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  props: Props = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") element.addEventListener(name.slice(2).toLowerCase(), value as EventListener);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child): child is Node | string => child !== undefined && child !== false));
  return element;
}

/** The element with this id; the page's HTML has it. */
export function byId<Kind extends HTMLElement = HTMLElement>(id: string): Kind {
  const element = document.getElementById(id);
  if (!element) throw new Error(`#${id} is missing from the page`);
  return element as Kind;
}

const ICONS = {
  heart: "M12 20s-7-4.4-9-9c-1.2-3 .6-6 3.7-6C9 5 10.8 6.2 12 8c1.2-1.8 3-3 5.3-3C20.4 5 22.2 8 21 11c-2 4.6-9 9-9 9z",
  close: "M6 6l12 12M18 6L6 18",
  cart: "M3 4h2.5l2 11h10l2-8H7M9 20h.01M17 20h.01",
  eye: "M2 12s3.5-7 10-7 10 7 10 7-3.5 7-10 7S2 12 2 12zM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM20 20l-4-4",
  spark: "M12 3l1.8 5.2L19 10l-5.2 1.8L12 17l-1.8-5.2L5 10l5.2-1.8z",
  moon: "M20 14A8 8 0 1 1 10 4a7 7 0 0 0 10 10z",
  check: "M5 12.5l4.5 4.5L19 7.5",
  chevron: "M6 15l6-6 6 6",
  bolt: "M13 2L5 14h6l-1 8 8-12h-6z",
} as const;

/** A 20-pixel line icon; its button carries the label. */
export function icon(name: keyof typeof ICONS): SVGSVGElement {
  const ns = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(ns, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const shape = document.createElementNS(ns, "path");
  shape.setAttribute("d", ICONS[name]);
  svg.append(shape);
  return svg;
}

export const reducedMotion = (): boolean => matchMedia("(prefers-reduced-motion: reduce)").matches;
