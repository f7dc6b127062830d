// Builds what browsers run: the SDK, the console and the demo, from TypeScript into dist/. The server needs no build.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, extname, join, relative, resolve } from "node:path";
import { build, type BuildOptions } from "esbuild";

const ROOT = resolve(import.meta.dirname, "..");
const OUT = join(ROOT, "dist");
export type Room = "sdk" | "console" | "demo";

/** What is built, each from its own folder and those that it imports. */
const ROOMS: Readonly<Record<Room, { from: readonly string[]; build: () => Promise<Outputs[]> }>> = {
  sdk: { from: ["sdk", "core"], build: async () => [await sdk()] },
  console: { from: ["console", "sdk", "core"], build: () => Promise.all([pages("console"), statics("console")]) },
  demo: { from: ["demo", "sdk", "core"], build: () => Promise.all([pages("demo"), statics("demo"), demoFiles()]) },
};

const INPUT_FILES = ["package.json", "package-lock.json", "tsconfig.json", "scripts/build.ts"];
/** Copied as they are. */
const STATIC = new Set([".html", ".svg", ".png", ".webp", ".jpg", ".ico", ".woff2", ".json", ".txt", ".webmanifest"]);

const COMMON: BuildOptions = {
  absWorkingDir: ROOT,
  bundle: true,
  minify: true,
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  sourcemap: "linked",
  define: { "process.env.NODE_ENV": '"production"' },
  write: false,
  logLevel: "silent",
};

/** Path under dist/ → content. */
type Outputs = Map<string, Uint8Array>;

/**
 * Brings dist/ up to date; returns at once where no input has changed. Safe in several processes at a time: each file is
 * replaced in one step. Rejects with esbuild's messages where a source does not compile.
 */
export async function buildAll(): Promise<void> {
  await Promise.all((Object.keys(ROOMS) as Room[]).map(buildRoom));
}

/** The same for one room. */
export async function buildRoom(room: Room): Promise<void> {
  const stamp = join(OUT, `.inputs-${room}`);
  const hash = await hashInputs(ROOMS[room].from);
  if (existsSync(stamp) && (await readFile(stamp, "utf8")) === hash) return;
  const outputs: Outputs = new Map((await ROOMS[room].build()).flatMap((part) => [...part]));
  await Promise.all([...outputs].map(([path, content]) => replaceFile(join(OUT, path), content)));
  await removeOthers(room, outputs);
  await replaceFile(stamp, Buffer.from(hash));
}

async function hashInputs(folders: readonly string[]): Promise<string> {
  const listed = await Promise.all(folders.map((folder) => filesBelow(join(ROOT, folder))));
  const files = [
    ...listed.flat().filter((file) => !file.includes(".test.")),
    ...INPUT_FILES.map((file) => join(ROOT, file)),
  ];
  const hash = createHash("sha256");
  for (const file of files.sort())
    hash
      .update(relative(ROOT, file))
      .update("\0")
      .update(await readFile(file))
      .update("\0");
  return hash.digest("hex");
}

async function sdk(): Promise<Outputs> {
  const outputs: Outputs = new Map();
  const options: BuildOptions = { outdir: "dist/sdk", mangleProps: SDK_INTERNAL };
  await bundle(outputs, { ...options, entryPoints: { attune: "sdk/tag.ts" }, format: "iife" });
  await bundle(outputs, { ...options, entryPoints: { index: "sdk/index.ts" }, format: "esm" });
  // The public types import nothing, so they are their own declarations.
  outputs.set("sdk/types.d.ts", await readFile(join(ROOT, "sdk/types.ts")));
  outputs.set("sdk/index.d.ts", Buffer.from(SDK_DECLARATIONS));
  outputs.set("sdk/package.json", await sdkPackage());
  return outputs;
}

