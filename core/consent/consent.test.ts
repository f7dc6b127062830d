import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { applyAttributes, applyEvent } from "../engine.ts";
import type { LoggedEvent } from "../event/event.ts";
import { emptyPerson, encodePerson, decodePerson } from "../profile/person.ts";
import { profileView } from "../profile/view.ts";
import { compileProgram } from "../program/compile.ts";
import { ProgramTimeline } from "../program/timeline.ts";
import type { Consent } from "../record.ts";
import { consentOfDefault, isGranted, PURPOSES } from "./consent.ts";

const NOW_MS = 1_760_000_000_000;

function timeline(document: unknown): ProgramTimeline {
  const compiled = compileProgram(document, 1);
  if (!("program" in compiled)) throw new Error(JSON.stringify(compiled.faults));
  const programs = new ProgramTimeline();
  programs.append(1, 0, compiled.program);
  return programs;
}

const view: LoggedEvent = {
  event_id: "e1",
  user_id: "ada",
  event_type: "view",
  item_id: "lamp",
  timestamp: NOW_MS,
  received_at: NOW_MS,
};

test("what was said goes before the default, purpose by purpose", () => {
  const consent: Consent = { personalization: "denied", analytics: "granted", profiling: "denied" };
  deepEqual(
    PURPOSES.map((purpose) => isGranted(consent, purpose, "granted")),
    [false, true, false],
  );
  for (const otherwise of ["granted", "denied"] as const) {
    deepEqual(
      PURPOSES.map((purpose) => isGranted(undefined, purpose, otherwise)),
      PURPOSES.map(() => otherwise === "granted"),
    );
  }
});

for (const otherwise of ["granted", "denied"] as const) {
  for (const said of [undefined, "granted", "denied"] as const) {
    test(`default ${otherwise}, profiling ${said ?? "not said"}: the profile moves only where it may`, () => {
      const programs = timeline({ consent: { default: otherwise } });
      const person = emptyPerson(programs.current.plan);
      if (said !== undefined) {
        person.consent = { ...consentOfDefault("granted"), profiling: said };
        applyAttributes(person, {}, NOW_MS, programs);
      }
      const { folded } = applyEvent(person, view, programs);
      equal(folded, (said ?? otherwise) === "granted");
      equal(person.recent.length, folded ? 1 : 0);
      deepEqual(decodePerson(encodePerson(person), programs.current.plan).consent, person.consent);
    });
  }
}

test("who denies profiling has a device all the same: it is his for whatever is done for all his ids", () => {
  const programs = timeline({});
  const person = emptyPerson(programs.current.plan);
  person.consent = { ...consentOfDefault("granted"), profiling: "denied" };
  applyAttributes(person, {}, NOW_MS, programs);
  const before = structuredClone(profileView(person, programs.current.plan, NOW_MS));
  equal(applyEvent(person, { ...view, anonymous_id: "phone" }, programs).folded, false);
  deepEqual(profileView(person, programs.current.plan, NOW_MS), { ...before, user_id: "ada", anonymous_ids: ["phone"] });
});

test("a default that is none is a fault with its path", () => {
  const compiled = compileProgram({ consent: { default: "maybe" } }, 1);
  deepEqual("faults" in compiled && compiled.faults.map(({ path, code }) => [path, code]), [
    ["/consent/default", "bad_value"],
  ]);
});
