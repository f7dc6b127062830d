// One operator: the persons stage of some projects, as a function of frames. It keeps programs and nothing else.
import { viewOfPerson } from "../../core/profile/person.ts";
import { ByteReader } from "../../core/wire/reader.ts";
import { ByteWriter } from "../../core/wire/writer.ts";
import { decodeHandover } from "../wire/handover.ts";
import { viewOfProfile } from "../wire/profile.ts";
import { decodeClusterRecord } from "../wire/record.ts";
import type { PersonAges } from "../../server/privacy/retention.ts";
import { applyErasure, applyHandover, applyRecord, applyTime } from "./apply.ts";
import { expiresMs } from "./expiry.ts";
import { OPERATION, Outputs, readTurn, type TurnInput, type TurnResult, TURNS_MAX, writeResult } from "./frame.ts";
import { decodeKeyState, emptyKeyState, isEmpty, viewOfKeyState } from "./key-state.ts";
import { addErasure, addProgram, createProject, type OperatorProject } from "./project.ts";
import type { Turn } from "./turn.ts";

/** A key's state as bytes; larger ones are a bug, and would take the JVM's memory. */
const STATE_BYTES_MAX = 512 * 1024;
const NOTHING = new Uint8Array(0);

export interface Operator {
  /** Makes project number `index` (0, 1, 2 …) known. */
  addProject(options: { passOnAfterMs: number }): void;
  /** Puts a program of `control` in force from `atMs` on. Throws where it does not compile. */
  addProgram(project: number, program: { version: number; atMs: number; document: unknown }): void;
  /** Of a key that was erased: its records and handovers from before are dropped from now on, whenever they come. */
  addErasure(project: number, key: string, atMs: number): void;
  /** For how long persons are kept from now on; until it is said, for ever. */
  setAges(project: number, ages: PersonAges): void;
  /**
   * Runs the turns of a frame. The answer is overwritten by the next call. Throws where code threw: then nothing of the
   * frame has happened.
   */
  process(frame: Uint8Array): Uint8Array;
}

export function createOperator(): Operator {
  const projects: OperatorProject[] = [];
  const writer = new ByteWriter();
  const outputs = new Outputs();
  return {
    addProject: ({ passOnAfterMs }) => void projects.push(createProject(passOnAfterMs)),
    addProgram: (project, program) => addProgram(projects[project]!, program),
    addErasure: (project, key, atMs) => addErasure(projects[project]!, key, atMs),
    setAges: (project, ages) => void (projects[project]!.ages = ages),
    process(frame) {
      const reader = new ByteReader(frame);
      writer.clear();
      const turns = reader.count(TURNS_MAX);
      writer.varint(turns);
      for (let i = 0; i < turns; i++) {
        const input = readTurn(reader);
        const project = projects[input.project];
        if (project === undefined) throw reader.corrupt(`project ${input.project} is not known`);
        outputs.clear();
        writeResult(writer, take(project, input, outputs));
      }
      reader.end();
      return writer.view();
    },
  };
}

function take(project: OperatorProject, input: TurnInput, outputs: Outputs): TurnResult {
  const { key, state: before, operations } = input;
  const state = before.length === 0 ? emptyKeyState() : decodeKeyState(before, project.programs);
  const turn: Turn = { project, key, state, outputs, changes: [], isChanged: false, isVisible: false };
  if (operations[0]?.kind === OPERATION.erase) return erase(turn, operations[0].atMs);
  let done = 0;
  while (done < operations.length && applyOperation(turn, operations[done]!) === "applied") outputs.operation = ++done;
  const times = timesOf(turn);
  if (!turn.isChanged) return { done, state: undefined, ...times, outputs };
  if (isEmpty(state)) return { done, state: NOTHING, ...times, outputs };
  const person = state.person === undefined ? undefined : viewOfPerson(state.person);
  if (turn.isVisible) outputs.bytes("profiles", key, profileOf(turn, person));
  const bytes = viewOfKeyState(state, person);
  if (bytes.length > STATE_BYTES_MAX) throw new Error(`the state of one key would be ${bytes.length} bytes`);
  return { done, state: bytes, ...times, outputs };
}

function timesOf({ state, project }: Turn): Pick<TurnResult, "dueMs" | "expiresMs"> {
  return { dueMs: state.person?.nextCheckMs ?? Infinity, expiresMs: expiresMs(state, project) };
}

/** An erasure has its turn to itself. */
function erase(turn: Turn, atMs: number): TurnResult {
  const isErased = applyErasure(turn, atMs);
  const times = isErased ? { dueMs: Infinity, expiresMs: Infinity } : timesOf(turn);
  return { done: 1, state: isErased ? NOTHING : undefined, ...times, outputs: turn.outputs };
}

function applyOperation(turn: Turn, { kind, atMs, value }: TurnInput["operations"][number]): "applied" | "hold" {
  if (kind === OPERATION.time) applyTime(turn, atMs);
  else if (kind === OPERATION.handover) applyHandover(turn, decodeHandover(value));
  else {
    const waited = kind === OPERATION.waited;
    return applyRecord(turn, { record: decodeClusterRecord(value), bytes: value, atMs, waited });
  }
  return "applied";
}

function profileOf({ state, changes }: Turn, bytes: Uint8Array | undefined): Uint8Array {
  const { person, sequence, lastAtMs, signpost } = state;
  return viewOfProfile({
    sequence,
    asOfMs: person?.asOf ?? lastAtMs,
    version: person?.version ?? 0,
    programVersion: person?.programVersion ?? 0,
    nextCheckMs: person?.nextCheckMs ?? Infinity,
    ...(person?.consent === undefined ? {} : { analytics: person.consent.analytics }),
    memberships: person === undefined ? [] : [...person.memberships.keys()].sort(),
    person: bytes ?? new Uint8Array(0),
    changes,
    ...(signpost === undefined ? {} : { signpost }),
  });
}
