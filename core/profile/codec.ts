// A person's state as bytes: versioned, self-describing where the program decides the shape, and canonical in the sense
// that decoding and going on gives the bytes that going on without it would have given.
import { ByteReader } from "../wire/reader.ts";
import { readValue, writeValue } from "../wire/value.ts";
import { ByteWriter } from "../wire/writer.ts";
import { readPlanned, writePlanned } from "./codec-planned.ts";
import { readTime, readTimes, writeTime, writeTimes, type In, type Out } from "./codec-times.ts";
import { INTERESTS_MAX, type Interests } from "./interests.ts";
import { BOUGHT_MAX, readItemTimes, SHOWN_MAX, writeItemTimes } from "./item-times.ts";
import { changeInterestHalfLife } from "./landmark.ts";
import { NO_NUMBERS } from "./lists.ts";
import type { FoldPlan } from "./plan.ts";
import { SESSIONS_MAX } from "./sessions.ts";
import {
  ACTIVE_DAYS_MAX, ANONYMOUS_IDS_MAX, ATTRIBUTES_MAX, CONTEXT_FIELDS, emptyPerson, putEntry,
  RECENT_CATEGORIES_MAX, RECENT_IDS_MAX, RECENT_MAX, TYPES_MAX, type PersonState,
} from "./state.ts";
import { readStrings, writeStrings } from "./strings.ts";

/**
 * First byte of the formats that are written. Bytes once stored are for ever: older ones stay readable. The second adds
 * what was shown and bought at the end, and is written only where there is such a thing.
 */
const FORMAT = 1;
const FORMAT_WITH_ITEM_TIMES = 2;
/** More segments or triggers than a program may have. */
const RULES_MAX = 4096;

const writer = new ByteWriter();

/** The state's bytes: typically 1-2 KiB, bounded whatever happened. Costs about 10 µs. */
export function encodePerson(state: PersonState): Uint8Array {
  return viewOfPerson(state).slice();
}

/** The same without a copy, for hosts that write them elsewhere at once: the next call overwrites them. */
export function viewOfPerson(state: PersonState): Uint8Array {
  const out: Out = { writer, strings: writeStrings(writer), baseMs: Math.max(0, state.lastMs) };
  writer.clear(); // A bug may have thrown in the middle of the state before.
  const hasItemTimes = state.shown.length + state.bought.length > 0;
  writer.byte(hasItemTimes ? FORMAT_WITH_ITEM_TIMES : FORMAT);
  writer.varint(out.baseMs);
  writeHead(out, state);
  writeKnown(out, state);
  writeRules(out, state);
  writeActivity(out, state);
  writeWeights(out, state);
  writePlanned(out, state);
  writeSessions(out, state);
  if (hasItemTimes) {
    writeItemTimes(out, state.shown);
    writeItemTimes(out, state.bought);
  }
  return writer.view();
}

/**
 * The state under `plan`: of another plan than it was encoded under, it is adapted. Throws CorruptBytesError on bytes
 * that `encodePerson` did not write.
 */
export function decodePerson(bytes: Uint8Array, plan: FoldPlan): PersonState {
  const reader = new ByteReader(bytes);
  const format = reader.byte();
  if (format !== FORMAT && format !== FORMAT_WITH_ITEM_TIMES)
    throw reader.corrupt(`person format ${format}, this version reads ${FORMAT} and ${FORMAT_WITH_ITEM_TIMES}`);
  const state = emptyPerson(plan);
  const from: In = { reader, strings: readStrings(reader), baseMs: reader.varint(), times: NO_NUMBERS };
  readHead(from, state);
  readKnown(from, state);
  readRules(from, state);
  readActivity(from, state);
  readWeights(from, state);
  readPlanned(from, state);
  readSessions(from, state);
  if (format === FORMAT_WITH_ITEM_TIMES) {
    const shown = readItemTimes(from, SHOWN_MAX);
    const bought = readItemTimes(from, BOUGHT_MAX);
    if (plan.keeps.shown) state.shown = shown;
    if (plan.keeps.bought) state.bought = bought;
  }
  reader.end();
  changeInterestHalfLife(state, plan.interests.halfLifeMs);
  return state;
}

function writeHead(out: Out, state: PersonState): void {
  writer.varint(state.version);
  writeTime(out, state.asOf);
  writeTime(out, state.updatedMs);
  writeTime(out, state.lastMs);
  writer.number(state.nextCheckMs);
  writer.varint(state.programVersion);
  writer.byte((state.userId === undefined ? 0 : 1) + (state.consent === undefined ? 0 : 2));
  if (state.userId !== undefined) writer.string(state.userId);
  if (state.consent !== undefined) writeValue(writer, state.consent);
  writer.varint(state.anonymousIds.length);
  for (const anonymousId of state.anonymousIds) writer.string(anonymousId);
}

