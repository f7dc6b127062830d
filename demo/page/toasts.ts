// Short notes at the edge of the page: triggers that fired, and what the page did about it.
import { byId, h, icon } from "./dom.ts";

const SHOWN_MS = 4_000;
const TOASTS_MAX = 2;
/** A phone has room for one. */
const narrow = matchMedia("(max-width: 899px)");

/** Says `title` politely; at most two at once, each for four seconds. */
export function toast(title: string, text = ""): void {
  const stack = byId("toasts");
  const element = h(
    "div",
    { class: "toast" },
    icon("bolt"),
    h("div", {}, h("strong", {}, title), text !== "" && h("span", {}, text)),
  );
  stack.append(element);
  while (stack.childElementCount > (narrow.matches ? 1 : TOASTS_MAX)) stack.firstElementChild!.remove();
  setTimeout(() => {
    element.classList.add("goes");
    setTimeout(() => element.remove(), 300);
  }, SHOWN_MS);
}
