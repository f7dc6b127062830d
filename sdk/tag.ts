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
  const isOn = (value: string | undefined): boolean => value !== undefined && value !== "false";
  window.attune = createAttune({
    endpoint: endpoint ?? new URL(script.src).origin,
    ...(project === undefined ? {} : { project }),
    ...(key === undefined ? {} : { key }),
    consent: consent === "granted" ? consent : "required",
    gpc: gpc === "ignore" ? gpc : "honour",
    auto: autoOf(auto),
    slots: isOn(slots),
  });
  if (placements) window.attune.subscribe({ placements: placements.split(",").map((name) => name.trim()) });
  document.dispatchEvent(new CustomEvent("attune:ready"));
}

/** `data-auto` alone captures everything; `data-auto="page_view click"` these only. */
function autoOf(value: string | undefined): boolean | AutoCapture {
  const names = value?.split(/[\s,]+/).filter((name) => name !== "") ?? [];
  if (!names[0] || names[0] === "true") return value !== undefined;
  return names[0] !== "false" && Object.fromEntries(CAPTURES.map((name) => [name, names.includes(name)]));
}
