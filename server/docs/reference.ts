// The API reference: one HTML page made from the OpenAPI document, readable without scripts.
import { REJECTION_CODES, rejection } from "../../core/event/rejection.ts";
import type { Schema } from "../http/openapi-schemas.ts";
import type { Operation } from "../http/openapi-parts.ts";
import { openApiDocument } from "../http/openapi.ts";
import { PROBLEMS } from "../http/problem.ts";
import { REFUSED_FOR_PERSONS } from "../intake/intake.ts";
import { guideLinks } from "./guides.ts";
import { docsPage, escapeHtml, scrollingTable } from "./page.ts";

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
  const nav = `${guideLinks()}
${tags.map(({ name }) => sectionLinks(name, ofTag(name))).join("\n")}
<a href="#schemas">Schemas</a>
<a href="#problems">Problems</a>
<a href="#refused-events">Refused events</a>
<a href="/docs/openapi.json">OpenAPI document</a>`;
  const main = `<h1>API reference <small>${escapeHtml(info.version)}</small></h1>
<p>${prose(info.description)}</p>
${tags
  .map(
    ({ name }) => `<section aria-labelledby="${name.toLowerCase()}"><h2 id="${name.toLowerCase()}">${name}</h2>
${ofTag(name).map(operationHtml).join("\n")}</section>`,
  )
  .join("\n")}
<section aria-labelledby="schemas"><h2 id="schemas">Schemas</h2>
${Object.entries(components.schemas)
  .map(([name, schema]) => schemaHtml(name, schema))
  .join("\n")}</section>
<section aria-labelledby="problems"><h2 id="problems">Problems</h2>
${table(
  "Problems",
  ["Code", "Status", "Meaning"],
  Object.entries(PROBLEMS).map(
    ([code, [status, title]]) =>
      `<tr id="problem-${code}"><td><code>${code}</code></td><td>${status}</td><td>${escapeHtml(title)}</td></tr>`,
  ),
)}</section>
<section aria-labelledby="refused-events"><h2 id="refused-events">Refused events</h2>
<p>The codes of <code>rejected</code> in an ${typeHtml({ $ref: "#/components/schemas/IntakeAnswer" })}, the same over HTTP, gRPC and live connections.</p>
${table("Refused events", ["Code", "What to do"], refusedEvents())}</section>`;
  return docsPage({ title: "attune API reference", nav, main });
}

/** Why an event is not taken: its form first, then the person it is of. */
function refusedEvents(): string[] {
  const ofForm = REJECTION_CODES.map((code) => [code, rejection(code, "").message]);
  return [...ofForm, ...Object.entries(REFUSED_FOR_PERSONS)].map(
    ([code, message]) => `<tr id="refused-${code}"><td><code>${code}</code></td><td>${prose(message!)}</td></tr>`,
  );
}

/** A section and what is in it: the whole API at a glance. */
function sectionLinks(
  tag: string,
  operations: readonly { path: string; method: string; operation: Operation }[],
): string {
  const links = operations.map(
    ({ path, method, operation }) => `<li><a href="#${anchor(method, path)}">${escapeHtml(operation.summary)}</a></li>`,
  );
  return `<a href="#${tag.toLowerCase()}">${tag}</a><ul>${links.join("")}</ul>`;
}

function operationHtml({ path, method, operation }: { path: string; method: string; operation: Operation }): string {
  const parameters = (operation.parameters ?? []).map(resolve) as unknown as Parameter[];
  const body = operation.requestBody?.["content"] as Record<string, { schema: Schema }> | undefined;
  return `<article id="${anchor(method, path)}">
<h3><span class="method ${method.toLowerCase()}">${method}</span> <code>${escapeHtml(path)}</code></h3>
<p><strong>${escapeHtml(operation.summary)}.</strong> ${prose(operation.description ?? "")}</p>
${
  parameters.length === 0
    ? ""
    : table(
        `Parameters of ${method} ${path}`,
        ["Parameter", "Type", "Meaning"],
        parameters.map(
          (one) =>
            `<tr><td><code>${escapeHtml(one.name)}</code> <small>${one.in}</small></td><td>${typeHtml(one.schema)}</td><td>${prose(one.description ?? "")}</td></tr>`,
        ),
      )
}
${
  body === undefined
    ? ""
    : `<p>Body: ${Object.entries(body)
        .map(([type, { schema }]) => `<code>${type}</code> ${typeHtml(schema)}`)
        .join(", ")}</p>`
}
<dl>${Object.entries(operation.responses)
    .map(([status, response]) => responseHtml(status, response))
    .join("")}</dl>
</article>`;
}

