// Where a view was left: Back and Forward return there as soon as what stood above has been read again; a link begins at the top.
import { useEffect } from "preact/hooks";

/** A view that has not grown as tall as it was by now has less to show than before, or its node is very slow. */
const RETURN_MAX_MS = 10_000;
/** Whoever does one of these goes where they want to. */
const OWN_WAYS = ["wheel", "touchstart", "pointerdown", "keydown"] as const;

/** Pixels from the top, by the entry of the browser's history. */
const left = new Map<string, number>();
let entries = 0;
/** The entry whose view is shown. */
let shown = "";
/** Where the entry that was just gone to was left; undefined while nobody is on the way. */
let wanted: number | undefined;

/** Keeps the height for each place that `route`, a new object for each, leads through. */
export function useKeptScroll(route: object): void {
  useEffect(() => {
    history.scrollRestoration = "manual";
    markEntry();
    const gone = (): void => {
      // The view that is left still stands as it was; but where its own place was not reached yet, that one stays.
      if (wanted === undefined) left.set(shown, window.scrollY);
      const known = entryNow();
      wanted = (known === undefined ? undefined : left.get(known)) ?? 0;
      markEntry();
    };
    window.addEventListener("popstate", gone);
    return () => window.removeEventListener("popstate", gone);
  }, []);
  useEffect(() => (wanted === undefined ? undefined : returnTo(wanted)), [route]);
}

function entryNow(): string | undefined {
  return (history.state as { entry?: string } | null)?.entry;
}

/** Ids go on being told apart when the page is loaded anew. */
function markEntry(): void {
  if (entryNow() === undefined) history.replaceState({ entry: `${performance.timeOrigin} ${++entries}` }, "");
  shown = entryNow()!;
}

function returnTo(height: number): () => void {
  const observer = new ResizeObserver(() => {
    window.scrollTo(0, height);
    if (Math.abs(window.scrollY - height) < 1) arrive();
  });
  const timer = setTimeout(arrive, RETURN_MAX_MS);
  function stop(): void {
    clearTimeout(timer);
    observer.disconnect();
    for (const way of OWN_WAYS) window.removeEventListener(way, arrive);
  }
  function arrive(): void {
    stop();
    wanted = undefined;
  }
  for (const way of OWN_WAYS) window.addEventListener(way, arrive, { passive: true });
  // Tells of the height that it finds as well.
  observer.observe(document.body);
  return stop;
}
