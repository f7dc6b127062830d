// The API reference: one HTML page made from the OpenAPI document, readable without scripts.
import type { Schema } from "./openapi-schemas.ts";
import { openApiDocument, type Operation } from "./openapi.ts";
import { PROBLEMS } from "./problem.ts";

interface Parameter {
  name: string;
  in: string;
  description?: string;
  schema: Schema;
}

export function referencePage(): string {
  const { info, tags, paths, components } = openApiDocument;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  const ofTag = (tag: string) => operations.filter(({ operation }) => operation.tags.includes(tag));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>attune API reference</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/reference.css">
</head>
<body>
<nav aria-label="Sections">
<a class="home" href="/docs/">attune API</a>
<a href="/console/">Console</a>
${tags.map(({ name }) => sectionLinks(name, ofTag(name))).join("\n")}
<a href="#schemas">Schemas</a>
<a href="#problems">Problems</a>
<a href="/docs/openapi.json">OpenAPI document</a>
</nav>
<main>
<h1>API reference <small>${escape(info.version)}</small></h1>
<p>${prose(info.description)}</p>
${tags.map(({ name }) => `<section aria-labelledby="${name.toLowerCase()}"><h2 id="${name.toLowerCase()}">${name}</h2>
${ofTag(name).map(operationHtml).join("\n")}</section>`).join("\n")}
<section aria-labelledby="schemas"><h2 id="schemas">Schemas</h2>
${Object.entries(components.schemas).map(([name, schema]) => schemaHtml(name, schema)).join("\n")}</section>
<section aria-labelledby="problems"><h2 id="problems">Problems</h2>
<table><thead><tr><th scope="col">Code</th><th scope="col">Status</th><th scope="col">Meaning</th></tr></thead><tbody>
${Object.entries(PROBLEMS).map(([code, [status, title]]) => `<tr id="problem-${code}"><td><code>${code}</code></td><td>${status}</td><td>${escape(title)}</td></tr>`).join("\n")}
</tbody></table></section>
</main>
</body>
</html>
`;
}

/** A section and what is in it: the whole API at a glance. */
function sectionLinks(tag: string, operations: readonly { path: string; method: string; operation: Operation }[]): string {
  const links = operations.map(
    ({ path, method, operation }) => `<li><a href="#${anchor(method, path)}">${escape(operation.summary)}</a></li>`,
  );
  return `<a href="#${tag.toLowerCase()}">${tag}</a><ul>${links.join("")}</ul>`;
}

function operationHtml({ path, method, operation }: { path: string; method: string; operation: Operation }): string {
  const parameters = (operation.parameters ?? []).map(resolve) as unknown as Parameter[];
  const body = operation.requestBody?.["content"] as Record<string, { schema: Schema }> | undefined;
  return `<article id="${anchor(method, path)}">
<h3><span class="method ${method.toLowerCase()}">${method}</span> <code>${escape(path)}</code></h3>
<p><strong>${escape(operation.summary)}.</strong> ${prose(operation.description ?? "")}</p>
${parameters.length === 0 ? "" : `<table><thead><tr><th scope="col">Parameter</th><th scope="col">Type</th><th scope="col">Meaning</th></tr></thead><tbody>
${parameters.map((one) => `<tr><td><code>${escape(one.name)}</code> <small>${one.in}</small></td><td>${typeHtml(one.schema)}</td><td>${prose(one.description ?? "")}</td></tr>`).join("\n")}
</tbody></table>`}
${body === undefined ? "" : `<p>Body: ${Object.entries(body).map(([type, { schema }]) => `<code>${type}</code> ${typeHtml(schema)}`).join(", ")}</p>`}
<dl>${Object.entries(operation.responses).map(([status, response]) => responseHtml(status, response)).join("")}</dl>
</article>`;
}

function responseHtml(status: string, response: Schema): string {
  const content = response["content"] as Record<string, { schema: Schema }> | undefined;
  const type = Object.values(content ?? {})[0]?.schema;
  const shown = type === undefined ? "" : ` ${typeHtml(type)}`;
  return `<dt>${status}</dt><dd>${prose(String(response["description"] ?? ""))}${shown}</dd>`;
}

function schemaHtml(name: string, schema: Schema): string {
  const properties = Object.entries((schema["properties"] ?? {}) as Record<string, Schema>);
  const required = (schema["required"] ?? []) as string[];
  return `<article id="schema-${name}"><h3>${name}</h3>
<p>${prose(String(schema["description"] ?? ""))}</p>
${properties.length === 0 ? "" : `<table><thead><tr><th scope="col">Field</th><th scope="col">Type</th><th scope="col">Meaning</th></tr></thead><tbody>
${properties.map(([field, type]) => `<tr><td><code>${escape(field)}</code>${required.includes(field) ? " <small>always</small>" : ""}</td><td>${typeHtml(type)}</td><td>${prose(String(type["description"] ?? ""))}</td></tr>`).join("\n")}
</tbody></table>`}</article>`;
}

/** A type in a few words, schemas of a name as links. */
function typeHtml(schema: Schema): string {
  const reference = schema["$ref"];
  if (typeof reference === "string") {
    const name = reference.split("/").at(-1)!;
    return `<a href="#schema-${name}">${name}</a>`;
  }
  const options = (schema["anyOf"] ?? []) as Schema[];
  if (options.length > 0) return options.map(typeHtml).join(" or ");
  if (Array.isArray(schema["enum"])) return (schema["enum"] as unknown[]).map((value) => `<code>${escape(String(value))}</code>`).join(" ");
  if (schema["type"] === "array") return `list of ${typeHtml((schema["items"] ?? {}) as Schema)}`;
  const properties = Object.keys((schema["properties"] ?? {}) as object);
  if (properties.length > 0) return `{${properties.map(escape).join(", ")}}`;
  const type = [schema["type"] ?? "any"].flat().join(" or ");
  const range = schema["maximum"] === undefined ? "" : ` ${String(schema["minimum"])}–${String(schema["maximum"])}`;
  const otherwise = schema["default"] === undefined ? "" : `, else ${escape(String(schema["default"]))}`;
  return escape(type) + range + otherwise;
}

function resolve(schema: Schema): Schema {
  return schema["$ref"] === "#/components/parameters/project" ? openApiDocument.components.parameters.project : schema;
}

function anchor(method: string, path: string): string {
  return `${method.toLowerCase()}${path.replaceAll(/[^a-z0-9]+/gi, "-")}`;
}

/** Text with `code` in it. */
function prose(text: string): string {
  return escape(text).replaceAll(/`([^`]+)`/g, "<code>$1</code>");
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

export const REFERENCE_CSS = `
:root { color-scheme: light dark; --ink: #1c1f26; --soft: #5b6270; --line: #e2e5ea; --ground: #fff; --panel: #f6f7f9; --accent: #3b5bdb; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8ec; --soft: #9aa2b1; --line: #2b303a; --ground: #14171c; --panel: #1b1f26; --accent: #8ea6ff; } }
* { box-sizing: border-box; }
html { scroll-padding-top: 16px; }
body { margin: 0; display: grid; grid-template-columns: 256px minmax(0, 1fr); color: var(--ink); background: var(--ground);
  font: 15px/1.6 system-ui, sans-serif; }
nav { position: sticky; top: 0; height: 100vh; overflow: auto; padding: 24px 16px; border-right: 1px solid var(--line); background: var(--panel); }
nav a { display: block; padding: 4px 8px; border-radius: 6px; color: var(--soft); text-decoration: none; }
nav a:hover, nav a:focus-visible { color: var(--ink); background: var(--line); }
nav { font-size: 14px; line-height: 20px; }
nav .home { color: var(--ink); font-weight: 600; margin-bottom: 8px; }
nav ul { list-style: none; margin: 0 0 8px; padding: 0 0 0 8px; }
nav li a { padding: 2px 8px; font-size: 13px; }
nav > a { color: var(--ink); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
h1 { margin: 0 0 16px; font-size: 28px; line-height: 40px; }
main { max-width: 960px; padding: 24px 32px 96px; }
a { color: var(--accent); }
h1 small, small { color: var(--soft); font-weight: 400; font-size: 12px; }
h2 { margin: 48px 0 0; font-size: 20px; padding-bottom: 8px; border-bottom: 1px solid var(--line); }
h3 { margin: 32px 0 8px; font-size: 16px; overflow-wrap: anywhere; }
h3 code { font-size: 15px; font-weight: 600; }
article > p { margin: 8px 0; }
article { scroll-margin-top: 16px; }
code { font: 13px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
.method { display: inline-block; min-width: 56px; padding: 2px 8px; border-radius: 4px; font: 600 11px/1.6 ui-monospace, monospace;
  text-align: center; color: var(--ground); background: var(--accent); }
.method.get { background: #1f7a4d; color: #fff; } .method.delete { background: #b3261e; color: #fff; }
.method.put, .method.patch { background: #8a5300; color: #fff; } .method.post { background: #3b5bdb; color: #fff; }
table { width: 100%; border-collapse: collapse; font-size: 14px; }
th { text-align: left; color: var(--soft); font-weight: 500; }
th:first-child { width: 184px; } th:nth-child(2) { width: 168px; }
th, td { padding: 8px 16px 8px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
dl { display: grid; grid-template-columns: 48px minmax(0, 1fr); gap: 4px 8px; margin: 12px 0; font-size: 14px; }
dt { font-weight: 600; } dd { margin: 0; }
@media (max-width: 720px) { body { display: block; } nav { position: static; height: auto; border: 0; border-bottom: 1px solid var(--line); }
  nav { padding: 16px; } nav ul { display: none; }
  th:first-child, th:nth-child(2) { width: auto; } nav a { display: inline-block; } main { padding: 16px; } table { display: block; overflow-x: auto; } }
`;
