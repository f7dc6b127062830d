// Guides, recipes and the glossary: the Markdown of `docs/` as pages of `/docs/`. Read when first asked for.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { Marked, Renderer } from "marked";
import { docsPage, escapeHtml, scrollingTable } from "./page.ts";

const FOLDER = fileURLToPath(new URL("../../docs/", import.meta.url));
const PICTURES = "pictures/";

interface Guide {
  /** Path below `docs/` without its ending, which is its path below `/docs/` too. */
  path: string;
  title: string;
  markdown: string;
}

/** What is served, in the order of the contents; a folder that is not there (an installed package) is left out. */
const SECTIONS: readonly { title: string; folder: string; first: readonly string[] }[] = [
  { title: "Guides", folder: "guides", first: ["site-developer", "analyst", "merchandiser", "operator", "privacy-officer"] },
  { title: "Recipes", folder: "recipes", first: ["shop", "news"] },
];
const SINGLE_PAGES = ["glossary", "benchmarks", "reliability", "inventory"];

let sections: { title: string; guides: Guide[] }[] | undefined;

function allSections(): { title: string; guides: Guide[] }[] {
  if (sections !== undefined) return sections;
  sections = SECTIONS.map(({ title, folder, first }) => {
    const path = join(FOLDER, folder);
    const names = existsSync(path) ? readdirSync(path).filter((name) => name.endsWith(".md")) : [];
    const order = (name: string): string => {
      const place = first.indexOf(name);
      return place < 0 ? `9${name}` : String(place);
    };
    const known = names.map((name) => name.slice(0, -".md".length)).sort((a, b) => (order(a) < order(b) ? -1 : 1));
    return { title, guides: known.map((name) => guideOf(`${folder}/${name}`)) };
  });
  const single = SINGLE_PAGES.filter((name) => existsSync(join(FOLDER, `${name}.md`)));
  sections.push({ title: "More", guides: single.map(guideOf) });
  return sections;
}

function guideOf(path: string): Guide {
  const markdown = readFileSync(join(FOLDER, `${path}.md`), "utf8");
  const title = /^# (.+)$/m.exec(markdown)?.[1] ?? path;
  return { path, title, markdown };
}

/** The contents that every page of the documentation shows. */
export function guideLinks(current?: string): string {
  const link = ({ path, title }: Guide): string => {
    const here = path === current ? ' aria-current="page"' : "";
    return `<li><a href="/docs/${path}"${here}>${escapeHtml(title)}</a></li>`;
  };
  const lists = allSections().filter(({ guides }) => guides.length > 0);
  return [
    '<a class="home" href="/docs/">attune API</a>',
    '<a href="/console/">Console</a>',
    ...lists.map(
      ({ title, guides }) => `<span class="group">${title}</span><ul class="guides">${guides.map(link).join("")}</ul>`,
    ),
  ].join("\n");
}

/** The page at `/docs/PATH`; undefined where there is none. */
export function guidePage(path: string): string | undefined {
  const guide = allSections()
    .flatMap(({ guides }) => guides)
    .find((one) => one.path === path);
  if (guide === undefined) return undefined;
  return docsPage({ title: guide.title, nav: guideLinks(path), main: html(guide) });
}

/** A drawing that the pages show; undefined where there is none. */
export function pictureOf(path: string): string | undefined {
  const folder = join(FOLDER, PICTURES);
  const names = path.startsWith(PICTURES) && existsSync(folder) ? readdirSync(folder) : [];
  const name = names.find((known) => known.endsWith(".svg") && PICTURES + known === path);
  return name === undefined ? undefined : readFileSync(join(folder, name), "utf8");
}

function html(guide: Guide): string {
  const marked = new Marked({ async: false });
  const renderer = new Renderer();
  let under = guide.title;
  marked.use({
    renderer: {
      heading({ tokens, depth, text }) {
        under = text.replaceAll(/[`*]/g, "");
        const id = text
          .toLowerCase()
          .replaceAll(/[^a-z0-9]+/g, "-")
          .replaceAll(/^-|-$/g, "");
        return `<h${depth} id="${id}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
      },
      // What may be wider than a phone scrolls by itself, and by the keyboard too.
      code(token) {
        return renderer.code.call(this, token).replace("<pre>", '<pre tabindex="0">');
      },
      table(token) {
        const table = renderer.table.call(this, token).replaceAll(/<th[^>]*><\/th>/g, "<td></td>");
        const isNamedByRows = token.header[0]?.text === "";
        return `${scrollingTable(`Table: ${under}`, isNamedByRows ? namedByRows(table) : table)}\n`;
      },
      link({ href, tokens }) {
        const text = this.parser.parseInline(tokens);
        const target = linkTarget(guide.path, href);
        return target === undefined ? text : `<a href="${escapeHtml(target)}">${text}</a>`;
      },
    },
  });
  return marked.parse(guide.markdown) as string;
}

/** A first column without a heading is one of headings, of the rows. */
function namedByRows(table: string): string {
  const [head = "", body = ""] = table.split("<tbody>", 2);
  return `${head}<tbody>${body.replaceAll(/<tr>\s*<td([^>]*)>(.*?)<\/td>/gs, '<tr><th scope="row"$1>$2</th>')}`;
}

/** Where a link of the Markdown leads on the site; undefined for a file that the site does not serve. */
function linkTarget(from: string, href: string): string | undefined {
  if (/^(https?:|#|\/)/.test(href)) return href;
  const [file = "", hash] = href.split("#", 2);
  const path = normalize(join(dirname(from), file)).replace(/\.md$/, "");
  const isServed = allSections().some(({ guides }) => guides.some((one) => one.path === path));
  if (!isServed) return undefined;
  return hash === undefined ? `/docs/${path}` : `/docs/${path}#${hash}`;
}
