// `attune keys`: makes, lists, rotates and revokes the keys of a data folder, also beside a running node, which sees the
// change within half a second; with `--cluster` those of a cluster, whose servers see it at once.
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { isOrigin, KEY_FILE } from "../access/key-file.ts";
import { openKeyRing, type KeyRing } from "../access/key-ring.ts";
import type { IssuedKey } from "../access/key-table.ts";
import { isNeed, isRole, NEEDS, ROLES, type Need } from "../access/roles.ts";
import { signUserToken, TOKEN_AGE_MAX_S } from "../access/user-token.ts";
import { readSettings } from "./config.ts";
import { durationMs } from "./duration.ts";
import { parseFlags } from "./flags.ts";
import { DEFAULT_PROJECT } from "./node.ts";
import { UsageError } from "./usage.ts";

/** What a scope may be: of what needs nothing there is nothing to take away. */
const SCOPES = NEEDS.filter((need) => need !== "public");

const HELP = `attune keys create --role write|read|operator|admin [--name TEXT] [--origins URL,…] [--scopes NEED,…] [--expires 90d]
attune keys list
attune keys rotate KEY_ID [--overlap 24h]    a new key; the old one goes on for so long
attune keys revoke KEY_ID                    at once
attune keys secret [--overlap 24h]           a new secret for user tokens
attune keys token --user USER_ID [--expires 15m]

--scopes leaves a key those of its role that it names: ${SCOPES.join(", ")}.
All take --data FOLDER, --project NAME and --config FILE; --cluster for the cluster of that folder.
`;

const OPTIONS = {
  role: { type: "string" },
  name: { type: "string" },
  origins: { type: "string" },
  scopes: { type: "string" },
  expires: { type: "string" },
  overlap: { type: "string" },
  user: { type: "string" },
  project: { type: "string" },
  data: { type: "string" },
  config: { type: "string" },
} as const;

/** Whether it makes a data folder where there is none: a key may come before the first start. */
const ACTIONS = { create: true, secret: true, list: false, rotate: false, revoke: false, token: false } as const;
type Action = keyof typeof ACTIONS;

type Flags = Partial<Record<keyof typeof OPTIONS, string>>;

/** Where the keys are; `close` lets the process end. */
export interface OpenRing {
  readonly ring: KeyRing;
  close?(): Promise<void>;
}

/** @param open - default: the ring of the data folder. */
export async function keysCommand(
  args: string[],
  open: (flags: Flags, action: Action) => Promise<OpenRing> = ringOfFolder,
): Promise<number> {
  const { values, positionals } = parseFlags({ args, options: OPTIONS, allowPositionals: true });
  const [action = "help", id, ...more] = positionals;
  if (action === "help") return print(HELP.trimEnd());
  if (!isAction(action)) throw new UsageError(`"${action}" is no action\n\n${HELP}`);
  if (more.length > 0) throw new UsageError(`too many arguments\n\n${HELP}`);
  const { ring, close } = await open(values, action);
  try {
    return await run(ring, { action, id, values });
  } finally {
    await close?.();
  }
}

async function ringOfFolder(flags: Flags, action: Action): Promise<OpenRing> {
  const { data } = await readSettings(flags, process.env);
  // Of a mistyped folder "no keys" would be untrue, and a token that no node knows of no use.
  if (!ACTIONS[action] && !existsSync(data)) {
    throw new UsageError(`there is no folder ${data}: name another with --data, or make the first key with keys create`);
  }
  mkdirSync(data, { recursive: true, mode: 0o700 });
  return { ring: openKeyRing(join(data, KEY_FILE), Date.now) };
}

function isAction(text: string): text is Action {
  return Object.hasOwn(ACTIONS, text);
}

interface Asked {
  action: Action;
  id: string | undefined;
  values: Flags;
}

async function run(ring: KeyRing, { action, id, values }: Asked): Promise<number> {
  const project = values.project ?? DEFAULT_PROJECT;
  const overlapMs = durationMs("--overlap", values.overlap ?? "24h");
  switch (action) {
    case "create":
      return printKey(await createKey(ring, project, values));
    case "list":
      return print(listOf(ring, values.project));
    case "rotate":
      return printKey((await ring.rotate(named(id), overlapMs)) ?? unknown(id));
    case "revoke":
      if (!(await ring.revoke(named(id)))) unknown(id);
      return print(`${id} is revoked`);
    case "secret":
      return print((await ring.rotateSecret(project, overlapMs)).secret);
    case "token":
      return print(await createToken(ring, project, values));
  }
}

function createKey(ring: KeyRing, project: string, flags: Flags): IssuedKey | Promise<IssuedKey> {
  const { role = "", expires } = flags;
  if (!isRole(role)) throw new UsageError(`--role ${role}: one of ${ROLES.join(", ")}`);
  const origins = flags.origins?.split(",");
  const wrong = origins?.find((origin) => !isOrigin(origin));
  if (wrong !== undefined) throw new UsageError(`--origins ${wrong}: a scheme and a host, such as https://shop.example`);
  return ring.issue({
    project,
    role,
    name: flags.name ?? `${role} key`,
    ...(expires !== undefined && { expiresAtMs: Date.now() + durationMs("--expires", expires) }),
    ...(flags.scopes !== undefined && { scopes: flags.scopes.split(",").map(needOf) }),
    ...(origins !== undefined && { origins }),
  });
}

async function createToken(ring: KeyRing, project: string, { user, expires = "15m" }: Flags): Promise<string> {
  if (user === undefined) throw new UsageError("--user USER_ID is missing");
  const lifeS = durationMs("--expires", expires) / 1_000;
  if (lifeS > TOKEN_AGE_MAX_S) throw new UsageError("--expires: a user token lives at most 24h");
  const secret = ring.secrets(project)[0] ?? (await ring.rotateSecret(project, 0));
  return signUserToken(user, secret, Date.now(), lifeS);
}

function listOf(ring: KeyRing, project: string | undefined): string {
  const rows = ring.list(project).map(({ id, project: of, role, name, expiresAtMs, revokedAtMs }) => {
    const isExpired = expiresAtMs !== undefined && expiresAtMs <= Date.now();
    const until = expiresAtMs === undefined ? "in force" : `until ${new Date(expiresAtMs).toISOString()}`;
    const state = revokedAtMs !== undefined ? "revoked" : isExpired ? "expired" : until;
    return [id, of, role, state, name].join("\t");
  });
  return rows.length === 0 ? "no keys: everything is open, on loopback only" : rows.join("\n");
}

/** The key on stdout, for scripts; what there is to know about it on stderr. */
function printKey({ stored, key }: IssuedKey): number {
  process.stderr.write(`${stored.id}: ${stored.role} key of project ${stored.project}. Shown this once:\n`);
  return print(key);
}

function print(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

function named(id: string | undefined): string {
  if (id === undefined) throw new UsageError(`KEY_ID is missing\n\n${HELP}`);
  return id;
}

function unknown(id: string | undefined): never {
  throw new UsageError(`no key ${id} is in force: attune keys list`);
}

function needOf(text: string): Need {
  if (isNeed(text)) return text;
  throw new UsageError(`--scopes ${text}: of ${SCOPES.join(", ")}`);
}
