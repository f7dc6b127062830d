// Short notes at the edge of the page, one at a time: what the visitor did, and what came of it.
import { byId, h, icon } from "./dom.ts";

const SHOWN_MS = 4_000;
/** While another one waits. */
const HURRIED_MS = 1_800;
/** Of more, the oldest are not worth a look any more. */
const WAITING_MAX = 2;

const waiting: HTMLElement[] = [];
let shownMs = 0;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Says at once what the visitor has just done; news that waited is old by then. */
export function toast(title: string, text = ""): void {
  waiting.length = 0;
  waiting.push(noteOf(title, text));
  clearTimeout(timer);
  showNext();
}

/** Says what came of it, after what is said now. */
export function toastNext(title: string, text = ""): void {
  waiting.push(noteOf(title, text));
  if (waiting.length > WAITING_MAX) waiting.shift();
  clearTimeout(timer);
  const isFree = byId("toasts").childElementCount === 0;
  if (isFree) showNext();
  else timer = setTimeout(showNext, shownMs + HURRIED_MS - performance.now());
}

const noteOf = (title: string, text: string): HTMLElement =>
  h("div", { class: "toast" }, icon("bolt"), h("div", {}, h("strong", {}, title), text !== "" && h("span", {}, text)));

function showNext(): void {
  const place = byId("toasts");
  const next = waiting.shift();
  if (!next) return void place.replaceChildren();
  raiseToasts();
  place.replaceChildren(next);
  shownMs = performance.now();
  timer = setTimeout(showNext, waiting.length > 0 ? HURRIED_MS : SHOWN_MS);
}

/** Above a dialog that was opened since: of what lies on top of a page the newest is the topmost. */
export function raiseToasts(): void {
  byId("toasts").hidePopover();
  byId("toasts").showPopover();
}
