// Names and fields: what `age`, `features.frequency`, `session.bounce`, `event.item.price` read.
import type { EventContext } from "../../event/event.ts";
import { localTime, nextHourMs } from "../../profile/local-time.ts";
import { knownAttributes } from "../../profile/reading.ts";
import type { RuleScope } from "../scope.ts";
import { type Compilation, compileNode } from "./compile.ts";
import { BUILT_IN, featureNode, sessionNode } from "./leaves.ts";
import {
  CONTEXT_FIELDS,
  didYouMean,
  EVENT_FIELDS,
  EVENT_ITEM_FIELDS,
  ITEM_FIELDS,
  nearest,
  ROOTS,
  ROOTS_OF,
  SESSION_FIELDS,
} from "./names.ts";
import { type CelNode, joinLeaves, NO_LEAVES, type Read } from "./node.ts";
import type { ASTNode } from "./parse.ts";
import { type CelType, DYN, FAULT, kindIs, MAP, typeName, valueAt } from "./value.ts";

type Root = (typeof ROOTS)[number];

/** A bare name: a macro's variable, a root, or else the attribute of that name. */
export function compileName(ast: ASTNode, name: string, c: Compilation): CelNode {
  for (let depth = c.variables.length - 1; depth >= 0; depth--) {
    const variable = c.variables[depth]!;
    if (variable.name === name) return { type: variable.type, read: (scope) => scope.bound[depth], leaves: NO_LEAVES };
  }
  if (isRoot(name)) {
    if (!allowed(ast, name, c)) return unknownValue;
    if (name === "attributes") {
      c.attributes = true;
      return { type: MAP, read: (scope) => knownAttributes(scope.person), leaves: NO_LEAVES };
    }
    return c.fault(
      ast,
      "cel_name",
      `\`${name}\` is no value by itself; read one of its fields, e.g. \`${name}.${EXAMPLE[name]}\``,
    );
  }
  if (!ROOTS_OF[c.names.place].has("attributes")) {
    return c.fault(ast, "cel_name", `unknown name \`${name}\`; only \`event\`, \`item\` and \`context\` can be read here`);
  }
  if (c.names.features.has(name) || BUILT_IN.has(name)) {
    return c.fault(
      ast,
      "cel_name",
      `\`${name}\` is a feature: write \`features.${name}\` (or \`attributes.${name}\` for an attribute)`,
    );
  }
  if (c.names.segments.has(name)) {
    return c.fault(
      ast,
      "cel_name",
      `\`${name}\` is a segment: write \`in_segment("${name}")\` (or \`attributes.${name}\`)`,
    );
  }
  return attribute(name, c);
}

const EXAMPLE: Readonly<Record<Root, string>> = {
  attributes: "age",
  features: "frequency",
  session: "duration_s",
  context: "device",
  event: "event_type",
  item: "price",
};

const unknownValue: CelNode = { type: DYN, read: () => FAULT, leaves: NO_LEAVES };

function isRoot(name: string): name is Root {
  return (ROOTS as readonly string[]).includes(name);
}

function allowed(ast: ASTNode, root: Root, c: Compilation): boolean {
  const { place } = c.names;
  if (ROOTS_OF[place].has(root)) return true;
  const where =
    root === "event"
      ? "only triggers and features' `where` can read `event`"
      : root === "item"
        ? "only placements, triggers and features' `where` can read `item`"
        : "a feature's `where` can read `event`, `item` and `context` only";
  c.fault(ast, "cel_name", `\`${root}\` cannot be read here: ${where}`);
  return false;
}

function attribute(name: string, c: Compilation): CelNode {
  c.attributes = true;
  return {
    type: DYN,
    leaves: NO_LEAVES,
    read: (scope) => {
      const { attributes } = scope.person;
      const value = attributes[name];
      // An attribute that was taken away is kept as null.
      return value === undefined || value === null || !Object.hasOwn(attributes, name) ? FAULT : value;
    },
  };
}

/** `operand.field` */
export function compileSelect(ast: ASTNode, operand: ASTNode, field: string, c: Compilation): CelNode {
  if (operand.op === "id" && isRoot(operand.args) && !c.variables.some((variable) => variable.name === operand.args)) {
    c.spend();
    return rootField(ast, operand.args, field, c);
  }
  if (isField(operand, "event", "item", c)) return eventItem(ast, "event.item", field, c);
  if (isField(operand, "event", "context", c)) return eventContext(ast, field, c);
  if (operand.op === "id" && !c.variables.some((variable) => variable.name === operand.args)) {
    const root = nearest(operand.args, ROOTS_OF[c.names.place]);
    if (root !== undefined) {
      return c.fault(operand, "cel_name", `unknown name \`${operand.args}\`; did you mean \`${root}.${field}\`?`);
    }
  }
  return fieldOf(ast, compileNode(operand, c), field, c);
}

