// Request headers of the SDKs that speak the Segment protocol. A browser asks for leave to send them from another origin, and
// without it sends nothing.

/** Segment's SDK in a browser sets the first, RudderStack's the others. */
export const SDK_HEADERS = [
  "x-retry-count", "anonymousid", "sentat", "rsa-retry-attempt", "rsa-retry-reason", "rsa-since-first-attempt",
  "rsa-since-last-attempt", "rsa-recovered",
] as const;
