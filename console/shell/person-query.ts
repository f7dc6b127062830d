// How a view's address names a person: `ID` is a user, `anonymous:ID` a visitor.
import type { PersonRef } from "../api/types.ts";

const ANONYMOUS = "anonymous:";

export function queryOfPerson({ user_id, anonymous_id }: PersonRef): string {
  return user_id ?? `${ANONYMOUS}${anonymous_id ?? ""}`;
}

/** Nobody, where the text is empty. */
export function personOfQuery(text: string): PersonRef {
  if (text === "") return {};
  return text.startsWith(ANONYMOUS) ? { anonymous_id: text.slice(ANONYMOUS.length) } : { user_id: text };
}
