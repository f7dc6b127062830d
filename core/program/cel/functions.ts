// Functions and macros.
import { durationMs, DURATION_FORM } from "../duration.ts";
import { LIST_ELEMENTS_MAX } from "../limits.ts";
import type { RuleScope } from "../scope.ts";
import { type Compilation, compileNode } from "./compile.ts";
import { countNode, followedNode, inSegmentNode, interestNode, sinceNode, sumNode } from "./leaves.ts";
import { didYouMean, FUNCTIONS, METHODS, ROOTS_OF } from "./names.ts";
import { type CelNode, joinLeaves, NO_LEAVES } from "./node.ts";
import type { ASTNode } from "./parse.ts";
import { BOOL, DOUBLE, DYN, FAULT, kindIs, LIST, listOf, STRING, type CelType, typeName } from "./value.ts";

const INSTEAD: Readonly<Record<string, string>> = {
  int: "every number is a double: leave int() out",
  uint: "every number is a double: leave uint() out",
  timestamp: "there are no timestamps: use since(), item.age_s, session.duration_s or context.hour",
  duration: 'durations are seconds: write 7 * 86400, or a window such as "7d"',
  matches: "there are no regular expressions: use contains(), startsWith() or endsWith()",
  dyn: "leave dyn() out: types that are not known are compared as they come",
  type: "there is no type(); use has()",
};

export function compileCall(ast: ASTNode, name: string, args: readonly ASTNode[], c: Compilation): CelNode {
  const reads = (): boolean => {
    if (ROOTS_OF[c.names.place].has("features")) return true;
    c.fault(ast, "cel_name", `\`${name}()\` reads the person; a feature's \`where\` can read \`event\` only`);
    return false;
  };
  switch (name) {
    case "count":
    case "sum": {
      if (!arity(ast, name, args, ["type", "window"], c) || !reads()) return unknownValue;
      const type = eventType(args[0]!, name, c);
      const window = duration(args[1]!, name, c);
      if (type === undefined || window === undefined) return unknownNumber;
      return name === "count" ? countNode(ast, type, window, c) : sumNode(ast, type, window, c);
    }
    case "since": {
      if (!arity(ast, name, args, ["type"], c) || !reads()) return unknownValue;
      const type = eventType(args[0]!, name, c);
      return type === undefined ? unknownNumber : sinceNode(type, c);
    }
    case "followed": {
      if (!arity(ast, name, args, ["type", "type", "window"], c) || !reads()) return unknownValue;
      const first = eventType(args[0]!, name, c);
      const second = eventType(args[1]!, name, c);
      const window = duration(args[2]!, name, c);
      if (first === undefined || second === undefined || window === undefined) return unknownValue;
      return followedNode(ast, { first, second, windowMs: window }, c);
    }
    case "interest": {
      if (!arity(ast, name, args, ["category"], c) || !reads()) return unknownValue;
      return interestNode(ast, compileNode(args[0]!, c), c);
    }
    case "in_segment": {
      if (!arity(ast, name, args, ["name"], c) || !reads()) return unknownValue;
      const segment = text(args[0]!, name, "the name of a segment", c);
      if (segment === undefined) return unknownValue;
      if (!c.names.segments.has(segment)) {
        return c.fault(
          args[0]!,
          "unknown_segment",
          `the program has no segment \`${segment}\`${didYouMean(segment, c.names.segments)}`,
        );
      }
      return inSegmentNode(segment, c);
    }
    case "has":
      return has(ast, args, c);
    case "size":
      return arity(ast, name, args, ["value"], c) ? size(ast, compileNode(args[0]!, c), c) : unknownValue;
    case "double":
      return arity(ast, name, args, ["value"], c) ? toDouble(ast, compileNode(args[0]!, c), c) : unknownValue;
    case "string":
      return arity(ast, name, args, ["value"], c) ? toText(ast, compileNode(args[0]!, c), c) : unknownValue;
    default: {
      const near = didYouMean(name, FUNCTIONS);
      const advice = INSTEAD[name] ?? (near === "" ? `there are ${FUNCTIONS.join(", ")}` : near.slice(2));
      return c.fault(ast, "unknown_function", `unknown function \`${name}()\`; ${advice}`);
    }
  }
}

const unknownValue: CelNode = { type: DYN, read: () => FAULT, leaves: NO_LEAVES };
const unknownNumber: CelNode = { type: DOUBLE, read: () => FAULT, leaves: NO_LEAVES };

function arity(
  ast: ASTNode,
  name: string,
  args: readonly ASTNode[],
  wanted: readonly string[],
  c: Compilation,
): boolean {
  if (args.length === wanted.length) return true;
  c.fault(ast, "cel_arguments", `\`${name}\` is written \`${name}(${wanted.join(", ")})\``);
  return false;
}

