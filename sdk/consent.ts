// What the visitor allows. Without a grant nothing is stored and nothing is sent.

export type ConsentState = "granted" | "denied" | "pending";

export interface ConsentInputs {
  /** What holds until the visitor has decided. */
  mode: "required" | "granted" | undefined;
  /** His own earlier decision at this site. */
  decided: string | null;
  /** The browser objects for him (Global Privacy Control), and the site has not said to ignore it. */
  isObjecting: boolean;
}

/** The browser's objection comes first, then the visitor's decision, then the site's default. */
export function consentState({ mode, decided, isObjecting }: ConsentInputs): ConsentState {
  if (isObjecting) return "denied";
  if (decided === "granted" || decided === "denied") return decided;
  return mode === "granted" ? "granted" : "pending";
}
