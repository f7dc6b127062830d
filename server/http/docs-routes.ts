// `/docs/`: the API reference and the OpenAPI document behind it.
import { openApiDocument } from "./openapi.ts";
import { REFERENCE_CSS, referencePage } from "./reference.ts";
import type { Answer, Route } from "./route.ts";
import { PAGE_HEADERS } from "./static.ts";

export function docsRoutes(): Route[] {
  const page = referencePage();
  return [
    { method: "GET", path: "/docs", handle: () => ({ status: 302, headers: { location: "/docs/" } }) },
    { method: "GET", path: "/docs/", handle: () => file(page, "text/html; charset=utf-8") },
    { method: "GET", path: "/docs/reference.css", handle: () => file(REFERENCE_CSS, "text/css; charset=utf-8") },
    { method: "GET", path: "/docs/openapi.json", crossOrigin: true, handle: () => ({ status: 200, json: openApiDocument }) },
  ];
}

function file(bytes: string, type: string): Answer {
  return { status: 200, bytes, headers: { ...PAGE_HEADERS, "content-type": type, "cache-control": "no-cache" } };
}
