// Names that stand alone and so read an attribute of the visitor, where something else bears the same name: `price < 50` in a
// placement, `device == "mobile"`, `interest(lamps)`. No fault, as a site may have such an attribute; whoever saves it should know.
import {
  CONTEXT_FIELDS,
  EVENT_FIELDS,
  EVENT_ITEM_FIELDS,
  ITEM_FIELDS,
  type Place,
  ROOTS,
  ROOTS_OF,
  SESSION_FIELDS,
} from "./cel/names.ts";
import { type ASTNode, parseCel } from "./cel/parse.ts";
import { expressionsOf } from "./expressions.ts";
import type { ProgramDocument, ProgramFault } from "./program.ts";

/** Nearest to what is asked first: in a placement `price` is the item's. */
const FIELDS_OF = [
  ["event", EVENT_FIELDS],
  ["item", ITEM_FIELDS],
  ["context", CONTEXT_FIELDS],
  ["session", SESSION_FIELDS],
] as const;
/** Methods whose first argument names the element for the second. */
const MACROS: ReadonlySet<string> = new Set(["exists", "all", "exists_one", "filter", "map"]);

/** @param document - one without faults. */
export function bareNames(document: ProgramDocument): ProgramFault[] {
  return expressionsOf(document).flatMap(({ path, text, place }) => {
    const parsed = text === undefined ? undefined : parseCel(text);
    if (parsed === undefined || "fault" in parsed) return [];
    return namesIn(parsed.ast, []).flatMap(({ name, position, isInterest }) => {
      const meant = isInterest ? `interest("${name}")` : fieldOf(name, place);
      if (meant === undefined) return [];
      const message = `\`${name}\` alone is the visitor's attribute: write \`${meant}\`, or \`attributes.${name}\` if that is meant`;
      return [{ path, code: "bare_name", message: `${message} (at character ${position + 1})`, position }];
    });
  });
}

/** What bears the name in this place: `item.price`. */
function fieldOf(name: string, place: Place): string | undefined {
  const roots = ROOTS_OF[place];
  const fieldsOf = (root: string, fields: object): object =>
    root === "item" && roots.has("event") ? EVENT_ITEM_FIELDS : fields;
  const holder = FIELDS_OF.find(([root, fields]) => roots.has(root) && Object.hasOwn(fieldsOf(root, fields), name));
  return holder === undefined ? undefined : `${holder[0]}.${name}`;
}

interface BareName {
  name: string;
  position: number;
  /** It is what `interest()` is asked for. */
  isInterest: boolean;
}

/** Every bare name in an expression that is neither a word of its own nor a macro's variable. */
function namesIn(ast: ASTNode, bound: readonly string[]): BareName[] {
  const all = (nodes: readonly ASTNode[]): BareName[] => nodes.flatMap((node) => namesIn(node, bound));
  switch (ast.op) {
    case "value":
      return [];
    case "id":
      if (bound.includes(ast.args) || (ROOTS as readonly string[]).includes(ast.args)) return [];
      return [{ name: ast.args, position: ast.start, isInterest: false }];
    case ".":
    case ".?":
      return namesIn(ast.args[0], bound);
    case "call":
      if (ast.args[0] !== "interest" || ast.args[1][0]?.op !== "id") return all(ast.args[1]);
      return all(ast.args[1]).map((found) => ({ ...found, isInterest: true }));
    case "rcall": {
      const [method, operand, args] = ast.args;
      const [variable, ...bodies] = args;
      if (!MACROS.has(method) || variable?.op !== "id") return all([operand, ...args]);
      return [...namesIn(operand, bound), ...bodies.flatMap((body) => namesIn(body, [...bound, variable.args]))];
    }
    case "list":
    case "?:":
      return all(ast.args);
    case "map":
      return ast.args.flatMap(all);
    case "!_":
    case "-_":
      return namesIn(ast.args, bound);
    default:
      return all(ast.args);
  }
}
