// From a syntax tree to closures, with all faults at once.
//
// Semantics are CEL's, with three differences that make programs simpler: every number is a double; a bare name that
// means nothing else reads the person's attribute; an evaluation that fails makes the whole condition false.
import { EXPRESSION_COST_MAX, LIST_COST } from "../limits.ts";
import type { ReadSet, Rule } from "../rule.ts";
import type { RuleScope } from "../scope.ts";
import { compileCall, compileMethod } from "./functions.ts";
import type { NamesOfProgram } from "./names.ts";
import { type CelNode, joinLeaves, NO_LEAVES, type Read } from "./node.ts";
import { and, arithmetic, comparison, equality, membership, negate, not, or, ternary } from "./operators.ts";
import { type ASTNode, type CelFault, nodesIn, parseCel } from "./parse.ts";
import { compileIndex, compileName, compileSelect } from "./select.ts";
import { changeOf } from "./time.ts";
import { type CelType, BOOL, DOUBLE, DYN, FAULT, kindIs, listOf, NULL, STRING, typeName } from "./value.ts";

/** What the compilation of one expression gathers. */
export class Compilation {
  readonly names: NamesOfProgram;
  readonly faults: CelFault[] = [];
  readonly eventTypes = new Set<string>();
  readonly segments = new Set<string>();
  anyEvent = false;
  interests = false;
  attributes = false;
  context = false;
  /** Variables bound by the macros around, innermost last. */
  readonly variables: { name: string; type: CelType }[] = [];
  cost = 0;
  #weight = 1;

  constructor(names: NamesOfProgram) {
    this.names = names;
  }

  /** Reports a fault and goes on with a node that may be anything, so that one fault hides no other. */
  fault(at: ASTNode | number, code: string, message: string): CelNode {
    const position = typeof at === "number" ? at : at.start;
    this.faults.push({ code, message: `${message} (at character ${position + 1})`, position });
    return { type: DYN, read: () => FAULT, leaves: NO_LEAVES };
  }

  spend(): void {
    this.cost += this.#weight;
  }

  /** Compiles what a macro evaluates for each element, with the variable bound. */
  within(variable: { name: string; type: CelType }, body: ASTNode): CelNode {
    this.variables.push(variable);
    this.#weight *= LIST_COST;
    const node = compileNode(body, this);
    this.#weight /= LIST_COST;
    this.variables.pop();
    return node;
  }
}

/** Compiles one node and what is beneath it. */
export function compileNode(ast: ASTNode, c: Compilation): CelNode {
  c.spend();
  switch (ast.op) {
    case "value":
      return literal(ast, ast.args, c);
    case "id":
      return compileName(ast, ast.args, c);
    case ".":
      return compileSelect(ast, ast.args[0], ast.args[1], c);
    case "[]":
      return compileIndex(ast, ast.args[0], ast.args[1], c);
    case "call":
      return compileCall(ast, ast.args[0], ast.args[1], c);
    case "rcall":
      return compileMethod(ast, ast.args[0], ast.args[1], ast.args[2], c);
    case "list":
      return list(ast.args, c);
    case "&&":
      return and(junction(ast, "&&", c));
    case "||":
      return or(junction(ast, "||", c));
    case "!_":
      return not(ast, compileNode(ast.args, c), c);
    case "-_":
      return negate(ast, compileNode(ast.args, c), c);
    case "?:":
      return ternary(ast, ast.args.map((part) => compileNode(part, c)) as [CelNode, CelNode, CelNode], c);
    case "==":
    case "!=":
      return equality(ast, compileNode(ast.args[0], c), compileNode(ast.args[1], c), c);
    case "<":
    case "<=":
    case ">":
    case ">=":
      return comparison(ast, compileNode(ast.args[0], c), compileNode(ast.args[1], c), c);
    case "+":
    case "-":
    case "*":
    case "/":
    case "%":
      return arithmetic(ast, compileNode(ast.args[0], c), compileNode(ast.args[1], c), c);
    case "in":
      return membership(ast, compileNode(ast.args[0], c), compileNode(ast.args[1], c), c);
    case "map":
      return c.fault(ast, "not_supported", "map literals are not supported in rules; compare the fields one by one");
    default:
      return c.fault(ast, "not_supported", "optional access (.? and [?]) is not supported; use has()");
  }
}

function literal(ast: ASTNode, value: unknown, c: Compilation): CelNode {
  switch (typeof value) {
    case "bigint": {
      const number = Number(value);
      if (!Number.isSafeInteger(number)) {
        return c.fault(ast, "number_too_large", `${value} is larger than a double can hold exactly`);
      }
      return constantNode(DOUBLE, number);
    }
    case "number":
      return constantNode(DOUBLE, value);
    case "string":
      return constantNode(STRING, value);
    case "boolean":
      return constantNode(BOOL, value);
    default:
      if (value === null) return constantNode(NULL, null);
      if (value instanceof Uint8Array) return c.fault(ast, "not_supported", "bytes are not supported; write a string");
      return c.fault(ast, "not_supported", "every number is a double: leave out the `u`");
  }
}

