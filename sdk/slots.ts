// Dynamic UI: elements that carry `data-attune-slot="NAME …"` take on what the decision engine picked for the visitor.
// Only text, `data-attune-…` attributes and CSS custom properties are written: a payload can restyle and reword a page,
// never run code in it or link it elsewhere.
import type { Decision, SlotPayload } from "./types.ts";

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

/** What each element named when it was looked at last. */
const looked = new WeakMap<Element, string | null>();

/** Whether slots have come since it was asked last: a router's, or others in an element that a framework uses again. */
export const slotsCame = (document: Document): boolean =>
  [...document.querySelectorAll("[data-attune-slot]")].filter((one) => {
    const named = one.getAttribute("data-attune-slot");
    return looked.get(one) !== named && looked.set(one, named);
  }).length > 0;

const namesOf = (element: Element): string[] =>
  element.getAttribute("data-attune-slot")?.match(/\S+/g) ?? [];

const variantOf = (slot: string): string => `data-attune-variant-${slot.replaceAll("_", "-")}`;

/** What each slot wrote last, so that the next variant starts from the page's own. */
const written = new WeakMap<Element, Map<string, Written>>();
interface Written {
  id: string;
  undo: (() => void)[];
  texts: Texts;
}
/** By the element that holds it: the text that was written, and what the page has there. */
type Texts = Map<Element, [text: string, own: Node[]]>;
type Pair = [name: string, value: string];

/** Writes a decision into all elements of its slot. */
export function applyDecision(document: Document, { slot, variant, payload, decision_id: id }: Decision): void {
  for (const element of document.querySelectorAll<HTMLElement>("[data-attune-slot]")) {
    const names = namesOf(element);
    if (!names.includes(slot)) continue;
    const slots = written.get(element) ?? new Map<string, Written>();
    written.set(element, slots);
    for (const [name, { undo, texts }] of slots) {
      if (names.includes(name)) continue;
      undo.forEach((each) => each());
      writeTexts(element, undefined, texts);
      element.removeAttribute(variantOf(name));
      slots.delete(name);
    }
    const before = slots.get(slot);
    before?.undo.forEach((each) => each());
    const undo: Written["undo"] = [];
    slots.set(slot, { id, undo, texts: writeTexts(element, payload?.text, before?.texts) });
    // Capture reports these decisions once the element has been seen.
    element.setAttribute("data-attune-shown", [...slots.values()].map((one) => one.id).join(" "));
    for (const [key, value] of entriesOf(payload?.attributes)) {
      if (!NAME.test(key)) continue;
      const name = `data-attune-${key}`;
      const own = element.getAttribute(name);
      element.setAttribute(name, value);
      undo.push(() => (own === null ? element.removeAttribute(name) : element.setAttribute(name, own)));
    }
    for (const [name, value] of entriesOf(payload?.variables)) {
      if (!name.startsWith("--")) continue;
      const own = element.style.getPropertyValue(name);
      element.style.setProperty(name, value);
      undo.push(() => element.style.setProperty(name, own));
    }
    element.setAttribute(variantOf(slot), variant ?? "");
  }
}

function writeTexts(element: Element, text: SlotPayload["text"], before: Texts = new Map()): Texts {
  const textOf = (part: Element): unknown =>
    typeof text === "string" ? part === element && text : part !== element && text?.[part.getAttribute("data-attune-text")!];
  for (const [part, [last, own]] of before) {
    if (typeof textOf(part) !== "string" && part.textContent === last) part.replaceChildren(...own);
  }
  const texts: Texts = new Map();
  for (const part of [element, ...element.querySelectorAll("[data-attune-text]")]) {
    const value = textOf(part);
    if (typeof value !== "string") continue;
    const [last, own] = before.get(part) ?? [];
    // What the page has written since is its own.
    texts.set(part, [value, own && part.textContent === last ? own : [...part.childNodes]]);
    // What stands there already is not written again: a screen reader would say it twice.
    if (part.textContent !== value) part.textContent = value;
  }
  return texts;
}

/** What a payload gives by name, as far as it is text; a payload of another form gives nothing that could be written. */
const entriesOf = (record: object | undefined): Pair[] =>
  Object.entries(record ?? {}).filter((entry): entry is Pair => typeof entry[1] === "string");
