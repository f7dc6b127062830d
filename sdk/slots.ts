// Dynamic UI: elements that carry `data-attune-slot="NAME …"` take on what the decision engine picked for the visitor.
// Only text, `data-attune-…` attributes and CSS custom properties are written: a payload can restyle and reword a page,
// never run code in it or link it elsewhere.
import type { Decision } from "./types.ts";

const SLOTS_MAX = 16;
/** Attributes that a payload may write: none that the SDK itself reads. */
const NAME = /^(?!(slot|shown|(page-)?item|decision|event|value|ignore|search|text|variant-.*)$)[a-z][a-z0-9-]*$/;

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
const written = new WeakMap<Element, Map<string, Written>>();
interface Written {
  id: string;
  undo: (() => void)[];
}
type Pair = [name: string, value: string];

/** Writes a decision into all elements of its slot. */
export function applyDecision(document: Document, { slot, variant, payload, decision_id: id }: Decision): void {
  for (const element of document.querySelectorAll<HTMLElement>("[data-attune-slot]")) {
    if (!namesOf(element).includes(slot)) continue;
    const slots = written.get(element) ?? new Map<string, Written>();
    written.set(element, slots);
    slots.get(slot)?.undo.forEach((each) => each());
    const undo: Written["undo"] = [];
    slots.set(slot, { id, undo });
    // Capture reports these decisions once the element has been seen.
    element.setAttribute("data-attune-shown", [...slots.values()].map((one) => one.id).join(" "));
    for (const [name, value] of entriesOf(payload?.attributes)) {
      if (!NAME.test(name)) continue;
      element.setAttribute(`data-attune-${name}`, value);
      undo.push(() => element.removeAttribute(`data-attune-${name}`));
    }
    for (const [name, value] of entriesOf(payload?.variables)) {
      if (!name.startsWith("--")) continue;
      element.style.setProperty(name, value);
      undo.push(() => element.style.removeProperty(name));
    }
    element.setAttribute(`data-attune-variant-${slot.replaceAll("_", "-")}`, variant ?? "");
    writeText(element, payload?.text);
  }
}

function writeText(element: HTMLElement, text: unknown): void {
  // What stands there already is not written again: a screen reader would say it twice.
  const write = (part: Element, value: string): void => {
    if (part.textContent !== value) part.textContent = value;
  };
  if (typeof text === "string") write(element, text);
  else {
    for (const [key, value] of entriesOf(text)) {
      for (const part of element.querySelectorAll(`[data-attune-text="${CSS.escape(key)}"]`)) write(part, value);
    }
  }
}

function entriesOf(record: unknown): Pair[] {
  if (typeof record !== "object" || record === null) return [];
  return Object.entries(record).filter((entry): entry is Pair => typeof entry[1] === "string");
}