function constantNode(type: CelType, constant: unknown): CelNode {
  return { type, constant, leaves: NO_LEAVES, read: () => constant };
}

function list(elements: readonly ASTNode[], c: Compilation): CelNode {
  const nodes = elements.map((element) => compileNode(element, c));
  const first = nodes[0]?.type ?? DYN;
  const same = nodes.every((node) => node.type.kind === first.kind);
  const type = listOf(same ? first : DYN);
  if (nodes.every((node) => node.constant !== undefined)) {
    const constant = nodes.map((node) => node.constant);
    return { type, constant, leaves: NO_LEAVES, read: () => constant };
  }
  const reads: readonly Read[] = nodes.map((node) => node.read);
  return {
    type,
    leaves: joinLeaves(...nodes),
    read: (scope) => {
      const values: unknown[] = [];
      for (const read of reads) {
        const value = read(scope);
        if (value === FAULT) return FAULT;
        values.push(value);
      }
      return values;
    },
  };
}

/** The parts of `a && b && c` in a row, each a condition. */
function junction(ast: ASTNode, op: "&&" | "||", c: Compilation): CelNode[] {
  const parts: CelNode[] = [];
  const visit = (part: ASTNode): void => {
    if (part.op === op) {
      visit(part.args[0]);
      visit(part.args[1]);
      return;
    }
    const node = compileNode(part, c);
    parts.push(
      kindIs(node.type, "bool")
        ? node
        : c.fault(part, "cel_type", `\`${op}\` needs conditions, this is a ${typeName(node.type)}`),
    );
  };
  visit(ast);
  return parts;
}

/** Never throws; an evaluation error is false. */
export type Holds = (scope: RuleScope) => boolean;

/** A condition in two: it holds where both do. */
export interface ItemCondition {
  /** What it asks without the item: for a list it need be asked but once. */
  readonly visitor: Holds;
  readonly item: Holds;
}

export interface CompiledCondition {
  readonly rule: Rule;
  readonly ast: ASTNode;
  /** The same condition by what its parts read. */
  readonly byItem: () => ItemCondition;
}

export type CompiledCel = CompiledCondition | { faults: CelFault[] };

/** Compiles a condition. Answers every fault of the text, or a rule that never throws. */
export function compileCondition(text: string, names: NamesOfProgram): CompiledCel {
  const parsed = parseCel(text);
  if ("fault" in parsed) return { faults: [parsed.fault] };
  const c = new Compilation(names);
  const node = compileNode(parsed.ast, c);
  if (c.faults.length === 0 && !kindIs(node.type, "bool")) {
    c.fault(0, "cel_type", `this is a ${typeName(node.type)}, a condition (true or false) is needed`);
  }
  if (c.cost > EXPRESSION_COST_MAX) {
    c.fault(
      0,
      "expression_too_complex",
      `this costs ${c.cost}, at most ${EXPRESSION_COST_MAX} is allowed; ` +
        "split it into segments and read them with in_segment()",
    );
  }
  if (c.faults.length > 0) return { faults: c.faults };
  const { read } = node;
  const reads: ReadSet = {
    eventTypes: c.eventTypes,
    anyEvent: c.anyEvent,
    interests: c.interests,
    attributes: c.attributes,
    context: c.context,
    segments: c.segments,
    time: node.leaves.length > 0,
  };
  const rule: Rule = {
    reads,
    holds: (scope: RuleScope) => read(scope) === true,
    nextChangeMs: changeOf(node),
  };
  return { rule, ast: parsed.ast, byItem: () => byItem(parsed.ast, names) };
}

function byItem(ast: ASTNode, names: NamesOfProgram): ItemCondition {
  const parts = conjunctsOf(ast);
  const all = (chosen: readonly ASTNode[]): Holds => {
    const reads = chosen.map((part) => compileNode(part, new Compilation(names)).read);
    if (reads.length === 1) return (scope) => reads[0]!(scope) === true;
    return (scope) => {
      for (let i = 0; i < reads.length; i++) if (reads[i]!(scope) !== true) return false;
      return true;
    };
  };
  return { visitor: all(parts.filter((part) => !namesItem(part))), item: all(parts.filter(namesItem)) };
}

function conjunctsOf(ast: ASTNode): ASTNode[] {
  return ast.op === "&&" ? ast.args.flatMap(conjunctsOf) : [ast];
}

/** True also where a macro's variable has that name: it is asked of each item then, which is right in any case. */
function namesItem({ op, args }: ASTNode): boolean {
  return op === "id" ? args === "item" : nodesIn(args).some(namesItem);
}
