// Everything held on a person, as NDJSON: written as it is read, no faster than the reader takes it.
import type { ServerResponse } from "node:http";
import { drained } from "../drained.ts";
import { pathPerson } from "../http/parameters.ts";
import type { Call, StreamRoute } from "../http/route.ts";

/** Written at once; below it lines are gathered. */
const CHUNK_CHARS = 32 * 1024;

export function exportRoutes(): StreamRoute[] {
  return ["/v1/privacy/users/{user_id}/export", "/v1/privacy/visitors/{anonymous_id}/export"].map((path) => ({
    path,
    access: "admin",
    persons: true,
    open: writeExport,
  }));
}

async function writeExport(call: Call, response: ServerResponse): Promise<void> {
  const lines = call.project.exportPerson(await pathPerson(call));
  // What the host refuses, it refuses before its first line: then there is still an answer to be given.
  const first = await lines.next();
  response.on("error", () => response.destroy());
  response.writeHead(200, { "content-type": "application/x-ndjson; charset=utf-8", "cache-control": "no-store" });
  let chunk = first.done === true ? "" : `${JSON.stringify(first.value)}\n`;
  for await (const line of lines) {
    chunk += `${JSON.stringify(line)}\n`;
    if (chunk.length < CHUNK_CHARS) continue;
    if (response.destroyed) return;
    const isTaken = response.write(chunk);
    chunk = "";
    if (!isTaken) await drained(response);
  }
  response.end(chunk);
}
