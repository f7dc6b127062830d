// The parts of the document and what is in them: a table of contents that jumps.
import { useState } from "preact/hooks";
import { Card } from "../../parts/card.tsx";
import { Icon } from "../../parts/icon.tsx";
import type { JsonText, Span } from "../../program/json-positions.ts";

interface Part {
  readonly name: string;
  readonly span: Span;
  readonly members: readonly { name: string; span: Span }[];
}

export function Outline({ json, onJump }: { json: JsonText; draft: string; onJump: (span: Span) => void }) {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const parts = json.positions === undefined ? undefined : partsOf(json.positions);
  const toggle = (name: string): void => {
    const next = new Set(open);
    if (!next.delete(name)) next.add(name);
    setOpen(next);
  };
  return (
    <Card title="Contents" flush>
      {parts === undefined ? (
        <p class="soft pad">The text is not JSON at the moment; the fault says where.</p>
      ) : (
        <ul class="outline">
          {parts.map((part) => (
            <li key={part.name}>
              <div class="outline-part">
                {part.members.length > 0 ? (
                  <button
                    type="button"
                    class="twist"
                    aria-expanded={open.has(part.name)}
                    aria-label={`${part.name}: show its parts`}
                    onClick={() => toggle(part.name)}
                  >
                    <Icon name="right" size={12} />
                  </button>
                ) : (
                  <span class="twist" />
                )}
                <button type="button" onClick={() => onJump(part.span)}>
                  {part.name}
                </button>
                <span class="faint num">{part.members.length > 0 ? part.members.length : ""}</span>
              </div>
              {open.has(part.name) ? (
                <ul>
                  {part.members.map((member) => (
                    <li key={member.name}>
                      <button type="button" class="member" onClick={() => onJump(member.span)}>
                        {member.name}
                      </button>
                    </li>
                  ))}
                </ul>
              ) : null}
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function partsOf(positions: ReadonlyMap<string, Span>): Part[] {
  const parts = new Map<string, { name: string; span: Span; members: { name: string; span: Span }[] }>();
  const ordered = [...positions].sort(([, a], [, b]) => a.start - b.start);
  for (const [pointer, span] of ordered) {
    const [, part, member, ...deeper] = pointer.split("/");
    if (part === undefined || deeper.length > 0) continue;
    if (member === undefined) parts.set(part, { name: named(part), span, members: [] });
    else parts.get(part)?.members.push({ name: named(member), span });
  }
  return [...parts.values()];
}

function named(part: string): string {
  return part.replaceAll("~1", "/").replaceAll("~0", "~");
}
