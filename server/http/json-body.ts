// The JSON of routes that change something or ask with a body: packed or as it is, by its name only.
import { parseJson, parseObject, unpack } from "./body.ts";
import { requireJsonType } from "./media-type.ts";
import type { Call } from "./route.ts";

/** The object that the request sends. Rejects with a Problem (unsupported_…, bad_json, bad_request, too_deep, body_too_large). */
export async function readObject(call: Call): Promise<Record<string, unknown>> {
  return parseObject(await unpacked(call));
}

/** Whatever value the request sends. Rejects as `readObject`. */
export async function readValue(call: Call): Promise<unknown> {
  return parseJson(await unpacked(call));
}

async function unpacked(call: Call): Promise<Buffer | null> {
  requireJsonType(call);
  const { body, headers } = call;
  const encoding = headers["content-encoding"];
  return encoding === undefined || body === null ? body : unpack(body, encoding);
}
