// `GET /v1/projects/{write_key}/settings`: what analytics.js and the mobile SDKs ask their CDN for before they start.
// With the node as CDN, an unchanged `AnalyticsBrowser.load({ writeKey, cdnURL })` sends to it and loads nothing else.
import { pathText } from "../http/parameters.ts";
import { ok, type Answer, type Call } from "../http/route.ts";

/** A path that is longer is none that a proxy has the node under: whoever asks, with a key or without, may send 16 kB. */
const PREFIX_CHARS_MAX = 256;

export function segmentSettings(call: Call): Answer {
  const apiKey = pathText(call, "write_key");
  const { headers } = call;
  const host = firstOf(headers["x-forwarded-host"]) ?? headers.host ?? "";
  const under = pathOf(firstOf(headers["x-forwarded-prefix"]) ?? "");
  const isSecure = call.isSecure || firstOf(headers["x-forwarded-proto"]) === "https";
  const allowed = { __default: { enabled: true, integrations: {} } };
  return ok({
    integrations: {
      "Segment.io": {
        apiKey,
        apiHost: `${host}${under}/v1`,
        protocol: isSecure ? "https" : "http",
        addBundledMetadata: true,
        unbundledIntegrations: [],
        maybeBundledConfigIds: {},
        versionSettings: { version: "4.4.7", componentTypes: ["browser"] },
        bundlingStatus: "bundled",
      },
    },
    plan: { track: allowed, identify: allowed, group: allowed },
    edgeFunction: {},
    analyticsNextEnabled: true,
    middlewareSettings: { routingRules: [] },
    enabledMiddleware: {},
    // The SDK's own figures about itself: not collected.
    metrics: { sampleRate: 0 },
    legacyVideoPluginsEnabled: false,
    remotePlugins: [],
  });
}

/** Without the slashes at its end; empty where it is no path. By hand: a pattern counts slashes anew from each of them. */
function pathOf(prefix: string): string {
  if (!prefix.startsWith("/") || prefix.length > PREFIX_CHARS_MAX) return "";
  let end = prefix.length;
  while (prefix[end - 1] === "/") end--;
  return prefix.slice(0, end);
}

function firstOf(header: string | string[] | undefined): string | undefined {
  return header === undefined ? undefined : String(header).split(",", 1)[0]!.trim();
}
