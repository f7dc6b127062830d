// Where a document has expressions: warnings ask each of them.
import type { Place } from "./cel/names.ts";
import { at } from "./faults.ts";
import type { ProgramDocument } from "./program.ts";

/** An expression of a document, and where it stands. */
export interface Expression {
  path: string;
  text: string | undefined;
  place: Place;
}

/** Every expression of a document. */
export function expressionsOf(document: ProgramDocument): Expression[] {
  const { features = {}, segments = {}, triggers = {}, placements = {}, slots = {}, experiments = {} } = document;
  const found: Expression[] = [];
  const add = (path: string, text: string | undefined, place: Place): void => void found.push({ path, text, place });
  for (const [name, { where }] of Object.entries(features)) add(at(at("/features", name), "where"), where, "where");
  for (const [name, segment] of Object.entries(segments)) {
    if ("when" in segment) add(at(at("/segments", name), "when"), segment.when, "segment");
  }
  for (const [name, { when }] of Object.entries(triggers)) add(at(at("/triggers", name), "when"), when, "trigger");
  for (const [name, { filter, boost = [], pin = [] }] of Object.entries(placements)) {
    const path = at("/placements", name);
    add(at(path, "filter"), filter, "item");
    for (const [i, { when }] of boost.entries()) add(at(at(at(path, "boost"), i), "when"), when, "item");
    for (const [i, { when }] of pin.entries()) add(at(at(at(path, "pin"), i), "when"), when, "item");
  }
  for (const [name, { rules = [], reward }] of Object.entries(slots)) {
    const path = at("/slots", name);
    for (const [i, { when }] of rules.entries()) add(at(at(at(path, "rules"), i), "when"), when, "slot");
    add(at(at(path, "reward"), "when"), reward?.when, "where");
  }
  for (const [name, { when, metrics }] of Object.entries(experiments)) {
    const path = at("/experiments", name);
    add(at(path, "when"), when, "slot");
    for (const [metric, { where }] of Object.entries(metrics)) add(at(at(at(path, "metrics"), metric), "where"), where, "where");
  }
  return found;
}