function responseHtml(status: string, response: Schema): string {
  const content = response["content"] as Record<string, { schema: Schema }> | undefined;
  const type = Object.values(content ?? {})[0]?.schema;
  const shown = type === undefined ? "" : ` ${typeHtml(type)}`;
  return `<dt>${status}</dt><dd>${prose(String(response["description"] ?? ""))}${shown}</dd>`;
}

function schemaHtml(name: string, schema: Schema): string {
  const rows = fieldRows(schema);
  return `<article id="schema-${name}"><h3>${name}</h3>
<p>${prose(String(schema["description"] ?? ""))}</p>
${rows.length === 0 ? "" : table(`Fields of ${name}`, ["Field", "Type", "Meaning"], rows)
}</article>`;
}

/** A row for each field, and after it those of the object or of the list's objects that it holds, where these have no name. */
function fieldRows(schema: Schema, path = ""): string[] {
  const required = (schema["required"] ?? []) as string[];
  return Object.entries((schema["properties"] ?? {}) as Record<string, Schema>).flatMap(([field, type]) => {
    const name = path + field;
    const always = required.includes(field) ? " <small>always</small>" : "";
    return [
      `<tr><td><code>${escapeHtml(name)}</code>${always}</td><td>${typeHtml(type)}</td><td>${prose(descriptionOf(type))}</td></tr>`,
      ...fieldRows(type, `${name}.`),
      ...fieldRows((type["items"] ?? {}) as Schema, `${name}[].`),
    ];
  });
}

function table(label: string, heads: readonly string[], rows: readonly string[]): string {
  const head = heads.map((name) => `<th scope="col">${name}</th>`).join("");
  return scrollingTable(label, `<table><thead><tr>${head}</tr></thead><tbody>\n${rows.join("\n")}\n</tbody></table>`);
}

/** A type in a few words, schemas of a name as links. */
function typeHtml(schema: Schema): string {
  const reference = schema["$ref"];
  if (typeof reference === "string") {
    const name = reference.split("/").at(-1)!;
    return `<a href="#schema-${name}">${name}</a>`;
  }
  const options = (schema["anyOf"] ?? schema["oneOf"] ?? []) as Schema[];
  if (options.length > 0) return options.map(typeHtml).join(" or ");
  if (Array.isArray(schema["enum"]))
    return (schema["enum"] as unknown[]).map((value) => `<code>${escapeHtml(String(value))}</code>`).join(" ");
  if (schema["type"] === "array") return `list of ${typeHtml((schema["items"] ?? {}) as Schema)}`;
  const properties = Object.keys((schema["properties"] ?? {}) as object);
  if (properties.length > 0) return `{${properties.map(escapeHtml).join(", ")}}`;
  const values = schema["additionalProperties"];
  if (typeof values === "object" && values !== null) return `object, by name ${typeHtml(values as Schema)}`;
  const type = [schema["type"] ?? "any"].flat().join(" or ");
  const range = rangeText(schema);
  const otherwise = schema["default"] === undefined ? "" : `, else ${escapeHtml(String(schema["default"]))}`;
  return escapeHtml(type) + range + otherwise;
}

/** ` 1–200`, ` above 0, up to 1000`, or nothing where it has no end above. */
function rangeText({ minimum, exclusiveMinimum, maximum }: Schema): string {
  if (maximum === undefined) return "";
  if (minimum !== undefined) return ` ${String(minimum)}–${String(maximum)}`;
  return exclusiveMinimum === undefined ? ` up to ${String(maximum)}` : ` above ${String(exclusiveMinimum)}, up to ${String(maximum)}`;
}

/** What a schema says of itself, or of what it is where it is not null. */
function descriptionOf(schema: Schema): string {
  const [option] = (schema["anyOf"] ?? []) as Schema[];
  return String(schema["description"] ?? option?.["description"] ?? "");
}

function resolve(schema: Schema): Schema {
  return schema["$ref"] === "#/components/parameters/project" ? openApiDocument.components.parameters.project : schema;
}

function anchor(method: string, path: string): string {
  return `${method.toLowerCase()}${path.replaceAll(/[^a-z0-9]+/gi, "-")}`;
}

/** Text with `code` in it. */
function prose(text: string): string {
  return escapeHtml(text).replaceAll(/`([^`]+)`/g, "<code>$1</code>");
}
