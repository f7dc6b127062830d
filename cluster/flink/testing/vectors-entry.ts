// The golden vectors as one call with strings: for a V8 that has nothing else.
import { type EngineVector, runEngineVectors } from "../../../vectors/engine/run.ts";
import { runVectors, type VectorFile } from "../../../vectors/run.ts";

/** What differs, as JSON; `[]` when every case comes out bit for bit. */
export function run(personFile: string, engineFile: string): string {
  const person = JSON.parse(personFile) as Pick<VectorFile, "cases">;
  const engine = JSON.parse(engineFile) as { cases: EngineVector[] };
  const counts = person.cases.length === 0 || engine.cases.length === 0 ? ["a file has no cases"] : [];
  return JSON.stringify([
    ...counts,
    ...runVectors([{ name: "person.json", cases: person.cases }]),
    ...runEngineVectors(engine.cases),
  ]);
}
