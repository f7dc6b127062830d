// The inventory of what is derived from the log and of the files beside it. A field without its row does not compile; tables
// and files without theirs fail a test.
import type { OpenDecision } from "../../../core/decide/open-decisions.ts";
import type { Unit } from "../../../core/experiment/units.ts";
import type { OpenSession } from "../../../core/model/sessions.ts";
import type { PersonState } from "../../../core/profile/person.ts";
import type { StoredKey, TokenSecret } from "../../access/key-file.ts";
import type { AuditEntry } from "../../audit/chain.ts";
import type { ErasureJob, StoredErasures } from "../erasures.ts";
import { type FieldRow, type InventoryKind, rowsOf } from "./rows.ts";

const STATE = "state/state.mdb, base-*/state.mdb";
const ofPerson = rowsOf({ retention: "profiles", in_export: true, encrypted: true });
const ofWindow = rowsOf({ retention: "window", in_export: true, encrypted: true });
const ofSession = rowsOf({ retention: "session", in_export: true, encrypted: true });
const ofMany = rowsOf({ retention: "site", in_export: false, encrypted: true });
const ofAudit = rowsOf({ retention: "audit", in_export: false, encrypted: false });
const ofLedger = rowsOf({ retention: "erasures", in_export: false, encrypted: false });
const ofKey = rowsOf({ retention: "key", in_export: false, encrypted: false });
const ofFile = rowsOf({ retention: "site", in_export: false, encrypted: false });

/** `layout` is the program's, `recentCategories` is counted when it is asked for: neither is stored. */
export type StoredPersonField = Exclude<keyof PersonState, "layout" | "recentCategories">;

const PERSON = {
  version: ofPerson("technical", "counts changes"),
  asOf: ofPerson("technical", "the time that it has been brought to"),
  updatedMs: ofPerson("behaviour", "when something last changed: retention"),
  nextCheckMs: ofPerson("technical", "when time alone may change a segment"),
  programVersion: ofPerson("technical", "the program that it was looked at with"),
  userId: ofPerson("identifier", "who they are to the site"),
  anonymousIds: ofPerson("identifier", "their devices"),
  consent: ofPerson("personal", "what they allow"),
  attributes: ofPerson("personal", "what the site says of them"),
  attributeMs: ofPerson("technical", "when each was said: the latest wins"),
  context: ofPerson("behaviour", "their latest surroundings"),
  contextMs: ofPerson("technical", "when each was seen: the latest wins"),
  memberships: ofPerson("inference", "segments, each since when"),
  triggerMarks: ofPerson("behaviour", "when a trigger last fired for them: once per visit or window"),
  recent: ofPerson("behaviour", "their last 50 interactions"),
  shown: ofPerson("behaviour", "items shown to the person lately, where a placement leaves them out"),
  bought: ofPerson("behaviour", "items that the person bought, where a placement leaves them out"),
  recentIds: ofPerson("technical", "hashes of their latest event ids: each counts once"),
  recentIdsNext: ofPerson("technical", "where in that ring the next one goes"),
  lastMs: ofPerson("behaviour", "when they were last seen"),
  firstInteractionMs: ofPerson("behaviour", "when they were first seen"),
  lastInteractionMs: ofPerson("behaviour", "recency"),
  interactions: ofPerson("behaviour", "how often they acted"),
  dwellS: ofPerson("behaviour", "how long they looked"),
  dwells: ofPerson("behaviour", "how often they stayed"),
  scrollSum: ofPerson("behaviour", "how far they read"),
  scrolls: ofPerson("behaviour", "how often they scrolled"),
  types: ofPerson("behaviour", "how often each kind of event came, and when last"),
  clickMs: ofPerson("behaviour", "when they last clicked: haste"),
  days: ofPerson("behaviour", "on which days they were here"),
  dayCounts: ofPerson("behaviour", "how often on each"),
  interestHalfLifeMs: ofPerson("technical", "how quickly interests fade"),
  engagement: ofPerson("inference", "the decayed sum of what their events are worth"),
  categories: ofPerson("inference", "interests by category"),
  tags: ofPerson("inference", "interests by tag"),
  rates: ofPerson("behaviour", "how often in the last minutes and hour"),
  windows: ofPerson("behaviour", "counts that segments ask for"),
  features: ofPerson("inference", "the program's features"),
  sequences: ofPerson("behaviour", "times that segments ask for"),
  sessions: ofPerson("behaviour", "their latest visits"),
  sessionsForgotten: ofPerson("behaviour", "how many came before"),
} satisfies Record<StoredPersonField, FieldRow>;

