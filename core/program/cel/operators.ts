// Operators: logic with CEL's rule that one part may decide although another failed, comparisons, arithmetic.
import { seriesCount, seriesFallsMs } from "../../profile/series.ts";
import type { RuleScope } from "../scope.ts";
import type { Compilation } from "./compile.ts";
import {
  type CelNode,
  type Counted,
  driftOf,
  joinLeaves,
  NO_LEAVES,
  rateOf,
  type Read,
  slopeOf,
  together,
} from "./node.ts";
import type { ASTNode } from "./parse.ts";
import {
  anyChangeOf,
  changeOf,
  comparisonChangeOf,
  equalityChangeOf,
  junctionChangeOf,
  steadyChangeOf,
} from "./time.ts";
import {
  BOOL,
  type CelType,
  celEquals,
  comparable,
  DOUBLE,
  DYN,
  FAULT,
  kindIs,
  LIST,
  STRING,
  typeName,
} from "./value.ts";

/** A condition; folded to its value where nothing in it can change. */
function condition(read: Read, parts: readonly CelNode[], nextMs?: (scope: RuleScope) => number): CelNode {
  if (parts.every((part) => part.constant !== undefined)) {
    const constant = read(undefined as never);
    if (constant !== FAULT) return { type: BOOL, constant, read: () => constant, leaves: NO_LEAVES };
  }
  const leaves = joinLeaves(...parts);
  return nextMs === undefined || leaves.length === 0
    ? { type: BOOL, read, leaves }
    : { type: BOOL, read, leaves, nextMs };
}

export function and(parts: readonly CelNode[]): CelNode {
  return condition(junctionRead(parts, false), parts, junctionChangeOf(parts, false));
}

export function or(parts: readonly CelNode[]): CelNode {
  return condition(junctionRead(parts, true), parts, junctionChangeOf(parts, true));
}

function junctionRead(parts: readonly CelNode[], decides: boolean): Read {
  const reads = parts.map((part) => part.read);
  if (reads.length === 2) {
    const [first, second] = reads as [Read, Read];
    return (scope) => {
      const a = first(scope);
      if (a === decides) return decides;
      const b = second(scope);
      if (b === decides) return decides;
      return a === !decides && b === !decides ? b : FAULT;
    };
  }
  return (scope) => {
    let sound = true;
    for (let i = 0; i < reads.length; i++) {
      const value = reads[i]!(scope);
      if (value === decides) return decides;
      if (value !== !decides) sound = false;
    }
    return sound ? !decides : FAULT;
  };
}

export function not(ast: ASTNode, part: CelNode, c: Compilation): CelNode {
  if (!kindIs(part.type, "bool"))
    return c.fault(ast, "cel_type", `\`!\` needs a condition, this is a ${typeName(part.type)}`);
  const { read } = part;
  const changeMs = changeOf(part);
  return condition(
    (scope) => {
      const value = read(scope);
      return typeof value === "boolean" ? !value : FAULT;
    },
    [part],
    (scope) => {
      const next = changeMs(scope);
      scope.verdict = typeof scope.verdict === "boolean" ? !scope.verdict : FAULT;
      return next;
    },
  );
}

export function ternary(ast: ASTNode, [test, yes, no]: readonly [CelNode, CelNode, CelNode], c: Compilation): CelNode {
  if (!kindIs(test.type, "bool")) {
    return c.fault(ast, "cel_type", `what stands before \`?\` must be a condition, this is a ${typeName(test.type)}`);
  }
  const type = yes.type.kind === no.type.kind ? yes.type : DYN;
  const [readTest, readYes, readNo] = [test.read, yes.read, no.read];
  const read: Read = (scope) => {
    const value = readTest(scope);
    return value === true ? readYes(scope) : value === false ? readNo(scope) : FAULT;
  };
  const leaves = joinLeaves(test, yes, no);
  if (type.kind !== "bool" || leaves.length === 0) return { type, read, leaves };
  const [testMs, yesMs, noMs] = [changeOf(test), changeOf(yes), changeOf(no)];
  const nextMs = (scope: RuleScope): number => {
    const next = testMs(scope);
    if (typeof scope.verdict !== "boolean") {
      scope.verdict = FAULT;
      return next;
    }
    return Math.min(next, scope.verdict ? yesMs(scope) : noMs(scope));
  };
  return { type, read, leaves, nextMs };
}

