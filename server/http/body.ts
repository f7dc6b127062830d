// From the bytes of a body to a JSON value, within limits: size, unpacked size, depth, UTF-8, prototype names.
import { isUtf8 } from "node:buffer";
import { promisify } from "node:util";
import { gunzip, zstdDecompress, type InputType } from "node:zlib";
import { Problem } from "./problem.ts";

export const BODY_BYTES_MAX = 1024 * 1024;
export const UNPACKED_BYTES_MAX = 8 * 1024 * 1024;
/** Deeper than any valid body (an event's `additional_data` may be 5 deep); JSON.parse alone takes 333 ms for 1 MB of `[`. */
export const JSON_DEPTH_MAX = 32;

/** As many as of Avro. Eight megabytes of `[],[],` are small to send packed, and hold the thread for a second. */
export const JSON_VALUES_MAX = 1_000_000;
/** `1,`: a shorter body cannot have more values than that. */
const VALUE_BYTES_MIN = 2;

/** A bomb costs a turn of the event loop for each chunk: with 16 KiB, the default, 20 ms of the thread, with this 3. */
const INFLATED_CHUNK_BYTES = 128 * 1024;

type Inflate = (input: InputType, options: { maxOutputLength: number; chunkSize: number }) => Promise<Buffer>;
const INFLATERS: Readonly<Record<string, Inflate>> = {
  gzip: promisify(gunzip) as Inflate,
  "x-gzip": promisify(gunzip) as Inflate,
  zstd: promisify(zstdDecompress) as Inflate,
};

/** Undoes the content encoding. Throws a Problem where it is unknown, broken or unpacks to more than `bytesMax`. */
export async function unpack(body: Buffer, contentEncoding: string, bytesMax = UNPACKED_BYTES_MAX): Promise<Buffer> {
  const encoding = contentEncoding.trim().toLowerCase();
  if (encoding === "identity" || encoding === "") return body;
  const inflate = Object.hasOwn(INFLATERS, encoding) ? INFLATERS[encoding] : undefined;
  if (inflate === undefined) {
    throw new Problem("unsupported_encoding", "Send the body as it is, or with Content-Encoding gzip or zstd.");
  }
  try {
    return await inflate(body, { maxOutputLength: bytesMax, chunkSize: INFLATED_CHUNK_BYTES });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      throw new Problem("body_too_large", `The body unpacks to more than ${bytesMax} bytes.`);
    }
    throw new Problem("bad_request", `The body is not valid ${encoding}.`);
  }
}

/** Parses a JSON body. Throws a Problem (bad_json, too_deep, body_too_large) and never blocks: time is linear in the bytes. */
export function parseJson(body: Buffer | null): unknown {
  if (body === null || body.length === 0) throw new Problem("bad_json", "The body is empty; send JSON.");
  if (!isUtf8(body)) throw new Problem("bad_json", "The body is not valid UTF-8.");
  if (nestsDeeperThan(body, JSON_DEPTH_MAX)) {
    throw new Problem("too_deep", `The body is nested more than ${JSON_DEPTH_MAX} deep.`);
  }
  if (body.length > JSON_VALUES_MAX * VALUE_BYTES_MIN && countParts(body) > JSON_VALUES_MAX) {
    throw new Problem("body_too_large", `The body has more than ${JSON_VALUES_MAX} values.`);
  }
  try {
    return JSON.parse(body.toString("utf8"));
  } catch (cause) {
    // V8's message quotes the body around the fault, which may be personal: only the position goes out.
    const at = /position (\d+)/.exec((cause as Error).message)?.[1];
    throw new Problem("bad_json", at === undefined ? "The body is not valid JSON." : `Not JSON at byte ${at}.`);
  }
}

/** Parses a JSON object and refuses `__proto__` as a name anywhere in it. */
export function parseObject(body: Buffer | null): Record<string, unknown> {
  const value = parseJson(body);
  if (!isObject(value)) throw new Problem("bad_json", "The body must be a JSON object.", { pointer: "" });
  const pointer = findPrototypeName(value, "");
  if (pointer !== undefined) throw new Problem("bad_json", "`__proto__` is not a name that may be used.", { pointer });
  return value;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const COMMA = 0x2c;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** One pass over the bytes, outside of strings; wrong JSON may give any answer, JSON.parse refuses it afterwards. */
export function nestsDeeperThan(body: Uint8Array, depthMax: number): boolean {
  let depth = 0;
  const { length } = body;
  for (let i = 0; i < length; i++) {
    const byte = body[i]!;
    if (byte === QUOTE) {
      for (i++; i < length && body[i] !== QUOTE; i++) if (body[i] === BACKSLASH) i++;
    } else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > depthMax) return true;
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
  return false;
}

/** Lists, objects, and what is in them: one for each opening bracket and each comma outside of strings. */
function countParts(body: Uint8Array): number {
  let parts = 0;
  const { length } = body;
  for (let i = 0; i < length; i++) {
    const byte = body[i]!;
    if (byte === QUOTE) {
      for (i++; i < length && body[i] !== QUOTE; i++) if (body[i] === BACKSLASH) i++;
    } else if (byte === COMMA || byte === 0x7b || byte === 0x5b) parts++;
  }
  return parts;
}

/** Recursion is bounded by JSON_DEPTH_MAX. */
function findPrototypeName(value: object, pointer: string): string | undefined {
  for (const [name, child] of Object.entries(value)) {
    const childPointer = `${pointer}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    if (name === "__proto__") return childPointer;
    if (typeof child !== "object" || child === null) continue;
    const found = findPrototypeName(child, childPointer);
    if (found !== undefined) return found;
  }
  return undefined;
}
