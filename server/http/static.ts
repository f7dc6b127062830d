// Static files: the console, the demo, the SDK. Kept in memory with an ETag and compressed forms, read again when changed.
import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { extname, join, resolve, sep } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { Problem } from "./problem.ts";
import type { Answer, Call } from "./route.ts";

const FILE_BYTES_MAX = 16 * 1024 * 1024;
const CACHED_BYTES_MAX = 64 * 1024 * 1024;
/** Below this, compression saves less than its header. */
const COMPRESSED_FROM_BYTES = 512;

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".svg": "image/svg+xml; charset=utf-8",
  ".txt": "text/plain; charset=utf-8",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".webp": "image/webp",
  ".avif": "image/avif",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".webmanifest": "application/manifest+json",
};

/** Scripts and styles come from this server alone and never inline; what charts and cards move is set by script. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": CONTENT_SECURITY_POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
};

interface CachedFile {
  mtimeMs: number;
  sizeBytes: number;
  etag: string;
  bytes: Buffer;
  encoded: Map<string, Buffer>;
}

const compress: Readonly<Record<string, (bytes: Buffer) => Promise<Buffer>>> = {
  br: (bytes) => promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }),
  gzip: (bytes) => promisify(gzip)(bytes, { level: 9 }),
};

/**
 * Serves one folder. A path without an extension that is no file gets `index.html`, so that every view of a
 * single-page application has a URL.
 */
export function staticFiles(folder: string, options: { extraHeaders?: Record<string, string> } = {}) {
  const root = resolve(folder);
  const cache = new Map<string, CachedFile>();
  let cachedBytes = 0;

  async function load(path: string): Promise<CachedFile | undefined> {
    const info = await stat(path).catch(() => undefined);
    if (info === undefined || !info.isFile() || info.size > FILE_BYTES_MAX) return undefined;
    const known = cache.get(path);
    if (known !== undefined && known.mtimeMs === info.mtimeMs && known.sizeBytes === info.size) return known;
    const bytes = await readFile(path).catch(() => undefined);
    if (bytes === undefined) return undefined;
    // Weak: the packed bytes are served under it too.
    const etag = `W/"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
    const file = { mtimeMs: info.mtimeMs, sizeBytes: info.size, etag, bytes, encoded: new Map<string, Buffer>() };
    if (cachedBytes + bytes.length > CACHED_BYTES_MAX) {
      cache.clear();
      cachedBytes = 0;
    }
    cache.set(path, file);
    cachedBytes += bytes.length;
    return file;
  }

  async function find(relative: string): Promise<{ path: string; file: CachedFile } | undefined> {
    const path = join(root, relative);
    if (path !== root && !path.startsWith(root + sep)) return undefined;
    const tries = relative === "" || relative.endsWith("/") ? [join(path, "index.html")] : [path];
    if (extname(relative) === "") tries.push(join(root, "index.html"));
    for (const candidate of tries) {
      const file = await load(candidate);
      if (file !== undefined) return { path: candidate, file };
    }
    return undefined;
  }

  return async function serve(call: Call): Promise<Answer> {
    const relative = call.params["*"] ?? "";
    const hidden = relative.split("/").some((part) => part.startsWith("."));
    const found = hidden || relative.includes("\0") ? undefined : await find(relative);
    if (found === undefined) throw new Problem("not_found", "There is no such file.");
    const { path, file } = found;
    const type = CONTENT_TYPES[extname(path)] ?? "application/octet-stream";
    const headers: Record<string, string> = {
      ...PAGE_HEADERS,
      "content-type": type,
      etag: file.etag,
      // A name with a content hash never changes its content; everything else is asked for again by its ETag.
      "cache-control": /-[A-Za-z0-9_]{8,}\.\w+$/.test(path) ? "public, max-age=31536000, immutable" : "no-cache",
      vary: "accept-encoding",
      ...options.extraHeaders,
    };
    if (isKnown(call.headers["if-none-match"], file.etag)) return { status: 304, headers };
    const encoding = encodingFor(call.headers["accept-encoding"], type, file.bytes.length);
    if (encoding === undefined) return { status: 200, bytes: file.bytes, headers };
    let encoded = file.encoded.get(encoding);
    if (encoded === undefined) {
      encoded = await compress[encoding]!(file.bytes);
      file.encoded.set(encoding, encoded);
    }
    return { status: 200, bytes: encoded, headers: { ...headers, "content-encoding": encoding } };
  };
}

/** RFC 9110, 13.1.2: compared weakly. */
function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  const opaque = etag.slice("W/".length);
  return ifNoneMatch?.split(",").some((tag) => tag.trim() === "*" || tag.trim().replace(/^W\//, "") === opaque) === true;
}

function encodingFor(
  accept: string | string[] | undefined,
  type: string,
  sizeBytes: number,
): "br" | "gzip" | undefined {
  if (sizeBytes < COMPRESSED_FROM_BYTES || !/^text\/|json|svg/.test(type)) return undefined;
  // A weight of 0 refuses (RFC 9110, 12.4.2).
  const accepted = String(accept ?? "")
    .split(",")
    .filter((coding) => !/;\s*q=0(\.0*)?\s*$/i.test(coding))
    .map((coding) => coding.split(";")[0]!.trim().toLowerCase());
  if (accepted.includes("br")) return "br";
  return accepted.includes("gzip") ? "gzip" : undefined;
}
