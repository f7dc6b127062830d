// Pictures that did not come: a calm plate instead of the browser's broken one, and another try when the node is back.

const FAILED = "failed";

/** Looks after every picture of the page, those that come later too. Returns how to try again what failed. */
export function watchImages(): () => void {
  // Neither event bubbles: both are caught on their way down.
  document.addEventListener("error", ({ target }) => mark(target, true), { capture: true });
  document.addEventListener("load", ({ target }) => mark(target, false), { capture: true });
  return () => {
    for (const image of document.querySelectorAll<HTMLImageElement>(`img.${FAILED}`)) image.src = image.src;
  };
}

function mark(target: EventTarget | null, hasFailed: boolean): void {
  if (target instanceof HTMLImageElement) target.classList.toggle(FAILED, hasFailed);
}
