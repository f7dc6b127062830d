// Seeded streams with known change points, and without any: found soon, and seldom cried out for nothing.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { rngFrom, type Rng } from "../math/rng.ts";
import { createAdwin } from "./adwin.ts";

const coin = (rng: Rng, chance: number): number => (rng.between(0, 999_999) < chance * 1_000_000 ? 1 : 0);

test("a change of the mean is found soon after it, and named", () => {
  for (const [from, to, within] of [[0.7, 0.4, 400], [0.3, 0.45, 1_200], [0.05, 0.2, 500], [0.5, 1, 200]] as const) {
    for (let seed = 0; seed < 20; seed++) {
      const rng = rngFrom(seed);
      const adwin = createAdwin();
      for (let i = 0; i < 3_000; i++) adwin.add(coin(rng, from));
      let foundAt = -1;
      for (let i = 0; i < 3_000 && foundAt < 0; i++) {
        const change = adwin.add(coin(rng, to));
        if (change === undefined) continue;
        foundAt = i;
        equal(Math.sign(change.after - change.before), Math.sign(to - from), `seed ${seed}`);
      }
      ok(foundAt >= 0 && foundAt <= within, `${from} → ${to}, seed ${seed}: ${foundAt}`);
      for (let i = 0; i < 2_000; i++) adwin.add(coin(rng, to));
      ok(Math.abs(adwin.mean - to) < 0.05, "the window holds what is new");
    }
  }
});

test("one change is told once: of 80 streams that change, and go on, at most one in twenty tells twice", () => {
  const told = [0, 0, 0];
  for (const [from, to] of [[0.3, 0.1], [0.3, 0.2], [0.3, 0.26], [0.7, 0.8]] as const) {
    for (let seed = 0; seed < 20; seed++) {
      const rng = rngFrom(seed);
      const adwin = createAdwin();
      let changes = 0;
      for (let i = 0; i < 40_000; i++) if (adwin.add(coin(rng, i < 20_000 ? from : to)) !== undefined) changes++;
      ok(changes === 1 || changes === 2, `${from} → ${to}, seed ${seed}: ${changes}`);
      told[changes]!++;
    }
  }
  ok(told[2]! <= 4, `${told}`);
});

test("streams that do not change raise few alarms: at most one in twenty of 10,000 numbers", () => {
  let alarmed = 0;
  const runs = 200;
  for (let seed = 0; seed < runs; seed++) {
    const rng = rngFrom(1_000 + seed);
    const adwin = createAdwin();
    const chance = rng.between(1, 9) / 10;
    let alarms = 0;
    for (let i = 0; i < 10_000; i++) if (adwin.add(coin(rng, chance)) !== undefined) alarms++;
    if (alarms > 0) alarmed++;
  }
  ok(alarmed <= runs / 20, `${alarmed} of ${runs}`);
});

test("memory is logarithmic, and what is saved goes on as if it had not been", () => {
  const rng = rngFrom(3);
  const straight = createAdwin();
  for (let i = 0; i < 5_000; i++) straight.add(coin(rng, 0.4));
  ok(straight.save().length < 160, `${straight.save().length}`);
  const restored = createAdwin();
  restored.load(straight.save());
  deepEqual(restored.save(), straight.save());
  for (let i = 0; i < 2_000; i++) {
    const value = coin(rng, i < 1_000 ? 0.4 : 0.8);
    deepEqual(restored.add(value), straight.add(value));
  }
  deepEqual(restored.save(), straight.save());
});
