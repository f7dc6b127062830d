// What an operator sets about the identity provider that the console's people log in with, and whom it makes them.
import ipaddr from "ipaddr.js";
import { ROLES, type Role } from "./roles.ts";

/** A role in every project, or in one of them. */
export type RoleGrant = Role | { role: Role; project: string };

export interface OidcConfig {
  /** Where its `/.well-known/openid-configuration` lies; https, or http on this machine. */
  issuer: string;
  clientId: string;
  /** Without, the node is a public client: PKCE alone protects the code. */
  clientSecret?: string;
  /** Where browsers find this node. The provider must know `PUBLIC_URL/v1/session/oidc/callback`. */
  publicUrl: string;
  /** On the button of the console. Default: the issuer's host. */
  name?: string;
  /** Default: openid, profile, email. */
  scopes?: readonly string[];
  /** The claim that names groups or roles: a text or a list of texts, a dot leads inside. Default `groups`. */
  roleClaim?: string;
  /** What each value of the claim makes of a person; who has none of them is turned away. */
  roles: Readonly<Record<string, RoleGrant>>;
}

export interface Granted {
  role: Role;
  /** The only project that it opens; undefined: every one. */
  project: string | undefined;
}

export const CALLBACK_PATH = "/v1/session/oidc/callback";
const DEFAULT_ROLE_CLAIM = "groups";

/** What is wrong with the settings, as a sentence; undefined where nothing is. */
export function oidcFault(config: OidcConfig): string | undefined {
  for (const name of ["issuer", "publicUrl"] as const) {
    const fault = urlFault(config[name]);
    if (fault !== undefined) return `oidc.${name} ${fault}`;
  }
  if (typeof config.clientId !== "string" || config.clientId === "") return "oidc.clientId is missing";
  if (config.clientSecret === "") return "oidc.clientSecret is empty: leave it out for a public client";
  const { scopes, roles } = config;
  if (scopes !== undefined && !scopes.includes("openid")) return "oidc.scopes must hold `openid`";
  if (typeof roles !== "object" || roles === null || Object.keys(roles).length === 0) {
    return 'oidc.roles is empty, so nobody could log in: { "their-group": "admin" }';
  }
  for (const [value, grant] of Object.entries(roles)) {
    const { role, project } = grantOf(grant);
    const isKnown = (ROLES as readonly unknown[]).includes(role) && role !== "write";
    if (!isKnown) return `oidc.roles["${value}"] is none of read, operator, admin`;
    // Of a mistyped `project` the role would hold in every one.
    const more = typeof grant === "object" ? Object.keys(grant).find((name) => name !== "role" && name !== "project") : undefined;
    if (more !== undefined) return `oidc.roles["${value}"] has no ${more}: { role, project }`;
    if (project === "") return `oidc.roles["${value}"].project is empty`;
  }
  return undefined;
}

/** The highest role that the claims give in `project`; undefined where they give none. */
export function roleOfClaims(config: OidcConfig, claims: Readonly<Record<string, unknown>>, project: string): Granted | undefined {
  const values = valuesOf(claims, config.roleClaim ?? DEFAULT_ROLE_CLAIM);
  const granted = values
    .filter((value) => Object.hasOwn(config.roles, value))
    .map((value) => grantOf(config.roles[value]!))
    .filter((grant) => grant.project === undefined || grant.project === project);
  granted.sort((a, b) => ROLES.indexOf(b.role) - ROLES.indexOf(a.role));
  return granted[0];
}

/** Whether the claims say anything of roles; elsewhere the userinfo endpoint is asked. */
export function hasRoleClaim(config: OidcConfig, claims: Readonly<Record<string, unknown>>): boolean {
  return claimAt(claims, config.roleClaim ?? DEFAULT_ROLE_CLAIM) !== undefined;
}

function valuesOf(claims: Readonly<Record<string, unknown>>, path: string): string[] {
  const said = claimAt(claims, path);
  return (Array.isArray(said) ? (said as unknown[]) : [said]).filter((value) => typeof value === "string");
}

/** A claim of that very name (they may be URLs), else the way that the dots lead. */
function claimAt(claims: Readonly<Record<string, unknown>>, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  let at: unknown = claims;
  for (const name of path.split(".")) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, name)) return undefined;
    at = (at as Record<string, unknown>)[name];
  }
  return at;
}

function grantOf(grant: RoleGrant): Granted {
  return typeof grant === "string" ? { role: grant, project: undefined } : { role: grant?.role, project: grant?.project };
}

function urlFault(text: unknown): string | undefined {
  if (typeof text !== "string" || !URL.canParse(text)) return "is no URL";
  const url = new URL(text);
  if (url.protocol === "https:" || (url.protocol === "http:" && isThisMachine(url.hostname))) return undefined;
  return `is "${text}": https, or http on this machine`;
}

export function isThisMachine(hostname: string): boolean {
  const bare = hostname.replace(/^\[|\]$/g, "");
  return bare === "localhost" || (ipaddr.isValid(bare) && ipaddr.parse(bare).range() === "loopback");
}