function text(arg: ASTNode, of: string, what: string, c: Compilation): string | undefined {
  if (arg.op === "value" && typeof arg.args === "string") return arg.args;
  c.fault(arg, "cel_arguments", `\`${of}()\` needs ${what} here, written as a string in quotes`);
  return undefined;
}

function eventType(arg: ASTNode, of: string, c: Compilation): string | undefined {
  const type = text(arg, of, "an event type", c);
  if (type === undefined || c.names.eventTypes.has(type)) return type;
  const near = didYouMean(type, c.names.eventTypes);
  c.fault(
    arg,
    "unknown_event_type",
    `unknown event type \`${type}\`${near === "" ? "; declare it under `events`" : near}`,
  );
  return undefined;
}

function duration(arg: ASTNode, of: string, c: Compilation): number | undefined {
  const written = text(arg, of, "a window", c);
  if (written === undefined) return undefined;
  const ms = durationMs(written);
  if (ms === undefined) c.fault(arg, "bad_duration", `\`${written}\` is no duration: write ${DURATION_FORM}`);
  return ms;
}

function has(ast: ASTNode, args: readonly ASTNode[], c: Compilation): CelNode {
  if (!arity(ast, "has", args, ["value.field"], c)) return unknownValue;
  const [arg] = args as [ASTNode];
  if (arg.op !== "." && arg.op !== "[]") {
    const name = arg.op === "id" ? `; write has(attributes.${arg.args})` : "";
    return c.fault(arg, "cel_arguments", `\`has()\` needs a field, e.g. has(event.value)${name}`);
  }
  const { read, leaves } = compileNode(arg, c);
  return { type: BOOL, leaves, read: (scope) => read(scope) !== FAULT };
}

function size(ast: ASTNode, node: CelNode, c: Compilation): CelNode {
  if (!kindIs(node.type, "string") && !kindIs(node.type, "list") && !kindIs(node.type, "map")) {
    return c.fault(ast, "cel_type", `\`size()\` needs a string, a list or a map, this is a ${typeName(node.type)}`);
  }
  const { read, leaves } = node;
  return {
    type: DOUBLE,
    leaves,
    read: (scope) => {
      const value = read(scope);
      if (typeof value === "string") return codePoints(value);
      if (Array.isArray(value)) return value.length;
      return typeof value === "object" && value !== null ? Object.keys(value).length : FAULT;
    },
  };
}

function codePoints(value: string): number {
  let count = value.length;
  for (let i = 0; i + 1 < value.length; i++) {
    if ((value.charCodeAt(i) & 0xfc00) === 0xd800 && (value.charCodeAt(i + 1) & 0xfc00) === 0xdc00) count--;
  }
  return count;
}

function toDouble(ast: ASTNode, node: CelNode, c: Compilation): CelNode {
  if (!kindIs(node.type, "double") && !kindIs(node.type, "string")) {
    return c.fault(ast, "cel_type", `\`double()\` needs a number or a string, this is a ${typeName(node.type)}`);
  }
  const { read } = node;
  const { constant, ...moving } = node;
  // A text that is no number is no constant: it fails wherever it is read.
  const number = constant === undefined ? FAULT : numberOf(constant);
  return {
    ...moving,
    type: DOUBLE,
    ...(number === FAULT ? {} : { constant: number }),
    read: (scope) => numberOf(read(scope)),
  };
}

function numberOf(value: unknown): number | typeof FAULT {
  if (typeof value !== "string") return typeof value === "number" ? value : FAULT;
  const number = value.trim() === "" ? NaN : Number(value);
  return number === number ? number : FAULT;
}

function toText(ast: ASTNode, node: CelNode, c: Compilation): CelNode {
  if (node.type.kind === "list" || node.type.kind === "map" || node.type.kind === "null") {
    return c.fault(
      ast,
      "cel_type",
      `\`string()\` needs a number, a string or a condition, this is a ${typeName(node.type)}`,
    );
  }
  const { read, leaves } = node;
  return {
    type: STRING,
    leaves,
    read: (scope) => {
      const value = read(scope);
      return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
        ? String(value)
        : FAULT;
    },
  };
}

export function compileMethod(
  ast: ASTNode,
  name: string,
  operand: ASTNode,
  args: readonly ASTNode[],
  c: Compilation,
): CelNode {
  switch (name) {
    case "contains":
    case "startsWith":
    case "endsWith":
      return arity(ast, name, args, ["text"], c)
        ? search(ast, name, compileNode(operand, c), compileNode(args[0]!, c), c)
        : unknownValue;
    case "size":
      return arity(ast, name, args, [], c) ? size(ast, compileNode(operand, c), c) : unknownValue;
    case "lowerAscii":
    case "upperAscii":
      return arity(ast, name, args, [], c) ? caseOf(ast, name, compileNode(operand, c), c) : unknownValue;
    case "exists":
    case "all":
    case "exists_one":
    case "filter":
      return arity(ast, name, args, ["variable", "condition"], c) ? macro(ast, name, operand, args, c) : unknownValue;
    case "map":
      return arity(ast, name, args, ["variable", "value"], c) ? macro(ast, name, operand, args, c) : unknownValue;
    default: {
      const advice = INSTEAD[name] ?? (didYouMean(name, METHODS).slice(2) || `there are ${METHODS.join(", ")}`);
      return c.fault(ast, "unknown_function", `unknown method \`${name}()\`; ${advice}`);
    }
  }
}

