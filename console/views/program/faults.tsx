// Every fault, or every warning, of the draft with its place; each is a button that leads there.
import type { ProgramFault } from "../../api/types.ts";
import { Card } from "../../parts/card.tsx";
import { Icon } from "../../parts/icon.tsx";
import { Words } from "../../parts/words.tsx";
import type { Span } from "../../program/json-positions.ts";

export interface PlacedFault extends ProgramFault {
  readonly span: Span;
  readonly line: number;
  readonly column: number;
}

const NOTES = {
  fault: "the saved program stays as it is until there is none",
  warning: "it can be saved like this, but should not be where visitors are real",
} as const;

interface Props {
  faults: readonly PlacedFault[];
  onJump: (span: Span) => void;
  kind?: keyof typeof NOTES;
}

export function Faults({ faults, onJump, kind = "fault" }: Props) {
  return (
    <Card
      title={faults.length === 1 ? `1 ${kind}` : `${faults.length} ${kind}s`}
      note={NOTES[kind]}
      flush
      className={`faults ${kind}s`}
    >
      <div role={kind === "fault" ? "alert" : undefined}>
        <ul>
          {faults.map((fault, index) => (
            <li key={index}>
              <button type="button" onClick={() => onJump(fault.span)}>
                <Icon name="warning" />
                <span class="num faint line">line {fault.line}</span>
                <span class="fault-text">
                  <span>
                    <Words text={fault.message} />
                  </span>{" "}
                  <code class="faint">{fault.path === "" ? "document" : fault.path}</code>
                </span>
                <Icon name="right" />
              </button>
            </li>
          ))}
        </ul>
      </div>
    </Card>
  );
}
