// Writes the outcome of the cases into person.json, anew. To be run by hand, and only when the bytes are meant to change:
// bytes once stored are for ever, so a change needs a new format number and the old vectors kept beside the new ones.
import { writeFileSync } from "node:fs";
import { personCases } from "./person-cases.ts";
import { runPersonVector } from "./run.ts";

const cases = personCases.map((one) => ({ ...one, ...runPersonVector(one) }));
const lines = cases.map((one) => JSON.stringify(one)).join(",\n");
writeFileSync(new URL("person.json", import.meta.url), `{"spec": "core/profile", "cases": [\n${lines}\n]}\n`);