function readHead(from: In, state: PersonState): void {
  const { reader } = from;
  state.version = reader.varint();
  state.asOf = readTime(from);
  state.updatedMs = readTime(from);
  state.lastMs = readTime(from);
  state.nextCheckMs = reader.number();
  state.programVersion = reader.varint();
  const flags = reader.byte();
  if ((flags & 1) !== 0) state.userId = reader.string();
  if ((flags & 2) !== 0) state.consent = readValue(reader) as NonNullable<PersonState["consent"]>;
  const ids = reader.count(ANONYMOUS_IDS_MAX);
  if (ids > 0) state.anonymousIds = readEach(ids, () => reader.string());
}

function writeKnown(out: Out, state: PersonState): void {
  writer.varint(state.attributeMs.size);
  for (const [name, at] of state.attributeMs) {
    writer.string(name);
    writeTime(out, at);
    writeValue(writer, state.attributes[name]);
  }
  let said = 0;
  for (let i = 0; i < CONTEXT_FIELDS.length; i++) if (state.contextMs[i]! >= 0) said |= 1 << i;
  writer.varint(said);
  for (let i = 0; i < CONTEXT_FIELDS.length; i++) {
    if (state.contextMs[i]! < 0) continue;
    out.strings(state.context[CONTEXT_FIELDS[i]!]!);
    writeTime(out, state.contextMs[i]!);
  }
}

function readKnown(from: In, state: PersonState): void {
  const { reader } = from;
  const attributes: [string, unknown][] = [];
  const count = reader.count(ATTRIBUTES_MAX);
  for (let i = 0; i < count; i++) {
    const name = reader.string();
    putEntry(state, "attributeMs", name, readTime(from));
    attributes.push([name, readValue(reader)]);
  }
  if (count > 0) state.attributes = Object.fromEntries(attributes);
  const said = reader.varint();
  for (let i = 0; i < CONTEXT_FIELDS.length; i++) {
    if ((said & (1 << i)) === 0) continue;
    state.context[CONTEXT_FIELDS[i]!] = from.strings();
    state.contextMs[i] = readTime(from);
  }
}

// In the order of names: the engine may have come to the same memberships by different ways.
function writeRules(out: Out, state: PersonState): void {
  writer.varint(state.memberships.size);
  for (const name of [...state.memberships.keys()].sort()) {
    writer.string(name);
    writeTime(out, state.memberships.get(name)!);
  }
  writer.varint(state.triggerMarks.size);
  for (const name of [...state.triggerMarks.keys()].sort()) {
    writer.string(name);
    writeValue(writer, state.triggerMarks.get(name));
  }
}

function readRules(from: In, state: PersonState): void {
  const { reader } = from;
  const memberships = reader.count(RULES_MAX);
  for (let i = 0; i < memberships; i++) putEntry(state, "memberships", reader.string(), readTime(from));
  const marks = reader.count(RULES_MAX);
  for (let i = 0; i < marks; i++) {
    const name = reader.string();
    const mark = readValue(reader);
    if (typeof mark !== "number" && typeof mark !== "string") throw reader.corrupt("a trigger mark of another type");
    putEntry(state, "triggerMarks", name, mark);
  }
}

function writeActivity(out: Out, state: PersonState): void {
  writeTime(out, state.firstInteractionMs);
  writeTime(out, state.lastInteractionMs);
  writer.varint(state.interactions);
  writer.number(state.dwellS);
  writer.varint(state.dwells);
  writer.number(state.scrollSum);
  writer.varint(state.scrolls);
  writer.varint(state.types.length);
  for (const { eventType, count, lastMs } of state.types) {
    out.strings(eventType);
    writer.varint(count);
    writeTime(out, lastMs);
  }
  writeTimes(out, state.clickMs);
  writer.varint(state.days.length);
  for (let i = 0; i < state.days.length; i++) {
    writer.varint(state.days[i]! - (i === 0 ? 0 : state.days[i - 1]!));
    writer.varint(state.dayCounts[i]!);
  }
  writeRecent(out, state);
}

function readActivity(from: In, state: PersonState): void {
  const { reader } = from;
  state.firstInteractionMs = readTime(from);
  state.lastInteractionMs = readTime(from);
  state.interactions = reader.varint();
  state.dwellS = reader.number();
  state.dwells = reader.varint();
  state.scrollSum = reader.number();
  state.scrolls = reader.varint();
  state.types = readEach(reader.count(TYPES_MAX), () => {
    return { eventType: from.strings(), count: reader.varint(), lastMs: readTime(from) };
  });
  state.clickMs = readTimes(from);
  const days = new Array<number>(reader.count(ACTIVE_DAYS_MAX));
  const dayCounts = new Array<number>(days.length);
  for (let i = 0; i < days.length; i++) {
    days[i] = reader.varint() + (i === 0 ? 0 : days[i - 1]!);
    dayCounts[i] = reader.varint();
  }
  state.days = days;
  state.dayCounts = dayCounts;
  readRecent(from, state);
}

