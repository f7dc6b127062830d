// Triggers of a document.
import type { ASTNode } from "./cel/parse.ts";
import type { Parts } from "./parts.ts";
import type { CompiledTrigger } from "./compiled.ts";
import { at } from "./faults.ts";
import { TRIGGERS_MAX } from "./limits.ts";

const WEBHOOK = /^https?:\/\/[^\s/?#@]+([/?#]\S*)?$/;

export function readTriggers(part: unknown, { faults, cel }: Parts): CompiledTrigger[] {
  const triggers: CompiledTrigger[] = [];
  for (const [name, value] of faults.entries(part, "/triggers", { name: "triggers", max: TRIGGERS_MAX })) {
    const path = at("/triggers", name);
    const document = faults.object(value, path, ["when", "once_per", "push", "webhook", "description"]);
    if (document === undefined) continue;
    faults.string(document["description"], at(path, "description"), 1_000);
    const oncePer =
      document["once_per"] === "session" ? "session" : faults.duration(document["once_per"], at(path, "once_per"));
    const push = faults.boolean(document["push"], at(path, "push")) ?? false;
    const webhook = faults.string(document["webhook"], at(path, "webhook"), 2_048);
    if (webhook !== undefined && !WEBHOOK.test(webhook)) {
      faults.add(
        at(path, "webhook"),
        "bad_url",
        "this must be a URL that begins with https:// or http:// and has no user name in it",
      );
    }
    const compiled = cel(document["when"], at(path, "when"), "trigger");
    if (compiled === undefined) continue;
    const { rule, ast } = compiled;
    triggers.push({ name, rule, eventTypes: typesAskedFor(ast), oncePer: oncePer ?? null, push, webhook });
  }
  return triggers;
}

/** Event types without which a condition cannot hold; null where it does not say. */
function typesAskedFor(ast: ASTNode): ReadonlySet<string> | null {
  switch (ast.op) {
    case "&&": {
      const [left, right] = [typesAskedFor(ast.args[0]), typesAskedFor(ast.args[1])];
      return left === null ? right : right === null ? left : new Set([...left].filter((type) => right.has(type)));
    }
    case "||": {
      const [left, right] = [typesAskedFor(ast.args[0]), typesAskedFor(ast.args[1])];
      return left === null || right === null ? null : new Set([...left, ...right]);
    }
    case "==":
    case "in": {
      const [left, right] = ast.args;
      if (left.op !== "." || left.args[1] !== "event_type" || left.args[0].op !== "id" || left.args[0].args !== "event")
        return null;
      const values = ast.op === "==" ? [right] : right.op === "list" ? right.args : undefined;
      if (values === undefined) return null;
      const types = values.flatMap((node) => (node.op === "value" && typeof node.args === "string" ? [node.args] : []));
      return types.length === values.length ? new Set(types) : null;
    }
    default:
      return null;
  }
}
