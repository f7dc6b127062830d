// What words point to exists: paths in the comments of the code, every room in ARCHITECTURE.md, and the uses of the glossary's terms.
import { deepEqual, ok } from "node:assert/strict";
import { existsSync, globSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { test } from "node:test";

const ROOT = resolve(import.meta.dirname, "..");
/** What builds, runs and installs leave behind is no room. */
const LEFT_BEHIND = readFileSync(join(ROOT, ".gitignore"), "utf8").split("\n").map((line) => line.replaceAll("/", ""));
/** Parts of other people's packages, and what a build writes. */
const ELSEWHERE = /^(dist|google\/protobuf)\//;
const COMMENT = /(?<=^|\s)\/\/.*$|\/\*[\s\S]*?\*\//gm;
const PATH = /(?<![\w./@:-])(?:[\w-]+\/)*[\w-]+(?:\.[\w-]+)*\.(?:md|tsx?|mjs|java|css|proto)(?![\w(/-])/g;

function foldersIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder)).filter(
    (name) => !name.startsWith(".") && !LEFT_BEHIND.includes(name) && statSync(join(ROOT, folder, name)).isDirectory(),
  );
}

const TOP = foldersIn(".");
const FILES = globSync(`{${TOP.join(",")}}/**/*`, { cwd: ROOT }).filter((file) => !file.includes("/target/"));
const NAMES = new Set([...FILES, ...readdirSync(ROOT)].map((file) => basename(file)));

/** A path from the root or from the file's folder; a bare name may stand anywhere, as in "see `newton.ts`". */
function isThere(path: string, from: string): boolean {
  if (!path.includes("/")) return NAMES.has(path);
  return existsSync(join(ROOT, path)) || existsSync(join(ROOT, dirname(from), path)) || ELSEWHERE.test(path);
}

test("paths that comments name exist", () => {
  const named = FILES.filter((file) => /\.(tsx?|mjs|java|css)$/.test(file)).flatMap((file) => {
    const comments = readFileSync(join(ROOT, file), "utf8").match(COMMENT) ?? [];
    return comments.flatMap((comment) => comment.match(PATH) ?? []).map((path) => ({ file, path }));
  });
  ok(named.length > 100, `only ${named.length} paths were found`);
  deepEqual(
    named.filter(({ file, path }) => !isThere(path, file)).map(({ file, path }) => `${file} names ${path}`),
    [],
  );
});

test("ARCHITECTURE.md names every room", () => {
  const text = readFileSync(join(ROOT, "ARCHITECTURE.md"), "utf8");
  const rows = text.slice(text.indexOf("## Rooms"), text.indexOf("Imports go one way")).split("\n");
  const cells = rows.filter((row) => row.startsWith("| `")).map((row) => row.split(" | "));
  // A room with folders of its own is named by them. In one cell a folder's siblings leave its name out: `server/privacy/`, `vault/`.
  const rooms = cells.flatMap(([first]) => {
    const names = [...first!.matchAll(/`([^`]+?)\/?`/g)].map(([, name]) => name!);
    const parent = names[0]!.includes("/") ? `${dirname(names[0]!)}/` : "";
    return names.map((name) => (name.includes("/") ? name : `${parent}${name}`));
  });
  const ofCore = [...cells.find(([first]) => first === "| `core/`")![1]!.matchAll(/`(\w+)`/g)];
  const named = [...rooms, ...rooms.map(dirname), ...ofCore.map(([, name]) => `core/${name}`)];
  const there = [...TOP, ...["core", "server", "cluster"].flatMap((room) => foldersIn(room).map((name) => `${room}/${name}`))];
  deepEqual(
    { missing: there.filter((room) => !named.includes(room)), gone: named.filter((room) => !existsSync(join(ROOT, room))) },
    { missing: [], gone: [] },
  );
});

test("the glossary is in order, and every term of it is in use", () => {
  const lines = readFileSync(join(ROOT, "docs/glossary.md"), "utf8").split("\n").filter((line) => line.startsWith("| "));
  const rows = lines.slice(2).map((line) => line.split("|")[1]!.trim().toLowerCase());
  ok(rows.length > 60, `only ${rows.length} rows were found`);
  deepEqual(rows, rows.toSorted());
  const isText = (file: string): boolean => /\.(tsx?|md|json|java)$/.test(file) && file !== join("docs", "glossary.md");
  const texts = FILES.filter(isText).map((file) => readFileSync(join(ROOT, file), "utf8").toLowerCase().replaceAll(/[\s_-]+/g, " "));
  const terms = rows.flatMap((row) => row.split(", ")).map((term) => term.replaceAll(/[\s_-]+/g, " "));
  deepEqual(terms.filter((term) => !texts.some((text) => text.includes(term))), []);
});

/** Where a heading is reached, as GitHub names it. */
function anchorsOf(file: string): string[] {
  const headings = proseOf(file).match(/^#+ .+$/gm) ?? [];
  const textOf = (heading: string): string => heading.replace(/^#+ /, "").toLowerCase();
  return headings.map((heading) => textOf(heading).replaceAll(/[^\p{L}\p{N}_ -]/gu, "").replaceAll(" ", "-"));
}

/** Without blocks of code. */
function proseOf(file: string): string {
  return readFileSync(join(ROOT, file), "utf8").replaceAll(/^```[\s\S]*?^```$/gm, "");
}

test("links of Markdown files lead to files and headings that are there", () => {
  const pages = [...globSync("*.md", { cwd: ROOT }), ...FILES.filter((file) => file.endsWith(".md"))];
  const hrefsOf = (page: string): string[] => [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, href]) => href!);
  const links = pages.flatMap((page) => hrefsOf(page).map((href) => ({ page, href })));
  const within = links.filter(({ href }) => !/^https?:/.test(href));
  ok(within.length > 60, `only ${within.length} links were found`);
  const lost = within.filter(({ page, href }) => {
    const [path = "", anchor] = href.split("#", 2);
    const file = path === "" ? page : join(dirname(page), path);
    return !existsSync(join(ROOT, file)) || (anchor !== undefined && !anchorsOf(file).includes(anchor));
  });
  deepEqual(lost, []);
});