/** `operand["field"]`, `list[0]` */
export function compileIndex(ast: ASTNode, operand: ASTNode, key: ASTNode, c: Compilation): CelNode {
  const constant = key.op === "value" && typeof key.args === "string" ? key.args : undefined;
  if (constant !== undefined) return compileSelect(ast, operand, constant, c);
  const holder = compileNode(operand, c);
  const index = compileNode(key, c);
  if (!kindIs(holder.type, "list") && !kindIs(holder.type, "map")) {
    return c.fault(ast, "cel_type", `only lists and maps have elements, this is a ${typeName(holder.type)}`);
  }
  if (holder.type.kind === "list" && !kindIs(index.type, "double")) {
    return c.fault(key, "cel_type", `a list is indexed by a number, this is a ${typeName(index.type)}`);
  }
  const a = holder.read;
  const b = index.read;
  return {
    type: holder.type.kind === "list" ? (holder.type.element ?? DYN) : DYN,
    leaves: joinLeaves(holder, index),
    read: (scope) => elementOf(a(scope), b(scope)),
  };
}

function elementOf(holder: unknown, key: unknown): unknown {
  if (Array.isArray(holder)) {
    return typeof key === "number" && Number.isInteger(key) && key >= 0 && key < holder.length ? holder[key] : FAULT;
  }
  if (typeof holder !== "object" || holder === null || typeof key !== "string") return FAULT;
  return valueAt(holder, key);
}

function fieldOf(ast: ASTNode, holder: CelNode, field: string, c: Compilation): CelNode {
  if (!kindIs(holder.type, "map")) {
    return c.fault(ast, "cel_type", `a ${typeName(holder.type)} has no field \`${field}\``);
  }
  const { read } = holder;
  return {
    type: DYN,
    leaves: holder.leaves,
    read: (scope) => {
      const value = read(scope);
      return typeof value !== "object" || value === null ? FAULT : valueAt(value, field);
    },
  };
}

function isField(node: ASTNode, root: string, field: string, c: Compilation): boolean {
  return (
    node.op === "." &&
    node.args[1] === field &&
    node.args[0].op === "id" &&
    node.args[0].args === root &&
    !c.variables.some((variable) => variable.name === root)
  );
}

function rootField(ast: ASTNode, root: Root, field: string, c: Compilation): CelNode {
  if (!allowed(ast, root, c)) return unknownValue;
  switch (root) {
    case "attributes":
      return attribute(field, c);
    case "features":
      return featureNode(field, c) ?? unknownField(ast, root, field, [...c.names.features.keys(), ...BUILT_IN], c);
    case "session":
      return known(SESSION_FIELDS, field)
        ? sessionNode(field, c)
        : unknownField(ast, root, field, Object.keys(SESSION_FIELDS), c);
    case "context":
      return contextField(field, c) ?? unknownField(ast, root, field, Object.keys(CONTEXT_FIELDS), c);
    case "event":
      return eventField(field) ?? unknownField(ast, root, field, Object.keys(EVENT_FIELDS), c);
    case "item":
      if (ROOTS_OF[c.names.place].has("event")) return eventItem(ast, root, field, c);
      return itemField(field) ?? unknownField(ast, root, field, Object.keys(ITEM_FIELDS), c);
  }
}

const known = (fields: Readonly<Record<string, CelType>>, field: string): boolean => Object.hasOwn(fields, field);

function unknownField(ast: ASTNode, root: string, field: string, names: readonly string[], c: Compilation): CelNode {
  const near = didYouMean(field, names);
  const all = near === "" ? `; it has ${names.join(", ")}` : near;
  return c.fault(ast, "cel_name", `\`${root}\` has no \`${field}\`${all}`);
}

const fieldNode = (type: CelType, read: Read): CelNode => ({ type, read, leaves: NO_LEAVES });

function contextField(field: string, c: Compilation): CelNode | undefined {
  if (!known(CONTEXT_FIELDS, field)) return undefined;
  c.context = true;
  const type = CONTEXT_FIELDS[field]!;
  if (field === "hour" || field === "weekday") return clockNode(field, type);
  const name = field as keyof EventContext;
  return fieldNode(type, (scope) => scope.context?.[name] ?? scope.person.context[name] ?? FAULT);
}