export function equality(ast: ASTNode, left: CelNode, right: CelNode, c: Compilation): CelNode {
  if (!comparable(left.type, right.type) && left.type.kind !== "null" && right.type.kind !== "null") {
    return c.fault(ast, "cel_type", `a ${typeName(left.type)} never equals a ${typeName(right.type)}`);
  }
  const wanted = ast.op === "==";
  const a = left.read;
  const b = right.read;
  const simple =
    typeof right.constant === "string" || typeof right.constant === "number" || typeof right.constant === "boolean";
  const constant = right.constant;
  const read: Read = simple
    ? (scope) => {
        const x = a(scope);
        return x === FAULT ? FAULT : (x === constant) === wanted;
      }
    : (scope) => {
        const x = a(scope);
        const y = b(scope);
        return x === FAULT || y === FAULT ? FAULT : celEquals(x, y) === wanted;
      };
  const node = condition(read, [left, right]);
  if (node.leaves.length === 0 || left.type.kind !== "double" || right.type.kind !== "double") return node;
  if (left.counted !== undefined && Number.isFinite(right.constant))
    return countEquality(node, left.counted, right.constant as number);
  const nextMs = equalityChangeOf(read, comparisonNode(">=", left, right), comparisonNode(">", left, right));
  const [leftDrift, rightDrift] = [driftOf(left), driftOf(right)];
  const [leftSlope, rightSlope] = [slopeOf(left), slopeOf(right)];
  const changeMs = anyChangeOf(node);
  // The two helpers answer for a difference that moves one way; otherwise any change beneath counts.
  return {
    ...node,
    nextMs: (scope) => {
      const drift = together(leftDrift(scope), -rightDrift(scope));
      const slope = together(leftSlope(scope), -rightSlope(scope));
      if (drift === drift || (slope === slope && slope !== 0)) return nextMs(scope);
      scope.verdict = read(scope);
      return changeMs(scope);
    },
  };
}

type Order = "<" | "<=" | ">" | ">=";

export function comparison(ast: ASTNode, left: CelNode, right: CelNode, c: Compilation): CelNode {
  const op = ast.op as Order;
  const numbers = kindIs(left.type, "double") && kindIs(right.type, "double");
  const strings = kindIs(left.type, "string") && kindIs(right.type, "string");
  if (!numbers && !strings) {
    return c.fault(
      ast,
      "cel_type",
      `\`${op}\` compares numbers with numbers or strings with strings, ` +
        `here is ${typeName(left.type)} ${op} ${typeName(right.type)}`,
    );
  }
  return comparisonNode(op, left, right);
}

function comparisonNode(op: Order, left: CelNode, right: CelNode): CelNode {
  if (left.counted !== undefined && Number.isFinite(right.constant)) {
    return countComparison(op, left, left.counted, right.constant as number);
  }
  const read =
    typeof right.constant === "number"
      ? readAgainst(op, left.read, right.constant)
      : readOrder(op, left.read, right.read);
  const towards = op === ">" || op === ">=" ? 1 : -1;
  const nextMs =
    left.reachesMs !== undefined && Number.isFinite(right.constant)
      ? steadyChangeOf(read, towards, left, right.constant as number)
      : comparisonChangeOf(read, towards, left, right);
  return condition(read, [left, right], nextMs);
}

// A count is a whole number that only falls without events: every comparison asks whether it is still at least so many.
function countComparison(op: Order, left: CelNode, { windowMs, seriesOf }: Counted, limit: number): CelNode {
  const least = op === ">=" || op === "<" ? Math.ceil(limit) : Math.floor(limit) + 1;
  const wanted = op === ">=" || op === ">";
  const read: Read = (scope) => seriesCount(seriesOf(scope.person), windowMs, scope.nowMs) >= least === wanted;
  const nextMs = (scope: RuleScope): number => {
    const series = seriesOf(scope.person);
    const isEnough = seriesCount(series, windowMs, scope.nowMs) >= least;
    scope.verdict = isEnough === wanted;
    return isEnough ? seriesFallsMs(series, windowMs, least, scope) : Infinity;
  };
  return { ...condition(read, [left], nextMs), isEager: true };
}

