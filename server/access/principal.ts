// Who is asking. Reads the key and the user token of a request, and says what they may do.
import type { IncomingHttpHeaders } from "node:http";
import type { KeyRing } from "./key-ring.ts";
import { grants, type Need, type Role } from "./roles.ts";
import { verifyUserToken } from "./user-token.ts";

export interface Principal {
  /** `open`: a loopback node without keys, where everybody may do everything. */
  readonly kind: "open" | "key" | "nobody";
  /** For the audit trail: a key's id, or the kind. */
  readonly id: string;
  /** The only project that the key opens; undefined where any. */
  readonly project?: string | undefined;
  readonly role?: Role | undefined;
  /** The known person whom a user token speaks for. */
  readonly userId?: string | undefined;
  may(need: Need): boolean;
}

/** Why a request was turned away, in the words of the problem documents. */
export type AccessFault =
  | "key_missing"
  | "key_invalid"
  | "key_in_url"
  | "origin_not_allowed"
  | "token_invalid"
  | "token_expired"
  | "wrong_project"
  | "forbidden";

export interface Credentials {
  key?: string | undefined;
  /** Whether the key stood in the URL, where only public keys may stand. */
  isInUrl?: boolean;
  userToken?: string | undefined;
  origin?: string | undefined;
}

const OPEN: Principal = { kind: "open", id: "open", may: () => true };
const NOBODY: Principal = { kind: "nobody", id: "nobody", may: (need) => need === "public" };

/**
 * What a request shows: `Authorization: Bearer KEY`, Basic with the key as user name (as the Segment libraries send it),
 * or `?key=` where a browser can set no header; a user token in `attune-user-token` or `?user_token=`.
 */
export function credentialsOf(
  headers: IncomingHttpHeaders,
  query: Readonly<Record<string, string | string[] | undefined>>,
): Credentials {
  const token = headers["attune-user-token"] ?? query["user_token"];
  const shown = keyOfHeader(headers.authorization);
  const inUrl = shown === undefined && typeof query["key"] === "string" ? query["key"] : undefined;
  return {
    key: shown ?? inUrl,
    isInUrl: inUrl !== undefined,
    userToken: typeof token === "string" ? token : undefined,
    origin: headers.origin,
  };
}

/** Who shows these credentials for `project`. A ring without keys lets everybody in: loopback only, the node sees to it. */
export async function principalOf(
  shown: Credentials,
  project: string,
  ring: KeyRing,
  nowMs: number,
): Promise<Principal | AccessFault> {
  if (ring.isEmpty) return OPEN;
  if (shown.key === undefined) return NOBODY;
  const key = ring.find(shown.key);
  if (key === undefined) return "key_invalid";
  if (shown.isInUrl === true && key.role !== "write") return "key_in_url";
  if (key.project !== project) return "wrong_project";
  if (key.origins !== undefined && shown.origin !== undefined && !key.origins.includes(shown.origin)) {
    return "origin_not_allowed";
  }
  let userId: string | undefined;
  if (shown.userToken !== undefined) {
    const token = await verifyUserToken(shown.userToken, project, ring.secrets(project), nowMs);
    if (typeof token === "string") return token;
    ({ userId } = token);
  }
  const { id, role, scopes } = key;
  return { kind: "key", id, project, role, userId, may: (need) => grants(role, need, scopes) };
}

function keyOfHeader(authorization: string | undefined): string | undefined {
  const [scheme, value] = (authorization ?? "").split(" ", 2);
  if (value === undefined) return undefined;
  if (/^bearer$/i.test(scheme!)) return value;
  if (!/^basic$/i.test(scheme!)) return undefined;
  return Buffer.from(value, "base64").toString("utf8").split(":", 1)[0];
}
