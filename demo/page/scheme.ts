// Light or dark: what the system says, until the visitor says otherwise.
import { byId } from "./dom.ts";

const KEY = "demo:scheme";

/** Shows what he chose before, and has the page's button choose. */
export function followScheme(): void {
  const root = document.documentElement;
  byId("scheme").addEventListener("click", () => {
    const isDark = root.dataset["scheme"]
      ? root.dataset["scheme"] === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset["scheme"] = isDark ? "light" : "dark";
    localStorage.setItem(KEY, root.dataset["scheme"]);
  });
  const scheme = localStorage.getItem(KEY);
  if (scheme) root.dataset["scheme"] = scheme;
}