/** Names between the SDK's own files, which no page, browser or server reads: written short, for bytes are few. */
const SDK_INTERNAL = new RegExp(
  "^(on(Delivery|Error|Back|Change|Look|State|Open|Message|Close|Drop)|" +
    "nowMs|steadyMs|nextMs|retryAfter|exclusively|isAllowed|isObjecting|isKnown|identity|session|sessionNow|" +
    "setUser|itemId|sender|beacon|oldest|wake|sleep|hide|leave|stop|end|settled?|mark|remember|listeners|emit|scrolled|searched|" +
    "moved|over|visible|due|since|ratio|tick|rest|restart|undo|texts|looks|store|prefix|clock|schedule|queue|put|post|patch|" +
    "socket|stream|decided|mode|after|client)$",
);

/** The same entry as a package of its own, for sites: they install the SDK, not the node with all that it needs. */
async function sdkPackage(): Promise<Buffer> {
  const { name, version, license, type } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as Record<string, string>;
  const entry = { "./sdk": { types: "./index.d.ts", default: "./index.js" } };
  return Buffer.from(`${JSON.stringify({ name, version, license, type, sideEffects: false, exports: entry }, null, 2)}\n`);
}

const SDK_DECLARATIONS = `import type { Attune, AttuneOptions } from "./types.js";
export type * from "./types.js";
/** Starts the SDK in this page. Reads the visitor's earlier decision; stores and sends nothing without their consent. */
export declare function createAttune(options?: AttuneOptions): Attune;
`;

/** The `main.tsx` (or `main.ts`) of a room and of its folders, each with its CSS. */
async function pages(room: Room): Promise<Outputs> {
  const outputs: Outputs = new Map();
  const folders = [room, ...(await foldersOf(room)).map((folder) => `${room}/${folder}`)];
  const entryPoints = folders.flatMap((folder) =>
    ["main.tsx", "main.ts"].map((name) => `${folder}/${name}`).filter((path) => existsSync(join(ROOT, path))),
  );
  if (entryPoints.length === 0) return outputs;
  await bundle(outputs, {
    entryPoints,
    outbase: room,
    outdir: `dist/${room}`,
    format: "esm",
    splitting: true,
    chunkNames: "chunks/[name]-[hash]",
    jsx: "automatic",
    jsxImportSource: "preact",
  });
  return outputs;
}

async function bundle(outputs: Outputs, options: BuildOptions): Promise<void> {
  const { outputFiles } = await build({ ...COMMON, ...options });
  for (const file of outputFiles ?? []) outputs.set(relative(OUT, file.path), file.contents);
}

async function statics(room: Room): Promise<Outputs> {
  const outputs: Outputs = new Map();
  for (const file of await filesBelow(join(ROOT, room))) {
    if (STATIC.has(extname(file)) && !file.includes(".test.")) outputs.set(relative(ROOT, file), await readFile(file));
  }
  return outputs;
}

/** What the demo makes by itself: its pictures, and the catalogue that its search reads. Loaded only for a real build. */
async function demoFiles(): Promise<Outputs> {
  const { demoIndexes, demoPictures } = await import("../demo/pictures.ts");
  return new Map([...demoPictures(), ...demoIndexes()].map(([path, text]) => [join("demo", path), Buffer.from(text)]));
}

async function foldersOf(room: Room): Promise<string[]> {
  const entries = await readdir(join(ROOT, room), { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

async function replaceFile(path: string, content: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}.tmp`;
  await writeFile(draft, content);
  await rename(draft, path);
}

/** Chunks carry a hash in their name, so old ones would pile up. */
async function removeOthers(room: Room, outputs: Outputs): Promise<void> {
  for (const file of await filesBelow(join(OUT, room))) {
    if (!outputs.has(relative(OUT, file)) && !file.endsWith(".tmp")) await rm(file, { force: true });
  }
}

if (import.meta.main) {
  const rooms = process.argv.slice(2) as Room[];
  await (rooms.length > 0 ? Promise.all(rooms.map(buildRoom)) : buildAll());
}