const UNIT = {
  variant: ofPerson("inference", "the variant that they keep"),
  exposedMs: ofPerson("behaviour", "when they first saw it"),
  lastMs: ofPerson("behaviour", "when they last acted since"),
  x: ofPerson("inference", "what was known of them before"),
  isMixed: ofPerson("technical", "they have seen two variants and count in neither"),
  values: ofPerson("behaviour", "what they did since, by metric"),
} satisfies Record<keyof Unit, FieldRow>;

const OPEN_DECISION = {
  serial: ofWindow("technical", "order of arrival"),
  id: ofWindow("technical", "later events name it"),
  personKey: ofWindow("identifier", "who was shown it: nobody votes on another's"),
  deadlineMs: ofWindow("technical", "when nothing counts for it any more"),
  shownMs: ofWindow("behaviour", "when it was seen"),
  choice: ofWindow("inference", "what the slot picked, and for which features"),
  earned: ofWindow("behaviour", "what it has brought"),
  experiments: ofWindow("inference", "the experiments that it carried out"),
  lists: ofWindow("inference", "which ranking each item came from"),
  clicks: ofWindow("behaviour", "clicks by ranking"),
} satisfies Record<keyof OpenDecision, FieldRow>;

const OPEN_SESSION = {
  personKey: ofSession("identifier", "whose visit it is"),
  sessionId: ofSession("identifier", "which visit"),
  place: ofSession("technical", "where it is kept"),
  number: ofSession("technical", "which row of items is its own"),
  lastMs: ofSession("behaviour", "when it ends"),
  visitTypes: ofSession("behaviour", "what was done with the newest item"),
  visits: ofSession("behaviour", "how often each item was seen"),
} satisfies Record<keyof OpenSession, FieldRow>;

/** Rows of the state file by their prefix. */
export const STATE_TABLES = {
  meta: ofMany("technical", "position and figures of the checkpoint"),
  "p:": ofPerson("personal", "a person; see person"),
  "n:": ofPerson("identifier", "who is there, for the search by how an id begins; in a closed file only"),
  "x:": ofPerson("technical", "when a person is to be looked at"),
  "l:": ofPerson("identifier", "whose device it is"),
  "m:": ofPerson("inference", "who is in which segment"),
  "u:": ofPerson("inference", "persons in experiments; see unit"),
  "d:": ofPerson("behaviour", "refused events; see dead_letter", { retention: "dead_letters" }),
  "v:": ofMany("content", "versions of the program"),
  "c:learners": ofMany("statistics", "what slots have learnt"),
  "c:runs": ofMany("statistics", "what experiments have shown"),
  "c:shares": ofMany("statistics", "how much of either came from one network address, by its mark of a day; see source"),
  "c:open": ofWindow("behaviour", "decisions that wait; see open_decision"),
  "t:open_sessions": ofSession("behaviour", "visits that go on; see open_session"),
  "t:": ofMany("statistics", "models and the catalogue: items by what many did; who counted already is a hash"),
} as const;

const AUDIT = {
  seq: ofAudit("technical", "number of the entry"),
  at: ofAudit("technical", "when"),
  project: ofAudit("technical", "where"),
  actor: ofAudit("identifier", "which key acted"),
  action: ofAudit("technical", "what was done"),
  subject: ofAudit("identifier", "whom it was about", { encrypted: "hashed" }),
  details: ofAudit("technical", "numbers and ids of jobs, versions, keys"),
  previous: ofAudit("technical", "hash of the entry before"),
  hash: ofAudit("technical", "hash of the entry"),
} satisfies Record<keyof AuditEntry, FieldRow>;

const LEDGER = {
  format: ofLedger("technical", "version of the file"),
  pepper: ofLedger("secret", "what ids are hashed with, where the vault has no key for it"),
  generation: ofLedger("technical", "which state is in force"),
  base: ofLedger("technical", "which base is in force"),
  lettersErasedTo: ofLedger("technical", "how far retention came"),
  jobs: ofLedger("identifier", "who was erased, when, and the proof; see erasure", { encrypted: "hashed" }),
} satisfies Record<keyof StoredErasures, FieldRow>;

