// Against the first row of the whole list, through checkpoints, letters that are dealt with and clocks that are set back.
import { equal, ok } from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { rngFrom } from "../../core/math/rng.ts";
import { OverlayTable } from "../state/overlay-table.ts";
import { StateFile } from "../state/state-file.ts";
import { OldestLetters, READ_AHEAD } from "./oldest-letters.ts";

const LETTERS = 2 * READ_AHEAD;

for (const seed of [1, 2]) {
  test(`the oldest leaves, whatever came and went, and the list is read once for many (seed ${seed})`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "attune-letters-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const file = StateFile.open(folder);
    const table = new OverlayTable(file, "d");
    const rng = rngFrom(seed);
    let pages = 0;
    const oldest = new OldestLetters({
      get: (id) => table.get(id),
      page: (options) => (pages++, table.page(options)),
    });
    let serial = LETTERS;
    const add = (at: number): void => {
      const id = `${String(at).padStart(9, "0")}-${rng.between(0, 1_000_000)}`;
      table.set(id, Uint8Array.of(1));
      oldest.came(id);
    };
    for (let i = 0; i < LETTERS; i++) add(i);
    for (let i = 0; i < 1_500; i++) {
      add(rng.between(0, 499) === 0 ? serial - rng.between(1, 2 * LETTERS) : serial);
      serial++;
      if (rng.between(0, 9) === 0) {
        const [dealtWith] = table.page({ limit: 1, after: String(rng.between(0, serial)).padStart(9, "0") });
        if (dealtWith !== undefined) table.set(dealtWith[0], null);
      }
      const id = oldest.next();
      equal(id, table.page({ limit: 1 })[0]![0], `letter ${i}`);
      table.set(id, null);
      if (i % 400 !== 0) continue;
      table.begin();
      while (!table.take(500, (key, bytes) => file.write(`d:${key}`, bytes)));
      await file.commit();
      table.committed();
    }
    ok(pages <= 20, `${pages} pages`);
    await file.close();
  });
}
