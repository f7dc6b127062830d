// `GET /v1/audit`: who read, changed, exported and erased what, newest first.
import { fromQuery, ID_CHARS_MAX, integer, optionalText, personRef } from "../http/parameters.ts";
import { ok, type Answer, type Call, type Route } from "../http/route.ts";
import type { AuditLog } from "./audit-log.ts";

export function auditRoutes(audit: AuditLog): Route[] {
  return [{ method: "GET", path: "/v1/audit", access: "admin", handle: readAudit }];

  async function readAudit(call: Call): Promise<Answer> {
    const source = fromQuery(call.query);
    const { project } = call;
    const limit = integer(source, "limit", { low: 1, high: 500, otherwise: 50 });
    const before = integer(source, "before", { low: 1, high: Number.MAX_SAFE_INTEGER, otherwise: 0 });
    const action = optionalText(source, "action", ID_CHARS_MAX);
    const isPerson = source.get("user_id") !== undefined || source.get("anonymous_id") !== undefined;
    const subject = isPerson ? audit.subjectOf(project.name, project.personKey(await personRef(source, call))) : undefined;
    const entries = await audit.list({
      project: project.name,
      limit,
      ...(before > 0 && { before }),
      action,
      subject,
    });
    return ok({
      entries: entries.map(({ at, ...entry }) => ({ ...entry, at: new Date(at).toISOString() })),
      next: entries.length === limit ? entries.at(-1)!.seq : null,
    });
  }
}
