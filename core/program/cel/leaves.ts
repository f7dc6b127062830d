// What expressions read of a person, each with how time moves it.
import { log2 } from "../../math/exp2.ts";
import {
  BUILT_IN_FEATURES,
  type BuiltInFeature,
  builtinNextChangeMs,
  builtinValue,
  featureNextChangeMs,
  featureValue,
  followed,
  FREQUENCY_RATE,
  FREQUENCY_WINDOW_MS,
  lastTimeMs,
  NO_SESSION,
  SESSION_READS,
  sessionNextChangeMs,
  type SessionView,
  windowNextChangeMs,
  windowValue,
} from "../../profile/reading.ts";
import { NO_SERIES, seriesCount, seriesNextChangeMs } from "../../profile/series.ts";
import { SEQUENCES_MAX, WINDOWS_MAX } from "../limits.ts";
import type { RuleScope } from "../scope.ts";
import type { Compilation } from "./compile.ts";
import { SESSION_FIELDS } from "./names.ts";
import { type CelNode, type Counted, NO_LEAVES, type TimeLeaf } from "./node.ts";
import type { ASTNode } from "./parse.ts";
import { BOOL, DOUBLE, FAULT, kindIs, typeName } from "./value.ts";

export const BUILT_IN: ReadonlySet<string> = new Set(BUILT_IN_FEATURES);

/** Event types that a person's `since()` times are kept for (core/profile TYPES_MAX): beyond, any event may drop one. */
const TIMES_KEPT = 64;

const never = (): number => Infinity;
const still = (): number => 0;
const unknown = (): number => NaN;
const falls = (): number => -1;

/** `count(type, window)`: without events it only falls, by steps. */
export function countNode(ast: ASTNode, type: string, windowMs: number, c: Compilation): CelNode {
  return windowNode(ast, "count", type, windowMs, c);
}

/** `sum(type, window)`: values may be negative, so it may go either way when they leave. */
export function sumNode(ast: ASTNode, type: string, windowMs: number, c: Compilation): CelNode {
  return windowNode(ast, "sum", type, windowMs, c);
}

function windowNode(ast: ASTNode, measure: "count" | "sum", type: string, windowMs: number, c: Compilation): CelNode {
  const index = c.names.windowIndex(measure, type, windowMs);
  if (index === undefined) {
    if (!c.names.closed)
      return c.fault(
        ast,
        "too_many",
        `more than ${WINDOWS_MAX} different windows (WINDOWS_MAX): use one window in more rules`,
      );
    return c.fault(
      ast,
      "window_not_kept",
      `the program keeps no such window: read the same ${measure}() in one of its segments first`,
    );
  }
  c.eventTypes.add(type);
  if (measure === "count") return countedNode({ windowMs, seriesOf: (person) => person.windows[index]! });
  const leaf: TimeLeaf = {
    nextMs: (scope) => windowNextChangeMs(scope.person, index, scope.nowMs),
    slope: still,
    drift: unknown,
  };
  return numberNode((scope) => windowValue(scope.person, index, scope.nowMs), leaf);
}

/** What counts events of a sliding window: without events it only falls, by steps. */
function countedNode(counted: Counted): CelNode {
  const { windowMs, seriesOf } = counted;
  const leaf: TimeLeaf = {
    nextMs: (scope) => seriesNextChangeMs(seriesOf(scope.person), windowMs, scope.nowMs),
    slope: still,
    drift: falls,
  };
  return { ...numberNode((scope) => seriesCount(seriesOf(scope.person), windowMs, scope.nowMs), leaf), counted };
}

function numberNode(read: (scope: RuleScope) => number, leaf: TimeLeaf): CelNode {
  return { type: DOUBLE, read, leaves: [leaf], motion: leaf };
}

/** `since(type)`: seconds, rising steadily; infinite (and still) where it never happened. */
export function sinceNode(type: string, c: Compilation): CelNode {
  c.eventTypes.add(type);
  if (c.names.eventTypes.size > TIMES_KEPT) c.anyEvent = true;
  const rises = (scope: RuleScope): number => (lastTimeMs(scope.person, type) > -Infinity ? 1 : 0);
  return {
    ...numberNode((scope) => (scope.nowMs - lastTimeMs(scope.person, type)) / 1_000, {
      nextMs: never,
      slope: rises,
      drift: rises,
      rate: rises,
    }),
    reachesMs: (scope, target) => lastTimeMs(scope.person, type) + target * 1_000,
  };
}

export function followedNode(
  ast: ASTNode,
  sequence: { first: string; second: string; windowMs: number },
  c: Compilation,
): CelNode {
  const index = c.names.sequenceIndex(sequence.first, sequence.second, sequence.windowMs);
  if (index === undefined) {
    if (!c.names.closed)
      return c.fault(ast, "too_many", `more than ${SEQUENCES_MAX} different sequences (SEQUENCES_MAX)`);
    return c.fault(
      ast,
      "window_not_kept",
      "the program keeps no such sequence: read the same followed() in one of its segments first",
    );
  }
  c.eventTypes.add(sequence.first);
  c.eventTypes.add(sequence.second);
  return { type: BOOL, leaves: NO_LEAVES, read: (scope) => followed(scope.person, index) };
}

