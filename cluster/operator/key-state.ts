// What the job keeps for one key, as bytes that only this file reads:
//
//   byte 0      format, 1
//   varint      sequence: records applied so far
//   varint      log time of the newest record, Unix ms
//   byte        flags: 1 a signpost follows, 2 a person follows
//   string      the signpost: the user's key that this anonymous key belongs to
//   list        links: 64-bit fingerprints of the anonymous keys that this user has merged
//   list        handovers that came before the event that names their key
//   varint      program version of the person, then the person (core/profile/codec.ts), to the end
import { hash64 } from "../../core/math/hash.ts";
import { decodePerson, type PersonState } from "../../core/profile/person.ts";
import type { ProgramTimeline } from "../../core/program/timeline.ts";
import { ByteReader } from "../../core/wire/reader.ts";
import { ByteWriter } from "../../core/wire/writer.ts";
import { decodeHandover, encodeHandover, type Handover } from "../wire/handover.ts";

const FORMAT = 1;
const SIGNPOST = 1;
const PERSON = 2;
/** Anonymous keys of one user that are remembered; beyond it an unknown one is no longer waited for. */
export const LINKS_MAX = 256;
/** Handovers that may wait for their event; beyond it the oldest is merged at once. */
export const EARLY_MAX = 8;

export interface KeyState {
  sequence: number;
  lastAtMs: number;
  signpost: string | undefined;
  links: { hi: number; lo: number }[];
  early: Handover[];
  person: PersonState | undefined;
}

export function emptyKeyState(): KeyState {
  return { sequence: 0, lastAtMs: 0, signpost: undefined, links: [], early: [], person: undefined };
}

/** Nothing is known of the key: it need not be kept. */
export function isEmpty({ sequence, links, early }: KeyState): boolean {
  return sequence === 0 && links.length === 0 && early.length === 0;
}

export function isLinked(state: KeyState, anonKey: string): boolean {
  const { hi, lo } = hash64(anonKey);
  return state.links.some((link) => link.lo === lo && link.hi === hi);
}

/** Remembers that `anonKey` was merged; the oldest link goes where there are too many. */
export function addLink(state: KeyState, anonKey: string): void {
  if (state.links.length >= LINKS_MAX) state.links.shift();
  state.links.push(hash64(anonKey));
}

const writer = new ByteWriter();

/** `person` are the bytes of `state.person`, which outputs need too. The next call overwrites what this one gives. */
export function viewOfKeyState(state: KeyState, person: Uint8Array | undefined): Uint8Array {
  writer.clear();
  writer.byte(FORMAT);
  writer.varint(state.sequence);
  writer.varint(state.lastAtMs);
  writer.byte((state.signpost === undefined ? 0 : SIGNPOST) | (person === undefined ? 0 : PERSON));
  if (state.signpost !== undefined) writer.string(state.signpost);
  writer.varint(state.links.length);
  for (const { hi, lo } of state.links) {
    writer.uint32(hi);
    writer.uint32(lo);
  }
  writer.varint(state.early.length);
  for (const handover of state.early) writer.bytes(encodeHandover(handover));
  if (person !== undefined) {
    writer.varint(state.person!.programVersion);
    writer.bytes(person);
  }
  return writer.view();
}

/** Throws CorruptBytesError on what `viewOfKeyState` did not write. */
export function decodeKeyState(bytes: Uint8Array, programs: ProgramTimeline): KeyState {
  const reader = new ByteReader(bytes);
  const format = reader.byte();
  if (format !== FORMAT) throw reader.corrupt(`key state format ${format}, this release reads ${FORMAT}`);
  const state = emptyKeyState();
  state.sequence = reader.varint();
  state.lastAtMs = reader.varint();
  const flags = reader.byte();
  if ((flags & SIGNPOST) !== 0) state.signpost = reader.string();
  const links = reader.count(LINKS_MAX);
  for (let i = 0; i < links; i++) state.links.push({ hi: reader.uint32(), lo: reader.uint32() });
  const early = reader.count(EARLY_MAX);
  for (let i = 0; i < early; i++) state.early.push(decodeHandover(reader.bytes().slice()));
  if ((flags & PERSON) !== 0) {
    const version = reader.varint();
    state.person = personOf(reader.bytes(), version, programs);
  }
  reader.end();
  return state;
}

/** A person's bytes under the program that he is kept for; where that is no longer known, under the one after it. */
export function personOf(bytes: Uint8Array, version: number, programs: ProgramTimeline): PersonState {
  const program = programs.at(version) ?? programs.after(version)?.program ?? programs.current;
  return decodePerson(bytes, program.plan);
}
