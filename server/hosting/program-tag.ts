// The entity tag of a program's document: what editors compare by, so that nobody's change is overwritten unseen.
import { hash64 } from "../../core/math/hash.ts";
import { canonicalJson } from "../../core/program/canonical-json.ts";

/** What of a document its readers see. What trainings have learnt is shown with the segments, and never written back. */
export function shownDocument(document: unknown): Record<string, unknown> {
  const { learned: _, ...shown } = document as Record<string, unknown>;
  return shown;
}

/** Equal for documents that say the same: the order of keys and what was learnt do not count. */
export function programTag(document: unknown): string {
  const { hi, lo } = hash64(canonicalJson(shownDocument(document)));
  return `"${hi.toString(16).padStart(8, "0")}${lo.toString(16).padStart(8, "0")}"`;
}