/** `interest(category)`: a share; all interests decay alike, so time does not move it. */
export function interestNode(ast: ASTNode, category: CelNode, c: Compilation): CelNode {
  if (!kindIs(category.type, "string")) {
    return c.fault(
      ast,
      "cel_type",
      `\`interest()\` needs the name of a category or tag, this is a ${typeName(category.type)}`,
    );
  }
  c.interests = true;
  if (typeof category.constant === "string") {
    const name = category.constant;
    return { type: DOUBLE, leaves: NO_LEAVES, read: (scope) => scope.interest(name) };
  }
  const { read } = category;
  return {
    type: DOUBLE,
    leaves: category.leaves,
    read: (scope) => {
      const name = read(scope);
      return typeof name === "string" ? scope.interest(name) : FAULT;
    },
  };
}

/** `in_segment(name)`: the engine evaluates the segment that is read first. */
export function inSegmentNode(name: string, c: Compilation): CelNode {
  c.segments.add(name);
  return { type: BOOL, leaves: NO_LEAVES, read: (scope) => scope.person.memberships.has(name) };
}

/** `features.NAME`; undefined where there is no such feature. */
export function featureNode(name: string, c: Compilation): CelNode | undefined {
  const own = c.names.features.get(name);
  if (own === undefined) return BUILT_IN.has(name) ? builtInNode(name as BuiltInFeature, c) : undefined;
  const { index, type, kind } = own;
  if (own.eventTypes === null) c.anyEvent = true;
  else for (const eventType of own.eventTypes) c.eventTypes.add(eventType);
  const read = (scope: RuleScope): unknown => featureValue(scope.person, index, scope.nowMs) ?? FAULT;
  if (kind === "decayed") {
    const fades = fading((scope) => featureValue(scope.person, index, scope.nowMs) as number);
    const halfLifeMs = (scope: RuleScope): number => scope.person.layout.plan.features[index]!.halfLifeMs ?? 0;
    return { type, read, leaves: [fades], motion: fades, reachesMs: fadesToMs(read, halfLifeMs) };
  }
  if (own.windowMs === null) return { type, read, leaves: NO_LEAVES };
  if (kind === "count")
    return countedNode({ windowMs: own.windowMs, seriesOf: (person) => person.features[index]!.series ?? NO_SERIES });
  const leaf: TimeLeaf = {
    nextMs: (scope) => featureNextChangeMs(scope.person, index, scope.nowMs),
    slope: still,
    drift: kind === "distinct" ? falls : unknown,
  };
  return { type, read, leaves: [leaf], motion: leaf };
}

/** What decays moves towards zero and never reaches it. */
function fading(value: (scope: RuleScope) => number): TimeLeaf {
  const towardsZero = (scope: RuleScope): number => -Math.sign(value(scope));
  return { nextMs: never, slope: towardsZero, drift: towardsZero };
}

/** When what halves each half-life is down to a target. */
function fadesToMs(
  read: (scope: RuleScope) => unknown,
  halfLifeMs: (scope: RuleScope) => number,
): NonNullable<CelNode["reachesMs"]> {
  return (scope, target) => {
    const ratio = (read(scope) as number) / target;
    return ratio > 1 ? scope.nowMs + halfLifeMs(scope) * log2(ratio) : NaN;
  };
}

function builtInNode(name: BuiltInFeature, c: Compilation): CelNode {
  c.anyEvent = true;
  const read = (scope: RuleScope): number => builtinValue(scope.person, name, scope.nowMs);
  switch (name) {
    case "recency_s": {
      const rises = (scope: RuleScope): number => (read(scope) < Infinity ? 1 : 0);
      return {
        ...numberNode(read, { nextMs: never, slope: rises, drift: rises }),
        reachesMs: (scope, target) => scope.person.lastInteractionMs + Math.ceil(target) * 1_000,
      };
    }
    case "engagement": {
      const fades = (scope: RuleScope): number => scope.engagement;
      return {
        ...numberNode(fades, fading(fades)),
        reachesMs: fadesToMs(fades, (scope) => scope.person.interestHalfLifeMs),
      };
    }
    case "frequency":
      return countedNode({ windowMs: FREQUENCY_WINDOW_MS, seriesOf: (person) => person.rates[FREQUENCY_RATE]! });
    case "velocity":
      return numberNode(read, {
        nextMs: (scope) => builtinNextChangeMs(scope.person, name, scope.nowMs),
        slope: still,
        drift: unknown,
      });
    default:
      return { type: DOUBLE, read, leaves: NO_LEAVES };
  }
}

/** `session.FIELD` of the session that is open now; it ends by itself after its gap. */
export function sessionNode(field: string, c: Compilation): CelNode {
  c.anyEvent = true;
  const name = field as keyof SessionView;
  const readField = SESSION_READS[name];
  const read = (scope: RuleScope): unknown => {
    const { session } = scope;
    return session === null ? NO_SESSION[name] : readField(session, scope.person, scope.nowMs);
  };
  // Only these two change when it ends.
  if (name !== "bounce" && name !== "active") return { type: SESSION_FIELDS[field]!, leaves: NO_LEAVES, read };
  const leaf: TimeLeaf = {
    nextMs: (scope) => sessionNextChangeMs(scope.person, scope.nowMs),
    slope: still,
    drift: unknown,
  };
  return { type: SESSION_FIELDS[field]!, leaves: [leaf], motion: leaf, read };
}
