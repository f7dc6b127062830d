// What each step of intake costs, in process and single-threaded: which of them is worth the next hour of work.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { applyEvent } from "../core/engine.ts";
import type { LoggedEvent } from "../core/event/event.ts";
import { normaliseEvent } from "../core/event/validate.ts";
import { compileProgram } from "../core/program/compile.ts";
import { stepOf } from "../core/model/step.ts";
import { shopProgram } from "../core/program/shop.ts";
import { ProgramTimeline } from "../core/program/timeline.ts";
import { emptyPerson, encodePerson, type PersonState } from "../core/profile/person.ts";
import { createRecommender } from "../core/rank/recommender.ts";
import { eventKey } from "../server/embedded/event-keys.ts";
import { encodeRecord } from "../server/embedded/record-codec.ts";
import { openIdIndex } from "../server/log/id-index.ts";
import { RecordBatch } from "../server/log/record-batch.ts";
import { openLog } from "../server/log/segment-log.ts";
import { printTable } from "./table.ts";
import { traffic } from "./traffic.ts";

const EVENTS = 100_000;
const BATCH = 1_000;

export async function shares(): Promise<void> {
  const compiled = compileProgram(shopProgram, 1);
  if ("faults" in compiled) throw new Error(compiled.faults[0]!.message);
  const { program } = compiled;
  const programs = new ProgramTimeline();
  programs.append(1, 0, program);
  const raw = traffic({ seed: 5, persons: 10_000, items: 10_000 }).events(EVENTS);
  const texts = raw.map((event) => JSON.stringify(event));
  const rows: [string, number][] = [];
  const timed = async <T>(name: string, run: () => T | Promise<T>): Promise<T> => {
    const startedMs = performance.now();
    const result = await run();
    rows.push([name, ((performance.now() - startedMs) * 1_000) / EVENTS]);
    return result;
  };

  const parsed = await timed("parse", () => texts.map((text) => JSON.parse(text) as unknown));
  const receivedAtMs = Date.now();
  const events = await timed("validate", () =>
    parsed.map((event): LoggedEvent => {
      const options = { receivedAtMs, eventTypes: program.eventTypes, newEventId: () => "" };
      const result = normaliseEvent(event, options);
      if ("rejected" in result) throw new Error(result.rejected.message);
      return { ...result.event, received_at: receivedAtMs };
    }),
  );
  const folder = mkdtempSync(join(tmpdir(), "attune-bench-"));
  const log = await openLog(join(folder, "log"), { onFault: () => {} });
  const ids = openIdIndex(join(folder, "ids"), { runs: [] });
  await timed("known already?", () => {
    for (const event of events) {
      const { hi, lo } = eventKey(`u:${event.user_id}`, event.event_id);
      ids.add(hi, lo);
    }
  });
  const batch = new RecordBatch();
  let appendUs = 0;
  await timed("encode and append", async () => {
    for (let start = 0; start < EVENTS; start += BATCH) {
      batch.clear();
      for (let i = start; i < start + BATCH; i++) {
        const { type, payload } = encodeRecord({ kind: "event", at: receivedAtMs, event: events[i]! });
        batch.add(type, payload);
      }
      const startedMs = performance.now();
      await log.append(batch);
      appendUs += ((performance.now() - startedMs) * 1_000) / EVENTS;
    }
  });
  const persons = new Map<string, PersonState>();
  await timed("profile, segments, triggers", () => {
    for (const event of events) {
      let person = persons.get(event.user_id!);
      if (person === undefined) {
        person = emptyPerson(program.plan);
        person.programVersion = 1;
        persons.set(event.user_id!, person);
      }
      applyEvent(person, event, programs);
    }
  });
  const recommender = createRecommender({ models: program.models, learning: program.learning });
  let sampled = 0;
  await timed("models", () => {
    for (const event of events) {
      const weight = program.plan.weights.get(event.event_type) ?? 0;
      const isSampled = recommender.learningSample(event.event_id, event.timestamp);
      const step = stepOf(event, { personKey: `u:${event.user_id}`, weight, sampled: isSampled, history: [] });
      if (step === undefined) continue;
      if (isSampled) sampled++;
      recommender.learn(step);
    }
  });
  let bytes = 0;
  await timed("checkpoint of the persons", () => {
    for (const person of persons.values()) bytes += encodePerson(person).length;
  });
  await log.close();
  ids.close();
  rmSync(folder, { recursive: true, force: true });
  const total = rows.reduce((sum, [, us]) => sum + us, 0);
  printTable(
    ["step", "µs an event", "share %"],
    rows.map(([name, us]) => [name, us, (100 * us) / total]),
  );
  console.log(
    `of the append ${appendUs.toFixed(2)} µs are the write and the sync; ${sampled} of ${EVENTS} events taught the blend`,
  );
  console.log(`${persons.size} persons, ${Math.round(bytes / persons.size)} bytes each`);
}
