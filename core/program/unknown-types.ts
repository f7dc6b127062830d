// Event types that a rule asks an event for and that no event can have: `event.event_type == "purchse"` never holds. `count()` of
// such a type is a fault; this is none, as programs that were saved before must go on. Whoever saves it should know.
import { BUILT_IN_EVENT_TYPES } from "../event/event.ts";
import { didYouMean } from "./cel/names.ts";
import { type ASTNode, nodesIn, parseCel } from "./cel/parse.ts";
import { expressionsOf } from "./expressions.ts";
import type { ProgramDocument, ProgramFault } from "./program.ts";

/** @param document - one without faults. */
export function unknownTypes(document: ProgramDocument): ProgramFault[] {
  const known: ReadonlySet<string> = new Set([...BUILT_IN_EVENT_TYPES, ...Object.keys(document.events ?? {})]);
  return expressionsOf(document).flatMap(({ path, text }) => {
    const parsed = text === undefined ? undefined : parseCel(text);
    if (parsed === undefined || "fault" in parsed) return [];
    return typesIn(parsed.ast).flatMap(({ type, position }) => {
      if (known.has(type)) return [];
      const near = didYouMean(type, known);
      const message = `no event is of type \`${type}\`${near === "" ? ": declare it under `events`" : near}`;
      return [{ path, code: "unknown_event_type", message: `${message} (at character ${position + 1})`, position }];
    });
  });
}

/** The strings that `event.event_type` is compared with, anywhere in the expression. */
function typesIn(ast: ASTNode): { type: string; position: number }[] {
  switch (ast.op) {
    case "==":
    case "!=": {
      const [left, right] = ast.args;
      return isEventType(left) ? stringsOf([right]) : isEventType(right) ? stringsOf([left]) : [...typesIn(left), ...typesIn(right)];
    }
    case "in": {
      const [left, right] = ast.args;
      return isEventType(left) && right.op === "list" ? stringsOf(right.args) : [...typesIn(left), ...typesIn(right)];
    }
    default:
      return nodesIn(ast.args).flatMap(typesIn);
  }
}

function isEventType({ op, args }: ASTNode): boolean {
  return op === "." && args[1] === "event_type" && args[0].op === "id" && args[0].args === "event";
}

function stringsOf(nodes: readonly ASTNode[]): { type: string; position: number }[] {
  return nodes.flatMap(({ op, args, start }) => (op === "value" && typeof args === "string" ? [{ type: args, position: start }] : []));
}
