// Whose data a request may read. Keys that stand in pages read what belongs to one visitor: an anonymous one who is
// nobody known, or the user whom a token speaks for.
import type { PersonRef } from "../../core/record.ts";
import type { Project } from "../ports.ts";
import { notTheirs } from "./gate.ts";
import type { Principal } from "./principal.ts";

export interface Reader {
  readonly principal: Principal;
  readonly project: Project;
  /** Takes down that a person was read or changed, where that is to be known. */
  noted(ref: PersonRef): void;
}

/** The ref, where the reader may read it. Rejects with a Problem (forbidden). */
export async function readable(ref: PersonRef, reader: Reader): Promise<PersonRef> {
  if (reader.principal.kind !== "open") {
    const resolved = reader.project.resolve(ref);
    if (resolved !== undefined) await resolved;
    if (!mayRead(ref, reader)) throw notTheirs();
  }
  reader.noted(ref);
  return ref;
}

/** To be asked again whenever ids may have been linked: an anonymous visitor who became a user is his alone. */
export function mayRead(ref: PersonRef, { principal, project }: Pick<Reader, "principal" | "project">): boolean {
  if (principal.may("read")) return true;
  const { user_id: userId, anonymous_id: anonymousId } = ref;
  if (userId !== undefined && userId !== principal.userId) return false;
  if (anonymousId === undefined) return true;
  const key = project.personKey({ anonymous_id: anonymousId });
  if (key.startsWith("a:")) return true;
  return principal.userId !== undefined && key === project.personKey({ user_id: principal.userId });
}
