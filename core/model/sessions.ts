// Sessions: a ring of the latest ones with their distinct items (for the session kNN), and which of them are open.
//
// A session is known by a number that counts up; it is open while it belongs to a person, until 30 minutes pass, or
// until the person's events carry another session id.
import { SESSION_GAP_MS } from "../event/session-gap.ts";
import { DirtySlots, slotTable } from "../wire/dirty-slots.ts";
import type { WholeTable } from "../wire/dirty-rows.ts";
import { createRowArena } from "./arena.ts";
import { TRAIL_MAX } from "./config.ts";
import { rowReader, rowWriter } from "./row-bytes.ts";

export const SESSIONS_MAX = 1 << 20;
const SESSION_MASK = SESSIONS_MAX - 1;
const NUMBER_MASK = (1 << 30) - 1; // Numbers wrap here, so that postings hold them in 32 bits for ever.
const OPEN_MAX = 1 << 18;
const SWEEP_PER_STEP = 2;

/** What is known of an open session besides its items. */
export interface OpenSession {
  personKey: string;
  sessionId: string | undefined;
  /** Where the store keeps it. */
  place: number;
  number: number;
  lastMs: number;
  /** Event types of the current visit to the newest item, as bits. */
  visitTypes: number;
  /** Visits by place in the row, oldest first: parallel to the row's items. */
  visits: number[];
}

export interface SessionStore {
  /** Number that the next session gets. */
  readonly nextNumber: number;
  readonly openCount: number;
  /** The open session, if the event or query at `timeMs` under `sessionId` belongs to it. */
  find(personKey: string, sessionId: string | undefined, timeMs: number): OpenSession | undefined;
  start(personKey: string, sessionId: string | undefined, timeMs: number): OpenSession;
  /** To be called before an open session's fields change. */
  touch(session: OpenSession): void;
  /** Puts an item at the session's new end; true where it was in the row already. */
  visit(session: OpenSession, ref: number): boolean;
  /** Takes an item out of the session's row. */
  drop(session: OpenSession, ref: number): void;
  /** Closes what nobody will come back to; a little with every step. */
  sweep(clockMs: number): void;
  relink(from: string, to: string): void;
  /** Persons whose sessions are open. */
  people(): string[];
  /** Closes a person's open session; its items stay, as nobody's. */
  forget(personKey: string): void;
  /** Whether the ring still holds session `number`. */
  holds(number: number): boolean;
  /** The array that holds the session's items, oldest first: from `offsetOf(n)`, `lengthOf(n)` of them. */
  itemsOf(number: number): Int32Array;
  offsetOf(number: number): number;
  lengthOf(number: number): number;
  lastMsOf(number: number): number;
  readonly state: SessionState;
  readonly tables: readonly WholeTable[];
}

export interface SessionState {
  nextNumber: number;
  hand: number;
  openEnd: number;
  freeFirst: number;
}

