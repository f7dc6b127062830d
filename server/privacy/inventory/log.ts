// The inventory of what the log holds, record by record. A field of a record without its row does not compile.
import type { EventContext, ItemFacts, LoggedEvent } from "../../../core/event/event.ts";
import type { Item } from "../../../core/item/item.ts";
import type { Assignment, Consent, DeadLetter, DecisionRecord, LogRecord, SlotChoice } from "../../../core/record.ts";
import { type FieldRow, type InventoryKind, rowsOf } from "./rows.ts";

const LOG = "log/*.seg";
const ofEvent = rowsOf({ retention: "events", in_export: true, encrypted: true });
const ofDecision = rowsOf({ retention: "decisions", in_export: true, encrypted: true });
const ofLetter = rowsOf({ retention: "dead_letters", in_export: true, encrypted: true });
const ofSite = rowsOf({ retention: "site", in_export: false, encrypted: true });

const EVENT = {
  event_id: ofEvent("technical", "counts the event once"),
  user_id: ofEvent("identifier", "whose profile it shapes"),
  anonymous_id: ofEvent("identifier", "whose profile it shapes before they sign in"),
  session_id: ofEvent("identifier", "which visit it belongs to"),
  event_type: ofEvent("behaviour", "what was done"),
  timestamp: ofEvent("behaviour", "when it was done"),
  received_at: ofEvent("technical", "when it arrived: order and retention"),
  page_url: ofEvent("behaviour", "where it was done; without persons, secrets and unknown parameters"),
  item_id: ofEvent("behaviour", "which item it was about"),
  value: ofEvent("behaviour", "seconds, money, stars or depth"),
  context: ofEvent("behaviour", "in which surroundings; see context"),
  additional_data: ofEvent("behaviour", "what else the site says of it; addresses in it are cleaned"),
  item: ofEvent("content", "what the item was then"),
  source: ofEvent("identifier", "which events one network address sent within a day: a hash under a salt that nobody keeps"),
  traffic: ofEvent("inference", "a bot, a pattern no human makes, or a browser that asks not to be profiled"),
} satisfies Record<keyof LoggedEvent, FieldRow>;

const CONTEXT = {
  device: ofEvent("behaviour", "kind of device"),
  os: ofEvent("behaviour", "name of the system, without version"),
  browser: ofEvent("behaviour", "name of the browser, without version"),
  locale: ofEvent("behaviour", "language"),
  timezone: ofEvent("behaviour", "local time of day"),
  country: ofEvent("behaviour", "country, of the network address, which itself is never stored"),
  region: ofEvent("behaviour", "region, where the site says it"),
  referrer: ofEvent("behaviour", "the page before; cleaned as page_url is"),
  weather: ofEvent("behaviour", "weather, where the site says it"),
  variant: ofEvent("behaviour", "variant of the site's own tests"),
  decision_id: ofEvent("technical", "the list or variant that it answers to"),
} satisfies Record<keyof EventContext, FieldRow>;

const ITEM_FACTS = {
  categories: ofEvent("content", "interests by category"),
  tags: ofEvent("content", "interests by tag"),
  price: ofEvent("content", "features of the program"),
} satisfies Record<keyof ItemFacts, FieldRow>;

type RecordOf<Kind extends LogRecord["kind"]> = Extract<LogRecord, { kind: Kind }>;
type Fields<Kind extends LogRecord["kind"]> = Record<Exclude<keyof RecordOf<Kind>, "kind">, FieldRow>;

const ATTRIBUTES = {
  at: ofEvent("technical", "when it was said"),
  ref: ofEvent("identifier", "of whom it was said: user_id, anonymous_id"),
  attributes: ofEvent("personal", "what the site says of them"),
  consent: ofEvent("personal", "what they allow; see consent"),
} satisfies Fields<"attributes">;

const CONSENT = {
  personalization: ofEvent("personal", "whether lists may follow them"),
  analytics: ofEvent("personal", "whether events may be kept"),
  profiling: ofEvent("personal", "whether events may shape a profile"),
  source: ofEvent("personal", "how they said it"),
  policy_version: ofEvent("personal", "to which text they said it"),
} satisfies Record<keyof Consent, FieldRow>;

