// The personalization program: read, checked, replaced, brought back.
import { programWarnings, type WarnedHost } from "../../core/program/warnings.ts";
import { programTag, shownDocument } from "../hosting/program-tag.ts";
import { readObject } from "../http/json-body.ts";
import { fromJson, fromQuery, integer } from "../http/parameters.ts";
import { Problem } from "../http/problem.ts";
import { ok, type Answer, type Call, type Route } from "../http/route.ts";
import type { Project } from "../ports.ts";

const VERSION_MAX = Number.MAX_SAFE_INTEGER;

/** @param onProgram - called after another program took effect, so that live lists are made anew. */
export function programRoutes(onProgram: (project: Project) => void, host: WarnedHost): Route[] {
  return [
    { method: "GET", path: "/v1/program", access: "read", handle: readProgram },
    { method: "PUT", path: "/v1/program", access: "operate", handle: putProgram },
    { method: "POST", path: "/v1/program/check", access: "read", handle: checkProgram },
    { method: "POST", path: "/v1/program/rollback", access: "operate", handle: rollback },
    { method: "GET", path: "/v1/program/versions", access: "read", handle: readVersions },
  ];

  async function putProgram(call: Call): Promise<Answer> {
    const document = await documentOf(call);
    const result = await call.project.putProgram(document, baseOf(call));
    if ("changedTo" in result)
      throw new Problem("program_changed", `Version ${result.changedTo} came into force since: read it and change that one.`);
    if ("faults" in result) {
      const { faults } = result;
      throw new Problem("bad_program", `${faults.length === 1 ? "One fault" : `${faults.length} faults`}; the program in force was not changed.`, { faults });
    }
    onProgram(call.project);
    const headers = { etag: programTag(document) };
    return { ...ok({ version: result.version }), headers, audit: { version: result.version } };
  }

  async function rollback(call: Call): Promise<Answer> {
    const source = fromJson(await readObject(call));
    const version = integer(source, "version", { low: 0, high: VERSION_MAX, otherwise: -1 });
    if (version < 0) throw source.fault("version", "`version` is required.");
    const result = await call.project.rollbackProgram(version, baseOf(call));
    if (result === undefined) throw unknownVersion();
    if ("changedTo" in result)
      throw new Problem("program_changed", `Version ${result.changedTo} came into force since: look at what going back would take away with it.`);
    onProgram(call.project);
    return { ...ok({ version: result.version }), audit: { version: result.version } };
  }

  async function checkProgram(call: Call): Promise<Answer> {
    const document = await documentOf(call);
    const faults = await call.project.checkProgram(document);
    return ok({ ok: faults.length === 0, faults, warnings: faults.length === 0 ? programWarnings(document, host) : [] });
  }
}

/**
 * The tags of `If-Match`, a list; none where it is not there, or any program will do. A proxy that packs answers makes tags
 * weak; a document's says what it says all the same.
 */
function baseOf({ headers }: Call): string[] | undefined {
  const tags = headers["if-match"]?.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags === undefined || tags.includes("*") ? undefined : tags;
}

/** A document that was read can be written back: what reading added is taken off again. */
async function documentOf(call: Call): Promise<Record<string, unknown>> {
  const { version: _version, created_at: _createdAt, $schema: _schema, learned: _learned, ...document } = await readObject(call);
  return document;
}

async function readProgram(call: Call): Promise<Answer> {
  const asked = integer(fromQuery(call.query), "version", { low: 0, high: VERSION_MAX, otherwise: -1 });
  const found = await call.project.program(asked < 0 ? undefined : asked);
  if (found === undefined) throw unknownVersion();
  const { version, at, document } = found;
  const body = { version, created_at: new Date(at).toISOString(), ...shownDocument(document) };
  return { ...ok(body), headers: { etag: programTag(document) } };
}

async function readVersions(call: Call): Promise<Answer> {
  const versions = [...(await call.project.programVersions())].sort((a, b) => b.version - a.version);
  return ok({
    current: versions[0]?.version ?? null,
    versions: versions.map(({ version, at }) => ({ version, created_at: new Date(at).toISOString() })),
  });
}

function unknownVersion(): Problem {
  return new Problem("unknown_version", "The program has no such version.", { parameter: "version" });
}
