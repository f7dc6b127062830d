// The script tag: <script src="/sdk/attune.js" data-consent="required" data-auto></script> makes `window.attune`.
import { CAPTURES, createAttune } from "./attune.ts";
import type { Attune, AttuneOptions, AutoCapture } from "./types.ts";

declare global {
  interface Window {
    attune?: Attune;
  }
}

const script = document.currentScript as HTMLScriptElement | null;
// An element with the id `attune` is on `window` too.
if (script && !window.attune?.track) {
  const { endpoint = new URL(script.src).origin, project, key, consent, gpc, auto, slots, placements } = script.dataset;
  const options = { endpoint, project, key, consent, gpc, auto: autoOf(auto), slots: (slots ?? "false") !== "false" };
  // What an attribute leaves out, or says in other words than these, counts as not given.
  window.attune = createAttune(options as AttuneOptions);
  if (placements) window.attune.subscribe({ placements: namesOf(placements) });
  document.dispatchEvent(new Event("attune:ready"));
}

function namesOf(list = ""): string[] {
  return list.match(/[^\s,]+/g) ?? [];
}

/** `data-auto` alone captures everything; `data-auto="page_view click"` these only. */
function autoOf(value: string | undefined): boolean | AutoCapture {
  const names = namesOf(value);
  if (!names[0] || names[0] === "true") return value !== undefined;
  return names[0] !== "false" && Object.fromEntries(CAPTURES.map((name) => [name, names.includes(name)]));
}
