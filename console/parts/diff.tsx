// A unified diff that reads without colour too: signs, both line numbers, folded context.
import { useMemo } from "preact/hooks";
import { diffLines, type DiffLine } from "../program/line-diff.ts";

const SIGNS: Readonly<Record<DiffLine["kind"], string>> = { same: " ", added: "+", removed: "−" };
const NAMES: Readonly<Record<DiffLine["kind"], string>> = { same: "", added: "added", removed: "removed" };

export function Diff({ before, after, label }: { before: string; after: string; label: string }) {
  const diff = useMemo(() => diffLines(before, after), [before, after]);
  if (diff.hunks.length === 0) return <p class="soft pad">No difference.</p>;
  return (
    <div class="diff" role="region" aria-label={label} tabIndex={0}>
      <table>
        {diff.hunks.map((hunk, index) => (
          <tbody key={index}>
            {hunk.skipped > 0 ? (
              <tr class="skipped">
                <td colSpan={4}>
                  {hunk.skipped} unchanged {hunk.skipped === 1 ? "line" : "lines"}
                </td>
              </tr>
            ) : null}
            {hunk.lines.map((line, row) => (
              <tr key={row} class={line.kind}>
                <td class="at num">{line.before ?? ""}</td>
                <td class="at num">{line.after ?? ""}</td>
                <td class="sign">
                  <span aria-hidden="true">{SIGNS[line.kind]}</span>
                  <span class="sr">{NAMES[line.kind]}</span>
                </td>
                <td class="text">{line.text}</td>
              </tr>
            ))}
          </tbody>
        ))}
      </table>
    </div>
  );
}

export function DiffCount({ before, after }: { before: string; after: string }) {
  const { added, removed } = useMemo(() => diffLines(before, after), [before, after]);
  return (
    <span class="num">
      <span class="plus">+{added}</span> <span class="minus">−{removed}</span>
    </span>
  );
}
