// Where a node keeps its audit trail: in the data folder, with the head's anchor and the pepper of persons' hashes apart
// from it, beside the key-encryption keys, so that whoever has the data alone can neither cut the trail nor read it.
import { randomBytes, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { replaceFile } from "../disk/durable-file.ts";
import { defaultKekFolder } from "../vault/vault.ts";
import { openAuditLog, verifyAuditTrail, type FileAuditLog } from "./audit-log.ts";

export interface AuditPlace {
  dataFolder: string;
  /** File of the anchor; by default named after the trail, in the folder of the key-encryption keys. */
  anchor?: string | undefined;
  kekFolder?: string | undefined;
  /** See AuditOptions. */
  keptMs?: number | undefined;
}

const FOLDER = "audit";
const PEPPER_BYTES = 32;

/** @throws AuditDamagedError where the trail does not fit its anchor. */
export function openNodeAudit(place: AuditPlace, now: () => number): FileAuditLog {
  const folder = join(place.dataFolder, FOLDER);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const idFile = join(folder, "id");
  if (!existsSync(idFile)) replaceFile(idFile, randomUUID());
  const anchor = anchorOf(place);
  mkdirSync(dirname(anchor), { recursive: true, mode: 0o700 });
  const pepperFile = `${anchor}.pepper`;
  if (!existsSync(pepperFile)) replaceFile(pepperFile, randomBytes(PEPPER_BYTES).toString("base64"));
  const pepper = Buffer.from(readFileSync(pepperFile, "utf8"), "base64");
  return openAuditLog({ folder, anchor, pepper, now, keptMs: place.keptMs });
}

/**
 * What `attune audit verify` does; also beside a running node, whose newest reads may not be in the file yet. `isThere`: false
 * where no node has ever kept a trail in this folder, or somebody has removed all of it.
 */
export function verifyNodeAudit(place: AuditPlace): ReturnType<typeof verifyAuditTrail> & { isThere: boolean } {
  const folder = join(place.dataFolder, FOLDER);
  return { ...verifyAuditTrail(folder, anchorOf(place)), isThere: existsSync(join(folder, "id")) };
}

function anchorOf({ dataFolder, anchor, kekFolder }: AuditPlace): string {
  if (anchor !== undefined) return anchor;
  const idFile = join(dataFolder, FOLDER, "id");
  const id = existsSync(idFile) ? readFileSync(idFile, "utf8") : "none";
  return join(kekFolder ?? defaultKekFolder(), `audit-${id}.json`);
}