const DECISION = {
  decision_id: ofDecision("technical", "later events name it"),
  user_id: ofDecision("identifier", "who was shown it"),
  anonymous_id: ofDecision("identifier", "who was shown it"),
  placement: ofDecision("behaviour", "where it was shown"),
  strategy: ofDecision("inference", "how it came about"),
  items: ofDecision("inference", "what was shown, in order"),
  propensity: ofDecision("statistics", "estimates of what another policy would have brought"),
  choice: ofDecision("inference", "how a slot's policy chose; see choice"),
  experiments: ofDecision("inference", "their part in experiments; see assignment"),
  teams: ofDecision("statistics", "which ranking each item of a mixed list came from"),
} satisfies Record<keyof DecisionRecord, FieldRow>;

const CHOICE = {
  slot: ofDecision("technical", "the slot that learns"),
  policy: ofDecision("technical", "who chose"),
  picked: ofDecision("inference", "what the policy picked"),
  probabilities: ofDecision("statistics", "of each variant"),
  features: ofDecision("inference", "hashed features of the visitor that the policy saw"),
} satisfies Record<keyof SlotChoice, FieldRow>;

const ASSIGNMENT = {
  variant: ofDecision("inference", "what they are shown"),
  run: ofDecision("technical", "which definition of the experiment"),
  x: ofDecision("inference", "what was known of them before: less noise"),
} satisfies Record<keyof Assignment, FieldRow>;

const DEAD_LETTER = {
  id: ofLetter("technical", "names it"),
  at: ofLetter("technical", "when it was refused"),
  code: ofLetter("technical", "why"),
  path: ofLetter("technical", "which field"),
  message: ofLetter("technical", "why, in words"),
  source: ofLetter("technical", "how it came in"),
  body: ofLetter("behaviour", "what was sent, so that it can be corrected; addresses in it are cleaned"),
  once: ofLetter("technical", "a line of a file is kept once"),
  sender: ofLetter("identifier", "marks that a corrected event keeps: of a bot, of a browser that asks for privacy, of a network address as in an event's source"),
  resolved: ofLetter("technical", "it is listed no more"),
} satisfies Record<keyof DeadLetter, FieldRow>;

const ITEM = {
  item_id: ofSite("content", "names the item"),
  title: ofSite("content", "shown"),
  categories: ofSite("content", "interests, diversity"),
  tags: ofSite("content", "interests, likeness"),
  price: ofSite("content", "rules, features"),
  image_url: ofSite("content", "shown"),
  url: ofSite("content", "shown"),
  available: ofSite("content", "what is not is not recommended"),
  published_at: ofSite("content", "newness"),
  attributes: ofSite("content", "rules, likeness"),
} satisfies Record<keyof Item, FieldRow>;

const EXPIRY = {
  at: ofEvent("technical", "when they were forgotten"),
  names: ofEvent("identifier", "who was forgotten: the person and their devices; or the device"),
} satisfies Fields<"expiry">;

const OTHERS = {
  item_put: ofSite("content", "an item of the catalogue; see item"),
  item_delete: ofSite("content", "an item that is no more"),
  program: ofSite("content", "a version of the program"),
  experiment_stop: ofSite("statistics", "a variant that a guard has stopped"),
  background: ofSite("statistics", "weights of a model that was trained on many"),
} satisfies Record<Exclude<LogRecord["kind"], "event" | "attributes" | "decision" | "dead_letter" | "expiry">, FieldRow>;

export const LOG_INVENTORY: readonly InventoryKind[] = [
  { kind: "event", title: "An event", where: LOG, fields: EVENT },
  { kind: "context", title: "An event's context", where: LOG, fields: CONTEXT },
  { kind: "item_facts", title: "What an event says of its item", where: LOG, fields: ITEM_FACTS },
  { kind: "attributes", title: "What is said of a person", where: LOG, fields: ATTRIBUTES },
  { kind: "consent", title: "What a person allows", where: LOG, fields: CONSENT },
  { kind: "decision", title: "What a person was shown", where: LOG, fields: DECISION },
  { kind: "choice", title: "How a slot chose", where: LOG, fields: CHOICE },
  { kind: "assignment", title: "A part in an experiment", where: LOG, fields: ASSIGNMENT },
  { kind: "dead_letter", title: "A refused event", where: LOG, fields: DEAD_LETTER },
  { kind: "expiry", title: "A person who was forgotten by retention, or a device that an erasure has taken from its user", where: LOG, fields: EXPIRY },
  { kind: "item", title: "An item of the catalogue", where: LOG, fields: ITEM },
  { kind: "others", title: "Other records of the log", where: LOG, fields: OTHERS },
];
