// `GET /v1/projects/{write_key}/settings`: what analytics.js and the mobile SDKs ask their CDN for before they start.
// With the node as CDN, an unchanged `AnalyticsBrowser.load({ writeKey, cdnURL })` sends to it and loads nothing else.
import { pathText } from "../http/parameters.ts";
import { ok, type Answer, type Call } from "../http/route.ts";

export function segmentSettings(call: Call): Answer {
  const apiKey = pathText(call, "write_key");
  const { headers } = call;
  const host = firstOf(headers["x-forwarded-host"]) ?? headers.host ?? "";
  const under = (firstOf(headers["x-forwarded-prefix"]) ?? "").replace(/\/+$/, "");
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

function firstOf(header: string | string[] | undefined): string | undefined {
  return header === undefined ? undefined : String(header).split(",", 1)[0]!.trim();
}
