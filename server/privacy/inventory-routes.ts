// What is stored, what for, and how long: the inventory and the retention that is in force.
import { ok, type Answer, type Call, type Route } from "../http/route.ts";
import { INVENTORY, keepingText, policyRows } from "./inventory/inventory.ts";

export function inventoryRoutes(): Route[] {
  return [
    { method: "GET", path: "/v1/privacy/inventory", access: "admin", handle: inventory },
    { method: "GET", path: "/v1/privacy/retention", access: "admin", handle: retention },
  ];
}

async function inventory(call: Call): Promise<Answer> {
  const { policy } = await call.project.retention();
  const kinds = INVENTORY.map(({ kind, title, where, fields }) => ({
    kind,
    title,
    where,
    fields: Object.entries(fields).map(([field, row]) => ({ field, ...row, kept: keepingText(row.retention, policy) })),
  }));
  return ok({ kinds });
}

async function retention(call: Call): Promise<Answer> {
  const { policy, last } = await call.project.retention();
  return ok({ policy: policyRows(policy), last_run: last ?? null });
}
