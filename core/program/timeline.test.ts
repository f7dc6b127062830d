// Which program comes after which: every question answered as by looking through all of them.
import { equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { forEachSeed } from "../testing/seeds.ts";
import type { CompiledProgram } from "./compiled.ts";
import { ProgramTimeline } from "./timeline.ts";

const program = (version: number): CompiledProgram => ({ version }) as CompiledProgram;

test("versions with gaps: what is after, at, and in force is what a look through all of them finds", () => {
  forEachSeed(20, (rng) => {
    const timeline = new ProgramTimeline();
    let version = 0;
    let at = 0;
    for (let n = rng.between(1, 12); n > 0; n--) {
      version += rng.between(1, 3);
      at += rng.between(0, 2);
      timeline.append(version, at, program(version));
    }
    const { entries } = timeline;
    for (let asked = 0; asked <= version + 1; asked++) {
      equal(timeline.after(asked), entries.find((entry) => entry.version > asked));
      equal(timeline.at(asked), entries.find((entry) => entry.version === asked)?.program);
    }
    for (let nowMs = 0; nowMs <= at + 1; nowMs++) {
      equal(timeline.inForce(nowMs), entries.findLast((entry) => entry.at <= nowMs) ?? entries[0]);
    }
    equal(timeline.current, entries.at(-1)!.program);
    throws(() => timeline.append(version, at, program(version)), /out of order/);
  });
});

test("an empty timeline has nothing after any version, and no program in force", () => {
  const timeline = new ProgramTimeline();
  equal(timeline.after(0), undefined);
  equal(timeline.at(0), undefined);
  throws(() => timeline.current);
  throws(() => timeline.inForce(0));
});
