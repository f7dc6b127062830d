// Whatever a page of `/docs/` leads to or shows is there: pages, places in them, pictures, files.
import { deepEqual, equal, ok } from "node:assert/strict";
import { after, test } from "node:test";
import { REJECTION_CODES } from "../../core/event/rejection.ts";
import { startNode } from "../http/testing.ts";

const node = await startNode();
after(() => node.close());

/** Every page, by its path, as far as links lead from `/docs/`. */
async function allPages(): Promise<Map<string, string>> {
  const pages = new Map<string, string>();
  const waiting = ["/docs/"];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (pages.has(path)) continue;
    const response = await fetch(node.url + path);
    equal(response.status, 200, path);
    const isPage = response.headers.get("content-type")!.startsWith("text/html");
    pages.set(path, isPage ? await response.text() : "");
    for (const { pathname } of linksOf(pages.get(path)!, path)) if (pathname.startsWith("/docs/")) waiting.push(pathname);
  }
  return pages;
}

/** What a page's links and pictures name on this node. */
function linksOf(html: string, path: string): URL[] {
  return [...html.matchAll(/ (?:href|src)="([^"]+)"/g)]
    .map(([, href]) => new URL(href!.replaceAll("&amp;", "&"), node.url + path))
    .filter(({ origin }) => origin === node.url);
}

const pages = await allPages();

test("no link and no picture leads nowhere", () => {
  ok(pages.size > 15, `${pages.size} pages`);
  const lost = [...pages].flatMap(([path, html]) =>
    linksOf(html, path)
      .filter(({ pathname, hash }) => hash !== "" && pages.get(pathname)?.includes(` id="${hash.slice(1)}"`) === false)
      .map(({ pathname, hash }) => `${path}: ${pathname}${hash}`),
  );
  deepEqual(lost, []);
});

test("the keyboard reaches whatever may scroll sideways, and no heading of a table is empty", () => {
  const guides = [...pages].filter(([path]) => /^\/docs\/(guides|recipes|[a-z]+$)/.test(path));
  const bad = (pattern: RegExp): string[] => guides.filter(([, html]) => pattern.test(html)).map(([path]) => path);
  ok(guides.length > 12, `${guides.length} guides`);
  deepEqual(bad(/<pre>/), []);
  deepEqual(bad(/<th[^>]*><\/th>/), []);
  const loose = [...pages].filter(([, html]) => /(?<!tabindex="0">)<table/.test(html));
  deepEqual(loose.map(([path]) => path), []);
});

test("tables have names of their own, and those whose first column has no heading have headings of rows", () => {
  let namedByRows = 0;
  for (const [path, html] of pages) {
    ok(!html.includes('aria-label="Table"'), path);
    for (const [table] of html.matchAll(/<table>.*?<\/table>/gs)) {
      if (!/<thead>\s*<tr>\s*<td>/.test(table)) continue;
      namedByRows++;
      ok(!/<tr>\s*<td[^>]*>(?!<\/td>)/.test(table), `${path}: ${table.slice(0, 200)}`);
    }
  }
  ok(namedByRows > 0);
});

test("the reference leads from each schema to those that its fields hold, and names the fields of objects within them", () => {
  const articles = pages.get("/docs/")!.split("<article").filter((text) => text.startsWith(' id="schema-'));
  const articleOf = (name: string): string => articles.find((text) => text.startsWith(` id="schema-${name}"`))!;
  const program = articleOf("Program");
  for (const name of ["ProgramSlot", "ProgramExperiment", "ProgramSegment", "ProgramTrigger", "ProgramPlacement", "ProgramFeature"]) {
    ok(program.includes(`href="#schema-${name}"`), name);
  }
  for (const field of ["models.crowd.young_weight", "models.background.every", "learning.max_per_second", "consent.gpc"]) {
    ok(program.includes(`<code>${field}</code>`), field);
  }
  ok(articleOf("IntakeAnswer").includes("<code>rejected[].code</code>"));
  ok(!pages.get("/docs/")!.includes("undefined"));
  for (const nullable of ["interleave", "interleaving"]) {
    ok(new RegExp(`<code>${nullable}</code>.*<td>[^<]{20,}`).test(articleOf("Experiment")), `${nullable} is explained`);
  }
});

test("the reference has every code with which an event is refused, and what to do", () => {
  const reference = pages.get("/docs/")!;
  for (const code of [...REJECTION_CODES, "no_consent", "erased"]) {
    const [, meaning = ""] = new RegExp(`<tr id="refused-${code}"><td><code>${code}</code></td><td>(.+)</td></tr>`).exec(reference) ?? [];
    ok(meaning.length > 10, code);
  }
});

test("pictures come as pictures, and only those that are there", async () => {
  const shown = [...pages.keys()].filter((path) => path.startsWith("/docs/pictures/"));
  ok(shown.length > 0);
  for (const path of shown) {
    equal((await fetch(node.url + path)).headers.get("content-type"), "image/svg+xml; charset=utf-8", path);
  }
  for (const path of ["/docs/pictures/none.svg", "/docs/pictures/", "/docs/pictures/..%2fglossary.md"]) {
    equal((await fetch(node.url + path)).status, 404, path);
  }
});