function writeRecent(out: Out, state: PersonState): void {
  writer.varint(state.recent.length);
  let laterMs = out.baseMs;
  for (const entry of state.recent) {
    out.strings(entry.item_id);
    out.strings(entry.event_type);
    writer.varint(laterMs - entry.timestamp);
    laterMs = entry.timestamp;
    writer.uint32(entry.tie);
    writer.varint(entry.categories.length * 2 + (entry.value === undefined ? 0 : 1));
    for (const category of entry.categories) out.strings(category);
    if (entry.value !== undefined) writer.number(entry.value);
  }
  writer.varint(state.recentIds.length / 2);
  writer.varint(state.recentIdsNext);
  for (const half of state.recentIds) writer.uint32(half);
}

function readRecent(from: In, state: PersonState): void {
  const { reader } = from;
  let timestamp = from.baseMs;
  state.recent = readEach(reader.count(RECENT_MAX), () => {
    const item_id = from.strings();
    const event_type = from.strings();
    timestamp -= reader.varint();
    const tie = reader.uint32();
    const head = reader.varint();
    if (head > 2 * RECENT_CATEGORIES_MAX + 1) throw reader.corrupt("too many categories");
    const categories = readEach(head >> 1, from.strings);
    return { item_id, event_type, timestamp, value: (head & 1) === 0 ? undefined : reader.number(), tie, categories };
  });
  const ids = new Array<number>(2 * reader.count(RECENT_IDS_MAX));
  state.recentIdsNext = reader.varint() % RECENT_IDS_MAX;
  for (let i = 0; i < ids.length; i++) ids[i] = reader.uint32();
  state.recentIds = ids;
}

function writeWeights(out: Out, state: PersonState): void {
  writer.number(state.interestHalfLifeMs);
  writer.number(state.engagement.landmark);
  if (state.engagement.landmark < 0) return;
  writer.float64(state.engagement.scaled);
  writeInterests(out, state.categories);
  writeInterests(out, state.tags);
}

function readWeights(from: In, state: PersonState): void {
  const { reader } = from;
  const halfLifeMs = reader.number();
  if (!(halfLifeMs > 0)) throw reader.corrupt("a half-life that is not positive");
  state.interestHalfLifeMs = halfLifeMs;
  state.engagement.landmark = reader.number();
  if (state.engagement.landmark < 0) return;
  state.engagement.scaled = reader.float64();
  readInterests(from, state.categories);
  readInterests(from, state.tags);
}

function writeInterests(out: Out, { names, scaled }: Interests): void {
  writer.varint(names.length);
  for (let i = 0; i < names.length; i++) {
    out.strings(names[i]!);
    writer.float64(scaled[i]!);
  }
}

function readInterests(from: In, interests: Interests): void {
  const count = from.reader.count(INTERESTS_MAX);
  if (count === 0) return;
  const names = new Array<string>(count);
  const scaled = new Array<number>(count);
  for (let i = 0; i < count; i++) {
    names[i] = from.strings();
    scaled[i] = from.reader.float64();
  }
  interests.names = names;
  interests.scaled = scaled;
}

function writeSessions(out: Out, state: PersonState): void {
  writer.varint(state.sessionsForgotten);
  writer.varint(state.sessions.length);
  for (const session of state.sessions) {
    writer.string(session.id);
    writeTime(out, session.endMs);
    writer.varint(session.endMs - session.startMs);
    writer.varint(session.events);
    writer.varint(session.interactions);
    writer.varint(session.pageViews);
    writer.number(session.dwellS);
    writer.number(session.scrollDepth);
    writer.varint(session.clicks);
    if (session.clicks === 0) continue;
    writer.varint(session.firstClickMs - session.startMs);
    writer.varint(session.lastClickMs - session.firstClickMs);
  }
}

function readSessions(from: In, state: PersonState): void {
  const { reader } = from;
  state.sessionsForgotten = reader.varint();
  state.sessions = readEach(reader.count(SESSIONS_MAX), () => {
    const id = reader.string();
    const endMs = readTime(from);
    const startMs = endMs - reader.varint();
    const session = {
      id, startMs, endMs, events: reader.varint(), interactions: reader.varint(), pageViews: reader.varint(),
      dwellS: reader.number(), scrollDepth: reader.number(), clicks: reader.varint(), firstClickMs: -1, lastClickMs: -1,
    };
    if (session.clicks > 0) {
      session.firstClickMs = startMs + reader.varint();
      session.lastClickMs = session.firstClickMs + reader.varint();
    }
    return session;
  });
}

function readEach<T>(count: number, read: () => T): T[] {
  const list = new Array<T>(count);
  for (let i = 0; i < count; i++) list[i] = read();
  return list;
}
