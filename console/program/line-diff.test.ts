import assert from "node:assert/strict";
import { test } from "node:test";
import { forEachSeed } from "../../core/testing/seeds.ts";
import { diffLines } from "./line-diff.ts";

test("one changed line is shown between three lines of context", () => {
  const before = Array.from({ length: 20 }, (_, index) => `line ${index + 1}`);
  const after = before.with(9, "changed");
  const diff = diffLines(before.join("\n"), after.join("\n"));
  assert.deepEqual(
    { added: diff.added, removed: diff.removed, hunks: diff.hunks.length },
    { added: 1, removed: 1, hunks: 1 },
  );
  assert.equal(diff.hunks[0]!.skipped, 6);
  assert.deepEqual(
    diff.hunks[0]!.lines.map((line) => [line.kind, line.before, line.after]),
    [
      ["same", 7, 7],
      ["same", 8, 8],
      ["same", 9, 9],
      ["removed", 10, undefined],
      ["added", undefined, 10],
      ["same", 11, 11],
      ["same", 12, 12],
      ["same", 13, 13],
    ],
  );
});

test("equal texts have no hunk", () => {
  assert.deepEqual(diffLines("a\nb", "a\nb"), { hunks: [], added: 0, removed: 0 });
});

test("a diff rebuilds both texts and never changes more than the longest common subsequence leaves", () => {
  forEachSeed(200, (rng) => {
    const letters = (count: number) => Array.from({ length: count }, () => "abc"[rng.between(0, 2)]!);
    const before = letters(rng.between(0, 12));
    const after = letters(rng.between(0, 12));
    const diff = diffLines(before.join("\n"), after.join("\n"));
    const lines = diff.hunks.flatMap((hunk) => hunk.lines);
    const old = before.join("\n").split("\n");
    const fresh = after.join("\n").split("\n");
    assert.equal(diff.added + diff.removed, old.length + fresh.length - 2 * commonLength(old, fresh));
    for (const line of lines) {
      if (line.before !== undefined) assert.equal(line.text, old[line.before - 1]);
      if (line.after !== undefined) assert.equal(line.text, fresh[line.after - 1]);
    }
  });
});

function commonLength(a: readonly string[], b: readonly string[]): number {
  const rows = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      rows[i]![j] = a[i - 1] === b[j - 1] ? rows[i - 1]![j - 1]! + 1 : Math.max(rows[i - 1]![j]!, rows[i]![j - 1]!);
    }
  }
  return rows[a.length]![b.length]!;
}