/** Time of day and day of the week where the visitor is (core/profile/local-time.ts); both jump with the hour. */
function clockNode(field: "hour" | "weekday", type: CelType): CelNode {
  const timezone = (scope: RuleScope): string | undefined => scope.context?.timezone ?? scope.person.context.timezone;
  const leaf = {
    nextMs: (scope: RuleScope) => nextHourMs(timezone(scope), scope.nowMs),
    slope: () => 0,
    drift: () => NaN,
  };
  return { type, read: (scope) => localTime(timezone(scope), scope.nowMs)[field], leaves: [leaf] };
}

function eventField(field: string): CelNode | undefined {
  if (!known(EVENT_FIELDS, field)) return undefined;
  const type = EVENT_FIELDS[field]!;
  switch (field) {
    case "event_type":
      return fieldNode(type, (scope) => scope.event!.event_type);
    case "item_id":
      return fieldNode(type, (scope) => scope.event!.item_id ?? FAULT);
    case "value":
      return fieldNode(type, (scope) => scope.event!.value ?? FAULT);
    case "page_url":
      return fieldNode(type, (scope) => scope.event!.page_url ?? FAULT);
    case "timestamp":
      return fieldNode(type, (scope) => scope.event!.timestamp);
    case "hour":
    case "weekday":
      return fieldNode(type, ({ event }) => localTime(event!.context?.timezone, event!.timestamp)[field]);
    case "session_id":
      return fieldNode(type, (scope) => scope.event!.session_id ?? FAULT);
    case "item":
      return fieldNode(type, (scope) => scope.event!.item ?? FAULT);
    case "context":
      return fieldNode(type, (scope) => scope.event!.context ?? FAULT);
    default:
      return fieldNode(type, (scope) => scope.event!.additional_data ?? FAULT);
  }
}

function eventItem(ast: ASTNode, holder: "item" | "event.item", field: string, c: Compilation): CelNode {
  if (!allowed(ast, "event", c)) return unknownValue;
  if (!known(EVENT_ITEM_FIELDS, field)) return unknownField(ast, holder, field, Object.keys(EVENT_ITEM_FIELDS), c);
  if (field === "item_id") return eventField(field)!;
  const name = field as "categories" | "tags" | "price";
  return fieldNode(EVENT_ITEM_FIELDS[field]!, (scope) => scope.event!.item?.[name] ?? FAULT);
}

function eventContext(ast: ASTNode, field: string, c: Compilation): CelNode {
  if (!allowed(ast, "event", c)) return unknownValue;
  if (!known(CONTEXT_FIELDS, field) || field === "hour" || field === "weekday") {
    const names = Object.keys(CONTEXT_FIELDS).filter((name) => name !== "hour" && name !== "weekday");
    return unknownField(ast, "event.context", field, names, c);
  }
  const name = field as keyof EventContext;
  return fieldNode(CONTEXT_FIELDS[field]!, (scope) => scope.event!.context?.[name] ?? FAULT);
}

function itemField(field: string): CelNode | undefined {
  if (!known(ITEM_FIELDS, field)) return undefined;
  const type = ITEM_FIELDS[field]!;
  switch (field) {
    case "item_id":
      return fieldNode(type, (scope) => scope.item!.item_id);
    case "title":
      return fieldNode(type, (scope) => scope.item!.title ?? FAULT);
    case "categories":
      return fieldNode(type, (scope) => scope.item!.categories);
    case "tags":
      return fieldNode(type, (scope) => scope.item!.tags);
    case "price":
      return fieldNode(type, (scope) => scope.item!.price ?? FAULT);
    case "available":
      // An item that says nothing can be had.
      return fieldNode(type, (scope) => scope.item!.available ?? true);
    case "image_url":
      return fieldNode(type, (scope) => scope.item!.image_url ?? FAULT);
    case "url":
      return fieldNode(type, (scope) => scope.item!.url ?? FAULT);
    case "published_at":
      return fieldNode(type, (scope) => scope.item!.published_at ?? FAULT);
    case "age_s":
      return fieldNode(type, (scope) => {
        const at = scope.item!.published_at;
        return at === undefined ? FAULT : (scope.nowMs - at) / 1_000;
      });
    default:
      return fieldNode(type, (scope) => scope.item!.attributes ?? FAULT);
  }
}