export function createSessions(): SessionStore {
  const arena = createRowArena({ classes: [4, 8, TRAIL_MAX], weighted: false });
  let lastMs = new Float64Array(1024);
  const open: (OpenSession | undefined)[] = [];
  const nextFree: number[] = [];
  const places = new Map<string, number>();
  const state: SessionState = { nextNumber: 0, hand: 0, openEnd: 0, freeFirst: -1 };

  const dirtyRows = new DirtySlots((row) => {
    const length = arena.lengthOf(row);
    const from = arena.offsetOf(row);
    const ids = arena.idsOf(row);
    const out = rowWriter();
    out.u8(1);
    out.f64(lastMs[row]!);
    out.i32s(ids, from, from + length);
    return out.bytes();
  });
  const dirtyOpen = new DirtySlots((place) => {
    const out = rowWriter();
    out.u8(1);
    const session = open[place];
    out.u8(session === undefined ? 0 : 1);
    if (session === undefined) {
      out.i32(nextFree[place]!);
      return out.bytes();
    }
    out.text(session.personKey);
    out.u8(session.sessionId === undefined ? 0 : 1);
    if (session.sessionId !== undefined) out.text(session.sessionId);
    out.f64(session.number);
    out.f64(session.lastMs);
    out.i32(session.visitTypes);
    out.u8(0); // Held a flag that nothing read.
    for (const count of session.visits) out.i32(count);
    return out.bytes();
  });

  const rowOf = (number: number): number => number & SESSION_MASK;

  const close = (place: number): void => {
    dirtyOpen.touch(place);
    places.delete(open[place]!.personKey);
    open[place] = undefined;
    nextFree[place] = state.freeFirst;
    state.freeFirst = place;
  };

  const takePlace = (): number => {
    while (state.freeFirst < 0 && state.openEnd >= OPEN_MAX) {
      state.hand = (state.hand + 1) % state.openEnd;
      if (open[state.hand] !== undefined) close(state.hand);
    }
    if (state.freeFirst < 0) {
      const place = state.openEnd++;
      dirtyOpen.touch(place);
      return place;
    }
    const place = state.freeFirst;
    dirtyOpen.touch(place);
    state.freeFirst = nextFree[place]!;
    return place;
  };

  const reserve = (row: number): void => {
    if (row < lastMs.length) return;
    const grown = new Float64Array(Math.max(row + 1, lastMs.length * 2));
    grown.set(lastMs);
    lastMs = grown;
  };

  const holds = (number: number): boolean => {
    const age = (state.nextNumber - number) & NUMBER_MASK;
    return age >= 1 && age <= SESSIONS_MAX;
  };

  const store: SessionStore = {
    state,
    get nextNumber() {
      return state.nextNumber;
    },
    get openCount() {
      return places.size;
    },
    find(personKey, sessionId, timeMs) {
      const place = places.get(personKey);
      if (place === undefined) return undefined;
      const session = open[place]!;
      if (sessionId !== undefined && session.sessionId !== undefined && sessionId !== session.sessionId) return undefined;
      // A session id that goes on says so itself; without one, the gap decides.
      const gap = timeMs - session.lastMs;
      const isOver = sessionId === undefined || session.sessionId === undefined ? gap > SESSION_GAP_MS || -gap > SESSION_GAP_MS : false;
      return isOver || !holds(session.number) ? undefined : session;
    },
    start(personKey, sessionId, timeMs) {
      const before = places.get(personKey);
      if (before !== undefined) close(before);
      const place = takePlace();
      const number = state.nextNumber;
      state.nextNumber = (number + 1) & NUMBER_MASK;
      const row = rowOf(number);
      reserve(row);
      dirtyRows.touch(row);
      arena.clear(row);
      lastMs[row] = timeMs;
      const session: OpenSession = { personKey, sessionId, place, number, lastMs: timeMs, visitTypes: 0, visits: [] };
      open[place] = session;
      places.set(personKey, place);
      return session;
    },
    touch(session) {
      dirtyOpen.touch(session.place);
    },
    visit(session, ref) {
      const row = rowOf(session.number);
      dirtyRows.touch(row);
      if (session.lastMs > lastMs[row]!) lastMs[row] = session.lastMs;
      let length = arena.lengthOf(row);
      let from = arena.offsetOf(row);
      let ids = arena.idsOf(row);
      const { visits } = session;
      const last = length - 1;
      for (let at = last; at >= 0; at--) {
        if (ids[from + at] !== ref) continue;
        const count = visits[at]!;
        for (; at < last; at++) {
          ids[from + at] = ids[from + at + 1]!;
          visits[at] = visits[at + 1]!;
        }
        ids[from + last] = ref;
        visits[last] = count + 1;
        return true;
      }
      if (arena.makeRoom(row)) {
        from = arena.offsetOf(row);
        ids = arena.idsOf(row);
        ids[from + length++] = ref;
        arena.setLength(row, length);
      } else {
        ids.copyWithin(from, from + 1, from + length);
        ids[from + length - 1] = ref;
        visits.shift();
      }
      visits.push(1);
      return false;
    },
    drop(session, ref) {
      const row = rowOf(session.number);
      const length = arena.lengthOf(row);
      if (length === 0) return;
      const ids = arena.idsOf(row);
      const from = arena.offsetOf(row);
      const at = ids.subarray(from, from + length).indexOf(ref);
      if (at < 0) return;
      dirtyRows.touch(row);
      dirtyOpen.touch(session.place);
      ids.copyWithin(from + at, from + at + 1, from + length);
      arena.setLength(row, length - 1);
      session.visits.splice(at, 1);
      session.visitTypes = 0;
    },
    sweep(clockMs) {
      if (state.openEnd === 0) return;
      for (let i = 0; i < SWEEP_PER_STEP; i++) {
        state.hand = state.hand + 1 >= state.openEnd ? 0 : state.hand + 1;
        const session = open[state.hand];
        if (session === undefined) continue;
        // A session with an id of its own may come back after the gap; it gets a longer while, not for ever.
        const keepMs = session.sessionId === undefined ? SESSION_GAP_MS : 4 * SESSION_GAP_MS;
        if (clockMs - session.lastMs > keepMs) close(state.hand);
      }
    },
    relink(from, to) {
      const place = places.get(from);
      if (place === undefined || from === to) return;
      const other = places.get(to);
      const session = open[place]!;
      if (other !== undefined) {
        if (open[other]!.lastMs > session.lastMs) return close(place);
        close(other);
      }
      dirtyOpen.touch(place);
      places.delete(from);
      session.personKey = to;
      places.set(to, place);
    },
    people: () => [...places.keys()],
    forget(personKey) {
      const place = places.get(personKey);
      if (place !== undefined) close(place);
    },
    holds,
    itemsOf: (number) => arena.idsOf(rowOf(number)),
    offsetOf: (number) => arena.offsetOf(rowOf(number)),
    lengthOf: (number) => arena.lengthOf(rowOf(number)),
    lastMsOf: (number) => lastMs[rowOf(number)]!,
    tables: [
      slotTable("sessions", dirtyRows, (row, bytes) => {
        const input = rowReader(bytes);
        input.version(1);
        reserve(row);
        lastMs[row] = input.f64();
        arena.clear(row);
        while (input.left() >= 4) {
          const ref = input.i32();
          if (!arena.makeRoom(row)) break;
          const length = arena.lengthOf(row);
          arena.idsOf(row)[arena.offsetOf(row) + length] = ref;
          arena.setLength(row, length + 1);
        }
      }),
      slotTable("open_sessions", dirtyOpen, (place, bytes) => {
        const input = rowReader(bytes);
        input.version(1);
        while (open.length <= place) {
          open.push(undefined);
          nextFree.push(-1);
        }
        if (input.u8() === 0) {
          nextFree[place] = input.i32();
          return;
        }
        const personKey = input.text();
        const sessionId = input.u8() === 1 ? input.text() : undefined;
        const number = input.f64();
        const session: OpenSession = { personKey, sessionId, place, number, lastMs: input.f64(), visitTypes: input.i32(), visits: [] };
        input.u8();
        while (input.left() >= 4) session.visits.push(input.i32());
        open[place] = session;
        places.set(personKey, place);
      }),
    ],
  };
  return store;
}
