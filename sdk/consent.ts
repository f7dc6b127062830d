// What the visitor allows. Without a grant nothing is stored and nothing is sent.

export type ConsentState = "granted" | "denied" | "pending";

export interface ConsentInputs {
  /** What holds until the visitor has decided. */
  mode: "required" | "granted";
  /** His own earlier decision at this site. */
  decided: string | null;
  /** navigator.globalPrivacyControl: the browser objects for him. */
  gpc: boolean;
  gpcPolicy: "honour" | "ignore";
}

/** The browser's objection comes first, then the visitor's decision, then the site's default. */
export function consentState({ mode, decided, gpc, gpcPolicy }: ConsentInputs): ConsentState {
  if (gpc && gpcPolicy === "honour") return "denied";
  if (decided === "granted" || decided === "denied") return decided;
  return mode === "granted" ? "granted" : "pending";
}
