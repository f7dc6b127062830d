// What changed between two texts, line by line (Myers 1986, linear in length times difference), with the unchanged
// stretches folded away.

export interface DiffLine {
  readonly kind: "same" | "added" | "removed";
  readonly text: string;
  /** Line number in the text before and after; undefined where the line is not in it. */
  readonly before: number | undefined;
  readonly after: number | undefined;
}

export interface Hunk {
  /** Unchanged lines left out before this hunk. */
  readonly skipped: number;
  readonly lines: readonly DiffLine[];
}

export interface LineDiff {
  readonly hunks: readonly Hunk[];
  readonly added: number;
  readonly removed: number;
}

const CONTEXT_LINES = 3;
/** Beyond this many changed lines the texts are shown as wholly replaced: nobody reads such a diff, and it costs time. */
const EDITS_MAX = 2000;

export function diffLines(before: string, after: string): LineDiff {
  const lines = edits(before.split("\n"), after.split("\n"));
  return {
    hunks: folded(lines),
    added: lines.filter((line) => line.kind === "added").length,
    removed: lines.filter((line) => line.kind === "removed").length,
  };
}

function edits(before: readonly string[], after: readonly string[]): DiffLine[] {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head++;
  let tail = 0;
  while (tail < before.length - head && tail < after.length - head && before.at(-1 - tail) === after.at(-1 - tail))
    tail++;
  const old = before.slice(head, before.length - tail);
  const fresh = after.slice(head, after.length - tail);
  const result: DiffLine[] = [];
  const push = (kind: DiffLine["kind"], text: string, at: number, to: number): void => {
    result.push({
      kind,
      text,
      before: kind === "added" ? undefined : at + 1,
      after: kind === "removed" ? undefined : to + 1,
    });
  };
  for (let line = 0; line < head; line++) push("same", before[line]!, line, line);
  let x = 0;
  let y = 0;
  for (const step of shortestScript(old, fresh)) {
    if (step === "removed") push(step, old[x]!, head + x, 0);
    else if (step === "added") push(step, fresh[y]!, 0, head + y);
    else push(step, old[x]!, head + x, head + y);
    if (step !== "added") x++;
    if (step !== "removed") y++;
  }
  for (let line = 0; line < tail; line++)
    push("same", before.at(line - tail)!, before.length - tail + line, after.length - tail + line);
  return result;
}

function shortestScript(old: readonly string[], fresh: readonly string[]): DiffLine["kind"][] {
  const trace: Map<number, number>[] = [];
  let reached = new Map<number, number>([[1, 0]]);
  for (let distance = 0; distance <= Math.min(old.length + fresh.length, EDITS_MAX); distance++) {
    trace.push(reached);
    const next = new Map(reached);
    for (let diagonal = -distance; diagonal <= distance; diagonal += 2) {
      let x = goesDown(reached, diagonal, distance) ? reached.get(diagonal + 1)! : reached.get(diagonal - 1)! + 1;
      while (x < old.length && x - diagonal < fresh.length && old[x] === fresh[x - diagonal]) x++;
      next.set(diagonal, x);
      if (x >= old.length && x - diagonal >= fresh.length) return walkedBack(trace, old.length, fresh.length);
    }
    reached = next;
  }
  return [...old.map(() => "removed" as const), ...fresh.map(() => "added" as const)];
}

function goesDown(reached: ReadonlyMap<number, number>, diagonal: number, distance: number): boolean {
  return (
    diagonal === -distance ||
    (diagonal !== distance && (reached.get(diagonal - 1) ?? -1) < (reached.get(diagonal + 1) ?? -1))
  );
}

function walkedBack(
  trace: readonly ReadonlyMap<number, number>[],
  oldLength: number,
  freshLength: number,
): DiffLine["kind"][] {
  const script: DiffLine["kind"][] = [];
  let x = oldLength;
  let y = freshLength;
  for (let distance = trace.length - 1; distance >= 0; distance--) {
    const reached = trace[distance]!;
    const down = goesDown(reached, x - y, distance);
    const from = down ? x - y + 1 : x - y - 1;
    const fromX = distance === 0 ? 0 : reached.get(from)!;
    const fromY = distance === 0 ? 0 : fromX - from;
    while (x > fromX && y > fromY) {
      script.push("same");
      x--;
      y--;
    }
    if (distance > 0) script.push(down ? "added" : "removed");
    x = fromX;
    y = fromY;
  }
  return script.reverse();
}

function folded(lines: readonly DiffLine[]): Hunk[] {
  const hunks: { skipped: number; lines: DiffLine[] }[] = [];
  let lastShown = -1;
  lines.forEach((_, index) => {
    const near = lines
      .slice(Math.max(0, index - CONTEXT_LINES), index + CONTEXT_LINES + 1)
      .some((line) => line.kind !== "same");
    if (!near) return;
    if (hunks.length === 0 || index !== lastShown + 1) hunks.push({ skipped: index - lastShown - 1, lines: [] });
    hunks.at(-1)!.lines.push(lines[index]!);
    lastShown = index;
  });
  return hunks;
}
