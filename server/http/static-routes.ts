// Pages and files: the console, the demo, the SDK, and where `/` leads.
import type { Answer, Call, Route } from "./route.ts";
import { staticFiles } from "./static.ts";

/** Folders with built files; what is missing is not served. */
export interface StaticFolders {
  console?: string;
  demo?: string;
  /** Holds `attune.js`. */
  sdk?: string;
}

export function staticRoutes(folders: StaticFolders, options: { demo: boolean }): Route[] {
  const routes: Route[] = [];
  const demo = options.demo ? folders.demo : undefined;
  if (folders.console !== undefined) routes.push(...folder("/console/", folders.console));
  if (demo !== undefined) {
    routes.push(...folder("/demo/", demo));
    routes.push({ method: "GET", path: "/demo/news", access: "public", handle: redirect("/demo/news/") });
  }
  if (folders.sdk !== undefined) {
    // Sites on other origins load it with one script tag.
    const extraHeaders = { "access-control-allow-origin": "*", "cross-origin-resource-policy": "cross-origin" };
    routes.push({
      method: "GET",
      path: "/sdk/*",
      access: "public",
      crossOrigin: true,
      handle: staticFiles(folders.sdk, { extraHeaders }),
    });
  }
  const home = demo !== undefined ? "/demo/" : folders.console !== undefined ? "/console/" : "/docs/";
  routes.push({ method: "GET", path: "/", access: "public", handle: redirect(home) });
  return routes;
}

function folder(prefix: string, path: string): Route[] {
  return [
    { method: "GET", path: prefix.slice(0, -1), access: "public", handle: redirect(prefix) },
    { method: "GET", path: `${prefix}*`, access: "public", handle: staticFiles(path) },
  ];
}

/** Keeps the query: `/?project=news` opens the newsroom's page. */
function redirect(to: string): (call: Call) => Answer {
  return ({ query }) => {
    const search = new URLSearchParams(
      Object.entries(query).flatMap(([name, value]) => [value ?? []].flat().map((one) => [name, one])),
    );
    const location = search.size === 0 ? to : `${to}?${search}`;
    return { status: 302, headers: { location } };
  };
}
