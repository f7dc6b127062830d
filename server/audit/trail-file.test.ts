// The readers against a text that is split as a whole: pieces of a mebibyte end within lines and within letters.
import { deepEqual, equal, ok } from "node:assert/strict";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { rngFrom, type Rng } from "../../core/math/rng.ts";
import { cutHead, linesFromEnd, linesOf } from "./trail-file.ts";

const PIECE_BYTES = 1 << 20;

function trailOf(t: TestContext, count: number, rng: Rng): { path: string; lines: string[] } {
  const folder = mkdtempSync(join(tmpdir(), "attune-trail-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "trail");
  const lines = Array.from({ length: count }, (_, i) => `${i} ${"é".repeat(rng.between(1, 2_000))}`);
  writeFileSync(path, lines.map((line) => `${line}\n`).join(""));
  return { path, lines };
}

const numberOf = (line: string): number => Number.parseInt(line, 10);
const never = (): boolean => false;

test("lines come whole and in order, each with where the next begins; a cut one says so", (t) => {
  const { path, lines } = trailOf(t, 2_000, rngFrom(1));
  ok(statSync(path).size > 3 * PIECE_BYTES);
  const read = [...linesOf(path)];
  deepEqual(read.map(({ text }) => text), lines);
  equal(read.every(({ isWhole }) => isWhole), true);
  const bytes = readFileSync(path);
  for (const { text, end } of read) equal(bytes.toString("utf8", end - Buffer.byteLength(text) - 1, end), `${text}\n`);
  appendFileSync(path, "2000 cu");
  deepEqual([...linesOf(path)].at(-1), { text: "2000 cu", end: statSync(path).size, isWhole: false });
  deepEqual([...linesOf(`${path}.none`)], []);
});

test("from the end they come the other way round, from any line on, with the most behind it passed over", (t) => {
  for (const [seed, count] of [0, 1, 2, 700, 2_000].entries()) {
    const rng = rngFrom(seed);
    const { path, lines } = trailOf(t, count, rng);
    deepEqual([...linesFromEnd(path, never)], lines.toReversed());
    for (const before of [0, 1, count - 1, count, rng.between(0, count), rng.between(0, count)]) {
      const read = [...linesFromEnd(path, (line) => numberOf(line) >= before)];
      const wanted = read.filter((line) => numberOf(line) < before);
      deepEqual(wanted, lines.slice(0, Math.max(0, before)).toReversed(), `before ${before} of ${count}, seed ${seed}`);
      const behind = read.slice(0, read.length - wanted.length);
      ok(Buffer.byteLength(behind.join("\n")) <= PIECE_BYTES, `${behind.length} lines behind ${before} of ${count}`);
    }
  }
});

test("a cut head leaves the rest as it was", (t) => {
  const { path, lines } = trailOf(t, 1_500, rngFrom(9));
  const { end } = [...linesOf(path)][399]!;
  cutHead(path, end);
  deepEqual([...linesOf(path)].map(({ text }) => text), lines.slice(400));
  equal(statSync(path).mode & 0o777, 0o600);
});