// Above the limit until it falls to it, at the limit until it falls below it.
function countEquality(node: CelNode, { windowMs, seriesOf }: Counted, limit: number): CelNode {
  const { read } = node;
  const nextMs = (scope: RuleScope): number => {
    scope.verdict = read(scope);
    const series = seriesOf(scope.person);
    const count = seriesCount(series, windowMs, scope.nowMs);
    if (count < limit) return Infinity;
    return seriesFallsMs(series, windowMs, count > limit ? Math.floor(limit) + 1 : limit, scope);
  };
  return { ...node, nextMs, isEager: true };
}

// One closure an operator, so that each call site stays monomorphic.
function readAgainst(op: Order, left: Read, limit: number): Read {
  switch (op) {
    case "<":
      return (scope) => {
        const a = left(scope);
        return typeof a === "number" ? a < limit : FAULT;
      };
    case "<=":
      return (scope) => {
        const a = left(scope);
        return typeof a === "number" ? a <= limit : FAULT;
      };
    case ">":
      return (scope) => {
        const a = left(scope);
        return typeof a === "number" ? a > limit : FAULT;
      };
    case ">=":
      return (scope) => {
        const a = left(scope);
        return typeof a === "number" ? a >= limit : FAULT;
      };
  }
}

function readOrder(op: Order, left: Read, right: Read): Read {
  return (scope) => {
    const a = left(scope);
    const b = right(scope);
    if (typeof a === "number" && typeof b === "number") return ordered(op, a, b);
    return typeof a === "string" && typeof b === "string" ? ordered(op, a, b) : FAULT;
  };
}

function ordered<T extends number | string>(op: Order, a: T, b: T): boolean {
  return op === "<" ? a < b : op === "<=" ? a <= b : op === ">" ? a > b : a >= b;
}

type Arithmetic = "+" | "-" | "*" | "/" | "%";

export function arithmetic(ast: ASTNode, left: CelNode, right: CelNode, c: Compilation): CelNode {
  const op = ast.op as Arithmetic;
  const numbers = kindIs(left.type, "double") && kindIs(right.type, "double");
  const joins =
    op === "+" &&
    ((kindIs(left.type, "string") && kindIs(right.type, "string")) ||
      (kindIs(left.type, "list") && kindIs(right.type, "list")));
  if (!numbers && !joins) {
    return c.fault(
      ast,
      "cel_type",
      `\`${op}\` is not defined for ${typeName(left.type)} ${op} ${typeName(right.type)}`,
    );
  }
  const read = arithmeticRead(op, left.read, right.read);
  if (left.constant !== undefined && right.constant !== undefined) {
    const constant = read(undefined as never);
    if (constant === FAULT) return c.fault(ast, "cel_type", `\`${op}\` is not defined for these values`);
    const type = typeof constant === "number" ? DOUBLE : typeof constant === "string" ? STRING : LIST;
    return { type, constant, read: () => constant, leaves: NO_LEAVES };
  }
  const type: CelType = left.type.kind === "dyn" ? (op === "+" ? right.type : DOUBLE) : left.type;
  const leaves = joinLeaves(left, right);
  if (leaves.length === 0 || type.kind !== "double") return { type, read, leaves };
  const motion = motionOf(op, left, right);
  return motion === undefined ? { type, read, leaves } : { type, read, leaves, motion };
}

function arithmeticRead(op: Arithmetic, left: Read, right: Read): Read {
  if (op === "+") return sumRead(left, right);
  return (scope) => {
    const a = left(scope);
    const b = right(scope);
    if (typeof a === "number" && typeof b === "number") {
      switch (op) {
        case "-":
          return a - b;
        case "*":
          return a * b;
        case "/":
          return a / b;
        case "%":
          return a % b;
      }
    }
    return FAULT;
  };
}

