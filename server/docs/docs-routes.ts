// `/docs/`: guides, recipes, the API reference and the OpenAPI document behind it.
import { readFileSync } from "node:fs";
import { openApiDocument } from "../http/openapi.ts";
import { Problem } from "../http/problem.ts";
import type { Answer, Call, Route } from "../http/route.ts";
import { PAGE_HEADERS } from "../http/static.ts";
import { AVRO_FILE, PROTO_FILES, PROTO_FOLDER } from "../protobuf/messages.ts";
import { DOCS_CSS } from "./docs-css.ts";
import { guidePage, pictureOf } from "./guides.ts";
import { referencePage } from "./reference.ts";

export function docsRoutes(): Route[] {
  // The largest answers that take no key: made once, and the same bytes for everybody who asks.
  let reference: Buffer | undefined;
  let openApi: Buffer | undefined;
  return [
    { method: "GET", path: "/docs", access: "public", handle: () => ({ status: 302, headers: { location: "/docs/" } }) },
    { method: "GET", path: "/docs/", access: "public", handle: () => page((reference ??= Buffer.from(referencePage()))) },
    { method: "GET", path: "/docs/docs.css", access: "public", handle: () => file(DOCS_CSS, "text/css; charset=utf-8") },
    {
      method: "GET",
      path: "/docs/openapi.json",
      access: "public",
      crossOrigin: true,
      handle: () => ({
        status: 200,
        bytes: (openApi ??= Buffer.from(JSON.stringify(openApiDocument))),
        headers: { "content-type": "application/json; charset=utf-8" },
      }),
    },
    { method: "GET", path: "/docs/proto/*", access: "public", crossOrigin: true, handle: schemaFile },
    { method: "GET", path: "/docs/*", access: "public", handle: guide },
  ];
}

function guide(call: Call): Answer {
  const path = call.params["*"] ?? "";
  const picture = pictureOf(path);
  if (picture !== undefined) return file(picture, "image/svg+xml; charset=utf-8");
  const found = guidePage(path);
  if (found === undefined) throw new Problem("not_found", "The documentation has no such page.");
  return page(found);
}

/** The published schemas of protobuf, gRPC and Avro. */
function schemaFile(call: Call): Answer {
  const name = PROTO_FILES.concat(AVRO_FILE).find((known) => known === call.params["*"]);
  if (name === undefined) throw new Problem("not_found", "There is no such schema.");
  return file(readFileSync(PROTO_FOLDER + name, "utf8"), "text/plain; charset=utf-8");
}

function page(html: string | Buffer): Answer {
  return file(html, "text/html; charset=utf-8");
}

function file(bytes: string | Buffer, type: string): Answer {
  return { status: 200, bytes, headers: { ...PAGE_HEADERS, "content-type": type, "cache-control": "no-cache" } };
}
