// Dynamic UI: elements that carry `data-attune-slot="NAME …"` take on what the decision engine picked for the visitor.
// Only text, `data-attune-…` attributes and CSS custom properties are written: a payload can restyle and reword a page,
// never run code in it or link it elsewhere.
import type { Decision } from "./types.ts";

const SLOTS_MAX = 16;
const NAME = /^[a-z][a-z0-9-]*$/;
/** Attributes that the SDK itself reads: no payload writes them. */
const RESERVED = /^(slot|shown|item|page-item|decision|event|value|ignore|search|text|variant-.*)$/;

/** The slots that the document asks for, each once. */
export function slotsOf(document: Document): string[] {
  const names = new Set<string>();
  for (const element of document.querySelectorAll("[data-attune-slot]")) {
    for (const name of namesOf(element)) names.add(name);
  }
  return [...names].slice(0, SLOTS_MAX);
}

const looked = new WeakSet<Element>();

/** Whether slots have come since it was asked last, e.g. a router's. */
export const slotsCame = (document: Document): boolean =>
  [...document.querySelectorAll("[data-attune-slot]")].filter((one) => !looked.has(one) && looked.add(one)).length > 0;

const namesOf = (element: Element): string[] =>
  element.getAttribute("data-attune-slot")?.match(/\S+/g) ?? [];

/** What each slot wrote last, so that the next variant starts from a clean element. */
const written = new WeakMap<Element, Map<string, { attributes: Pair[]; variables: Pair[]; id: string }>>();
type Pair = [name: string, value: string];

/** Writes a decision into all elements of its slot. */
export function applyDecision(document: Document, { slot, variant, payload, decision_id: id }: Decision): void {
  for (const element of document.querySelectorAll<HTMLElement>("[data-attune-slot]")) {
    if (!namesOf(element).includes(slot)) continue;
    const attributes = entriesOf(payload?.attributes).filter(([name]) => NAME.test(name) && !RESERVED.test(name));
    const variables = entriesOf(payload?.variables).filter(([name]) => name.startsWith("--"));

    const slots = written.get(element) ?? new Map<string, { attributes: Pair[]; variables: Pair[]; id: string }>();
    written.set(element, slots);
    const before = slots.get(slot);
    slots.set(slot, { attributes, variables, id });
    // Capture reports these decisions once the element has been seen.
    element.setAttribute("data-attune-shown", [...slots.values()].map((one) => one.id).join(" "));
    for (const [name] of before?.attributes ?? []) element.removeAttribute(`data-attune-${name}`);
    for (const [name] of before?.variables ?? []) element.style.removeProperty(name);

    for (const [name, value] of attributes) element.setAttribute(`data-attune-${name}`, value);
    for (const [name, value] of variables) element.style.setProperty(name, value);
    element.setAttribute(`data-attune-variant-${slot.replaceAll("_", "-")}`, variant ?? "");
    writeText(element, payload?.text);
  }
}

function writeText(element: HTMLElement, text: unknown): void {
  if (typeof text === "string") element.textContent = text;
  else {
    for (const [key, value] of entriesOf(text)) {
      for (const part of element.querySelectorAll(`[data-attune-text="${CSS.escape(key)}"]`)) part.textContent = value;
    }
  }
}

function entriesOf(record: unknown): Pair[] {
  if (typeof record !== "object" || record === null) return [];
  return Object.entries(record).filter((entry): entry is Pair => typeof entry[1] === "string");
}
