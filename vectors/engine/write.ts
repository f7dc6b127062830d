// Writes the outcome of the cases into engine.json, anew. To be run by hand, and only when outcomes are meant to change.
import { writeFileSync } from "node:fs";
import { engineCases } from "./cases.ts";
import { runEngineVector } from "./run.ts";

const lines = engineCases.map((one) => JSON.stringify({ ...one, ...runEngineVector(one) })).join(",\n");
writeFileSync(new URL("engine.json", import.meta.url), `{"spec": "core/engine", "cases": [\n${lines}\n]}\n`);