const ERASURE = {
  job_id: ofLedger("technical", "names the job"),
  status: ofLedger("technical", "running or done"),
  at: ofLedger("technical", "the person's events up to then are refused"),
  before: ofLedger("technical", "the person's records before this position go"),
  hashes: ofLedger("identifier", "the person and their devices", { encrypted: "hashed" }),
  proof: ofLedger("statistics", "what was erased where, and what a scan found"),
} satisfies Record<keyof ErasureJob, FieldRow>;

const KEY = {
  id: ofKey("technical", "names the key in lists and the trail"),
  project: ofKey("technical", "where it is good"),
  role: ofKey("technical", "what it may do"),
  name: ofKey("content", "what the operator calls it"),
  hash: ofKey("secret", "recognises the key", { encrypted: "hashed" }),
  createdAtMs: ofKey("technical", "when it was made"),
  expiresAtMs: ofKey("technical", "until when it is good"),
  revokedAtMs: ofKey("technical", "when it was revoked"),
  scopes: ofKey("technical", "part of what the role grants"),
  origins: ofKey("content", "pages that may use it"),
} satisfies Record<keyof StoredKey, FieldRow>;

const TOKEN_SECRET = {
  id: ofKey("technical", "names the secret"),
  project: ofKey("technical", "where it is good"),
  secret: ofKey("secret", "signs user tokens; the file is its owner's alone"),
  createdAtMs: ofKey("technical", "when it was made"),
  expiresAtMs: ofKey("technical", "until when it is good"),
} satisfies Record<keyof TokenSecret, FieldRow>;

/** Every file of a data folder, as patterns of its path. */
export const FILES: Readonly<Record<string, FieldRow>> = {
  "projects/*/log/*.seg": ofFile("behaviour", "the log: records as above", { retention: "events", encrypted: true }),
  "projects/*/log/reserve": ofFile("technical", "zeros: room on a full disk"),
  "projects/*/ids/*.run": ofFile("technical", "64-bit hashes of event ids: each counts once", { retention: "events", encrypted: true }),
  "projects/*/state/state.mdb": ofFile("personal", "what is derived", { retention: "profiles", encrypted: true }),
  "projects/*/state/state.mdb-lock": ofFile("technical", "LMDB's lock"),
  "projects/*/state/state.mdb.size": ofFile("technical", "how big the file was when it was last written"),
  "projects/*/state/closed": ofFile("technical", "names the key of the state"),
  "projects/*/base/*": ofFile("personal", "what was derived from the part of the log that is no more", { retention: "profiles", encrypted: true }),
  "projects/*/erasures.json": ofFile("identifier", "the ledger of erasures", { retention: "erasures", encrypted: "hashed" }),
  "audit/id": ofFile("technical", "names the trail"),
  "audit/audit.ndjson": ofFile("technical", "the audit trail", { retention: "audit", encrypted: "hashed" }),
  "vault.json": ofFile("secret", "data keys, each wrapped by the key-encryption key", { retention: "key", encrypted: true }),
  "keys.json": ofFile("secret", "API keys and secrets of user tokens", { retention: "key", encrypted: "hashed" }),
  lock: ofFile("technical", "one process per folder"),
  holder: ofFile("technical", "number of the process"),
};

export const STATE_INVENTORY: readonly InventoryKind[] = [
  { kind: "person", title: "A person", where: STATE, fields: PERSON },
  { kind: "unit", title: "A person in an experiment", where: STATE, fields: UNIT },
  { kind: "open_decision", title: "A decision that waits for what it brings", where: STATE, fields: OPEN_DECISION },
  { kind: "open_session", title: "A visit that goes on", where: STATE, fields: OPEN_SESSION },
  { kind: "state", title: "Tables of the state", where: STATE, fields: STATE_TABLES },
  { kind: "audit", title: "An entry of the audit trail", where: "audit/audit.ndjson", fields: AUDIT },
  { kind: "ledger", title: "The ledger of erasures", where: "erasures.json", fields: LEDGER },
  { kind: "erasure", title: "An erasure", where: "erasures.json", fields: ERASURE },
  { kind: "key", title: "An API key", where: "keys.json", fields: KEY },
  { kind: "token_secret", title: "A secret of user tokens", where: "keys.json", fields: TOKEN_SECRET },
  { kind: "files", title: "Files of the data folder", where: "the data folder", fields: FILES },
];