// `+` also joins strings, and lists.
function sumRead(left: Read, right: Read): Read {
  return (scope) => {
    const a = left(scope);
    const b = right(scope);
    if (typeof a === "number" && typeof b === "number") return a + b;
    if (typeof a === "string" && typeof b === "string") return a + b;
    return Array.isArray(a) && Array.isArray(b) ? [...a, ...b] : FAULT;
  };
}

// Sums move as their parts do together; a constant factor keeps or turns the direction. The rest is not known.
function motionOf(op: Arithmetic, left: CelNode, right: CelNode): CelNode["motion"] {
  if (op === "+" || op === "-") {
    const sign = op === "+" ? 1 : -1;
    const [leftSlope, rightSlope] = [slopeOf(left), slopeOf(right)];
    const [leftDrift, rightDrift] = [driftOf(left), driftOf(right)];
    const [leftRate, rightRate] = [rateOf(left), rateOf(right)];
    return {
      slope: (scope) => together(leftSlope(scope), sign * rightSlope(scope)),
      drift: (scope) => together(leftDrift(scope), sign * rightDrift(scope)),
      rate: (scope) => leftRate(scope) + sign * rightRate(scope),
    };
  }
  const moving = op === "*" && typeof left.constant === "number" ? right : left;
  const factor = moving === left ? right.constant : left.constant;
  if (op === "%" || typeof factor !== "number" || factor === 0) return undefined;
  const sign = factor > 0 ? 1 : -1;
  const byFactor = op === "*" ? factor : 1 / factor;
  const [slope, drift, rate] = [slopeOf(moving), driftOf(moving), rateOf(moving)];
  return {
    slope: (scope) => sign * slope(scope),
    drift: (scope) => sign * drift(scope),
    rate: (scope) => byFactor * rate(scope),
  };
}

export function negate(ast: ASTNode, part: CelNode, c: Compilation): CelNode {
  if (!kindIs(part.type, "double"))
    return c.fault(ast, "cel_type", `\`-\` needs a number, this is a ${typeName(part.type)}`);
  if (typeof part.constant === "number") {
    const constant = -part.constant;
    return { type: DOUBLE, constant, read: () => constant, leaves: NO_LEAVES };
  }
  const { read, leaves } = part;
  const negated: Read = (scope) => {
    const value = read(scope);
    return typeof value === "number" ? -value : FAULT;
  };
  if (leaves.length === 0) return { type: DOUBLE, read: negated, leaves };
  const [slope, drift, rate] = [slopeOf(part), driftOf(part), rateOf(part)];
  const motion = {
    slope: (scope: RuleScope) => -slope(scope),
    drift: (scope: RuleScope) => -drift(scope),
    rate: (scope: RuleScope) => -rate(scope),
  };
  return { type: DOUBLE, read: negated, leaves, motion };
}

/** `x in list`, `key in map`. */
export function membership(ast: ASTNode, element: CelNode, holder: CelNode, c: Compilation): CelNode {
  if (!kindIs(holder.type, "list") && !kindIs(holder.type, "map")) {
    return c.fault(
      ast,
      "cel_type",
      `\`in\` needs a list or a map at its right, this is a ${typeName(holder.type)}; ` +
        "for a part of a string write text.contains(part)",
    );
  }
  if (holder.type.kind === "list" && !comparable(element.type, holder.type.element ?? DYN)) {
    return c.fault(ast, "cel_type", `a ${typeName(element.type)} is never in a ${typeName(holder.type)}`);
  }
  const a = element.read;
  const b = holder.read;
  return condition(
    (scope) => {
      const value = a(scope);
      const values = b(scope);
      if (value === FAULT || values === FAULT) return FAULT;
      if (Array.isArray(values)) return contains(values, value);
      if (typeof values !== "object" || values === null || typeof value !== "string") return FAULT;
      return Object.hasOwn(values, value);
    },
    [element, holder],
  );
}

function contains(values: readonly unknown[], value: unknown): boolean {
  if (values.includes(value)) return true;
  return typeof value === "object" && value !== null && values.some((other) => celEquals(other, value));
}