function search(ast: ASTNode, name: string, holder: CelNode, part: CelNode, c: Compilation): CelNode {
  if (!kindIs(holder.type, "string") || !kindIs(part.type, "string")) {
    const advice = holder.type.kind === "list" ? "; for a list write value in list" : "";
    return c.fault(
      ast,
      "cel_type",
      `\`${name}()\` works on strings, here it is ${typeName(holder.type)}.${name}(${typeName(part.type)})${advice}`,
    );
  }
  const a = holder.read;
  const b = part.read;
  return {
    type: BOOL,
    leaves: joinLeaves(holder, part),
    read: (scope) => {
      const value = a(scope);
      const wanted = b(scope);
      if (typeof value !== "string" || typeof wanted !== "string") return FAULT;
      return name === "contains"
        ? value.includes(wanted)
        : name === "startsWith"
          ? value.startsWith(wanted)
          : value.endsWith(wanted);
    },
  };
}

// ASCII letters only, whatever the locale: the same text in every host.
function caseOf(ast: ASTNode, name: "lowerAscii" | "upperAscii", node: CelNode, c: Compilation): CelNode {
  if (!kindIs(node.type, "string"))
    return c.fault(ast, "cel_type", `\`${name}()\` works on strings, this is a ${typeName(node.type)}`);
  const [first, last, shift] = name === "lowerAscii" ? [65, 90, 32] : [97, 122, -32];
  const { read, leaves } = node;
  return {
    type: STRING,
    leaves,
    read: (scope) => {
      const value = read(scope);
      if (typeof value !== "string") return FAULT;
      let changed = "";
      for (let i = 0; i < value.length; i++) {
        const code = value.charCodeAt(i);
        changed += code >= first && code <= last ? String.fromCharCode(code + shift) : value.charAt(i);
      }
      return changed;
    },
  };
}

type Macro = "exists" | "all" | "exists_one" | "filter" | "map";

function macro(ast: ASTNode, name: Macro, operand: ASTNode, args: readonly ASTNode[], c: Compilation): CelNode {
  const holder = compileNode(operand, c);
  if (!kindIs(holder.type, "list"))
    return c.fault(ast, "cel_type", `\`${name}()\` works on lists, this is a ${typeName(holder.type)}`);
  const [variable, body] = args as [ASTNode, ASTNode];
  if (variable.op !== "id")
    return c.fault(variable, "cel_arguments", `\`${name}()\` needs a name for the element first`);
  const element: CelType = holder.type.element ?? DYN;
  const depth = c.variables.length;
  const inner = c.within({ name: variable.args, type: element }, body);
  if (name !== "map" && !kindIs(inner.type, "bool")) {
    return c.fault(body, "cel_type", `\`${name}()\` needs a condition, this is a ${typeName(inner.type)}`);
  }
  const { read } = holder;
  const leaves = joinLeaves(holder, inner);
  const type =
    name === "filter" ? (holder.type.kind === "list" ? holder.type : LIST) : name === "map" ? listOf(inner.type) : BOOL;
  const run = name === "map" || name === "filter" ? collect(name, inner, depth) : quantify(name, inner, depth);
  return {
    type,
    leaves,
    read: (scope) => {
      const values = read(scope);
      return Array.isArray(values) && values.length <= LIST_ELEMENTS_MAX ? run(scope, values) : FAULT;
    },
  };
}

type Run = (scope: RuleScope, values: readonly unknown[]) => unknown;

function quantify(name: "exists" | "all" | "exists_one", inner: CelNode, depth: number): Run {
  return (scope, values) => {
    let found = 0;
    let sound = true;
    for (const value of values) {
      scope.bound[depth] = value;
      const holds = inner.read(scope);
      if (typeof holds !== "boolean") sound = false;
      else if (holds && name === "exists") return true;
      else if (!holds && name === "all") return false;
      if (holds === true) found++;
    }
    if (!sound) return FAULT;
    return name === "all" || (name === "exists_one" && found === 1);
  };
}

function collect(name: "map" | "filter", inner: CelNode, depth: number): Run {
  return (scope, values) => {
    const out: unknown[] = [];
    for (const value of values) {
      scope.bound[depth] = value;
      const result = inner.read(scope);
      if (result === FAULT || (name === "filter" && typeof result !== "boolean")) return FAULT;
      if (name === "map") out.push(result);
      else if (result === true) out.push(value);
    }
    return out;
  };
}
