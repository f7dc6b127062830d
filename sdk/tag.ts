// The script tag: <script src="/sdk/attune.js" data-consent="required" data-auto></script> makes `window.attune`.
import { CAPTURES, createAttune } from "./attune.ts";
import type { Attune, AutoCapture } from "./types.ts";

declare global {
  interface Window {
    attune?: Attune;
  }
}

const script = document.currentScript as HTMLScriptElement | null;
if (script && !window.attune) {
  const { endpoint, project, key, consent, gpc, auto, slots, placements } = script.dataset;
  window.attune = createAttune({
    endpoint: endpoint ?? new URL(script.src).origin,
    ...(project === undefined ? {} : { project }),
    ...(key === undefined ? {} : { key }),
    consent: consent === "granted" ? consent : "required",
    gpc: gpc === "ignore" ? gpc : "honour",
    auto: autoOf(auto),
    slots: slots !== undefined && slots !== "false",
  });
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
