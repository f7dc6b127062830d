// Who may do what: a route names what it needs, a role names what it may.

/** What a key is for. `write` keys are public: they stand in pages. The others are secret. */
export const ROLES = ["write", "read", "operator", "admin"] as const;
export type Role = (typeof ROLES)[number];

/**
 * What a route needs. `public`: nothing. `collect`: send events. `own`: read what belongs to one visitor, which a write
 * key may only where the visitor shows that he is the one. `browse`: lists and items that are nobody's. `read`: any
 * person, segments, figures. `operate`: programs, catalogue, dead letters. `admin`: keys, privacy, audit.
 */
export const NEEDS = ["public", "collect", "own", "browse", "read", "operate", "admin"] as const;
export type Need = (typeof NEEDS)[number];

const GRANTS: Readonly<Record<Role, readonly Need[]>> = {
  write: ["collect", "own", "browse"],
  read: ["own", "browse", "read"],
  operator: ["collect", "own", "browse", "read", "operate"],
  admin: ["collect", "own", "browse", "read", "operate", "admin"],
};

/** Whether a role, or the part of it that a key's scopes leave, grants what a route needs. */
export function grants(role: Role, need: Need, scopes?: readonly Need[]): boolean {
  if (need === "public") return true;
  return GRANTS[role].includes(need) && (scopes === undefined || scopes.includes(need));
}

/** The roles that grant it. */
export function rolesWith(need: Need): Role[] {
  return ROLES.filter((role) => grants(role, need));
}

export function isRole(text: string): text is Role {
  return (ROLES as readonly string[]).includes(text);
}

export function isNeed(text: string): text is Need {
  return (NEEDS as readonly string[]).includes(text);
}
