// What a dead letter keeps of a refused event: what was sent, so that it can be corrected and sent again, but of addresses
// only what an event would keep.
import { cleanUrl, cleanUrlsIn, withoutSecrets } from "../../core/event/clean-url.ts";

/** A body larger than this is cut to a note of its size. */
const KEPT_BODY_CHARS_MAX = 32 * 1024;

/** @param raw - a JSON value; a text that is none is kept without what looks like a person or a secret. */
export function keptBody(raw: unknown): unknown {
  const chars = JSON.stringify(raw)?.length ?? 0;
  if (chars > KEPT_BODY_CHARS_MAX) return { cut: `${chars} characters, more than are kept` };
  if (typeof raw === "string") return withoutSecrets(raw);
  const cleaned = cleanUrlsIn(raw);
  if (typeof cleaned !== "object" || cleaned === null || Array.isArray(cleaned)) return cleaned;
  const { page_url: page } = cleaned as Record<string, unknown>;
  return typeof page === "string" ? { ...cleaned, page_url: cleanUrl(page) } : cleaned;
}
