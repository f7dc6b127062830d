// Light or dark: what the system says, until the reader says otherwise.
import { useEffect, useState } from "preact/hooks";

export type ThemeChoice = "system" | "light" | "dark";
const STORAGE_KEY = "attune-console-theme";
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

function choice(): ThemeChoice {
  const stored = localStorage.getItem(STORAGE_KEY);
  return stored === "light" || stored === "dark" ? stored : "system";
}

/** Sets `data-theme` on the root; called before the first render so that nothing flashes. */
export function applyTheme(): void {
  const chosen = choice();
  document.documentElement.dataset["theme"] = chosen === "system" ? (dark.matches ? "dark" : "light") : chosen;
  for (const listener of listeners) listener();
}
dark.addEventListener("change", applyTheme);

export function setTheme(next: ThemeChoice): void {
  if (next === "system") localStorage.removeItem(STORAGE_KEY);
  else localStorage.setItem(STORAGE_KEY, next);
  applyTheme();
}

/** What is shown now and what was chosen; plots redraw with it. */
export function useTheme(): { shown: "light" | "dark"; chosen: ThemeChoice } {
  const [, redraw] = useState(0);
  useEffect(() => {
    const changed = (): void => redraw((count) => count + 1);
    listeners.add(changed);
    return () => void listeners.delete(changed);
  }, []);
  return { shown: document.documentElement.dataset["theme"] === "dark" ? "dark" : "light", chosen: choice() };
}
